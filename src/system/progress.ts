import type { Host, Output } from './host.ts';

/** Before this nobody wonders what the program does. */
const shownAfter = 1000;
const drawnEvery = 100;
const lastColumn = 1;
const usualColumns = 80;

/** Who has something to show on an output, the first first: what began later is a part of that. */
const showing = new WeakMap<Output, Drawing[]>();

function listOf(output: Output): Drawing[] {
  const list = showing.get(output) ?? [];
  showing.set(output, list);
  return list;
}

/** A line on standard error that says what the program does now, and goes away when that is done. */
export interface Progress extends AsyncDisposable {
  /** What to write with meanwhile: a line of its own makes room first, so that the two never mix. */
  readonly host: Host;
  /** Draws the line again where that is due: for work that leaves timers no turn. */
  touch(): void;
}

/**
 * Shows `line` from one second on until it is disposed of. Only a terminal is told: a line that is drawn
 * again and again, or on a dumb terminal, which cannot take it back, the line once. In a pipe nothing is
 * written. Of several at once the first is shown.
 *
 * @param line At most `columns` wide, without control characters; called for each drawing.
 */
export function startProgress(host: Host, line: (columns: number) => string): Progress {
  if (!host.stderr.isTerminal) {
    return { host, touch: () => {}, [Symbol.asyncDispose]: async () => {} };
  }
  const list = listOf(host.stderr);
  const drawing = new Drawing(host, line);
  list.push(drawing);
  // What writes past the line is the same terminal.
  showing.set(drawing.host.stderr, list);
  const ended = new AbortController();
  const touch = (): void => {
    if (list[0] === drawing) {
      drawing.touch();
    }
  };
  const running = (async () => {
    while (!ended.signal.aborted) {
      touch();
      await host.sleep(drawnEvery, ended.signal);
    }
  })();
  return {
    host: drawing.host,
    touch,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await running;
      await drawing.erase();
      list.splice(list.indexOf(drawing), 1);
    },
  };
}

class Drawing {
  readonly host: Host;
  readonly #real: Host;
  readonly #line: (columns: number) => string;
  readonly #canErase: boolean;
  #due: number;
  #isDrawn = false;

  constructor(host: Host, line: (columns: number) => string) {
    this.#real = host;
    this.#line = line;
    this.#canErase = host.env['TERM'] !== 'dumb';
    this.#due = host.now().getTime() + shownAfter;
    const past = (output: Host['stderr']): Host['stderr'] =>
      Object.create(output, {
        write: {
          value: async (text: string | Uint8Array) => {
            await this.erase();
            await output.write(text);
          },
        },
      });
    this.host = Object.create(host, {
      stderr: { value: past(host.stderr) },
      ...(host.stdout.isTerminal ? { stdout: { value: past(host.stdout) } } : {}),
    });
  }

  touch(): void {
    const now = this.#real.now().getTime();
    if (now < this.#due) {
      return;
    }
    this.#due = this.#canErase ? now + drawnEvery : Number.POSITIVE_INFINITY;
    const text = this.#line((this.#real.stderr.columns ?? usualColumns) - lastColumn);
    this.#isDrawn = this.#canErase;
    // The cursor waits at the beginning, where the next line would stand. A terminal that is gone is no
    // reason to stop.
    this.#real.stderr.write(this.#canErase ? `\r${text}\u001b[K\r` : `${text}\n`).catch(() => {});
  }

  async erase(): Promise<void> {
    if (this.#isDrawn) {
      this.#isDrawn = false;
      await this.#real.stderr.write('\r\u001b[K');
    }
  }
}
