interface Waiting {
  readonly at: number;
  readonly wake: () => void;
}

/**
 * Time for tasks that run at once and wait for each other's servers: when every task waits, the clock moves
 * on to whoever is due next. Nothing really waits, and who meets whom is decided by the waits alone, as it
 * would be in real time on a machine that is fast enough.
 */
export class VirtualClock {
  #now = 0;
  #running = 0;
  readonly #waiting: Waiting[] = [];

  /** Each task waits in one place at a time: in its own `sleep`, or in that of the server that it asks. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#moveOn();
    }
  }

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      this.#waiting.push({ at: this.#now + ms, wake });
      this.#moveOn();
    });

  #moveOn(): void {
    if (this.#waiting.length < Math.max(1, this.#running)) {
      return;
    }
    this.#waiting.sort((a, b) => a.at - b.at);
    const next = this.#waiting.shift();
    this.#now = Math.max(this.#now, next?.at ?? 0);
    next?.wake();
  }
}
