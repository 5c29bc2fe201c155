import { formatWaiting } from '../report/progress-line.ts';
import type { Services } from '../sigstore/services.ts';
import type { Host } from '../system/host.ts';
import type { RunProgram } from '../system/program.ts';
import { startProgress } from '../system/progress.ts';

/** Says on a terminal, from one second on, what is waited for. */
async function waitFor<T>(host: Host, what: string, work: () => Promise<T>): Promise<T> {
  const start = host.now().getTime();
  await using _progress = startProgress(host, (columns) =>
    formatWaiting(`waiting for ${what}`, host.now().getTime() - start, columns),
  );
  return await work();
}

/** Services of which the user sees which one is waited for: a log may take twenty seconds. */
export function withWaiting(host: Host, services: Services): Services {
  return (question) => waitFor(host, `${question.url.host}: ${question.what}`, () => services(question));
}

/** A program that keeps a key may wait for a finger on it. */
export function signerWithWaiting(host: Host, command: string): RunProgram {
  return (...call) => waitFor(host, `the signer ${command}`, () => host.program(...call));
}
