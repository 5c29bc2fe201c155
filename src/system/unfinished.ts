import { rmSync } from 'node:fs';

/*
 * Files and folders that are gone when the work that made them is over, also where somebody ends the process
 * before: Ctrl-C leaves nothing. A kill -9 leaves them; their names say that they are not whole
 * (`temporaryEnd`).
 */

const unfinished = new Set<string>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Process = Pick<NodeJS.Process, 'kill' | 'listenerCount' | 'off' | 'on' | 'pid'>;
let watched: Process | undefined;
let isWatching = false;

/** Names the process whose end is watched, from the first temporary file on. */
export function watchEndOf(whole: Process): void {
  watched = whole;
}

/** Takes `path` away when the process ends, until the disposal. Whoever made it takes it away otherwise. */
export function untilFinished(path: string): Disposable {
  unfinished.add(path);
  watch();
  return { [Symbol.dispose]: () => void unfinished.delete(path) };
}

function watch(): void {
  const whole = watched;
  if (isWatching || whole === undefined) {
    return;
  }
  isWatching = true;
  whole.on('exit', removeAll);
  for (const signal of signals) {
    const end = (): void => {
      removeAll();
      // Who else listens decides when it is over; otherwise the process ends as if nobody had listened.
      if (whole.listenerCount(signal) === 1) {
        whole.off(signal, end);
        whole.kill(whole.pid, signal);
      }
    };
    whole.on(signal, end);
  }
}

function removeAll(): void {
  for (const path of unfinished) {
    rmSync(path, { recursive: true, force: true });
  }
  unfinished.clear();
}
