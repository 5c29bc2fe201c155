import type { Host, Output } from './host.ts';

const silent: Output = { isTerminal: false, hasColor: false, write: async () => {} };

/**
 * The same host, to whose standard error nothing is written: what ends a verb is still told, by `src/cli.ts`,
 * and why a container was not started (`unquieted`).
 */
export function quieted(host: Host): Host {
  // Not `...host`: reading a member of the real host may open what it stands for.
  return Object.defineProperties({} as Host, {
    ...Object.getOwnPropertyDescriptors(host),
    stderr: { value: silent, enumerable: true },
    unquieted: { get: () => host.stderr, enumerable: true },
  });
}
