import { TcfError } from '../../base/error.ts';
import { no, yes } from '../../base/outcome.ts';
import type { Policy } from '../../policy/document.ts';
import type { ImageFacts } from '../../policy/evidence.ts';
import type { Host } from '../../system/host.ts';

/** What policies may ask of the database; open until it is disposed of. */
export interface OpenedEvidence extends Disposable {
  readonly vulnerabilities: ImageFacts['vulnerabilities'];
}

/**
 * Opens the database where a policy asks it. One that cannot be used is evidence too: rules say that they
 * cannot tell.
 */
export async function openVulnerabilityEvidence(
  host: Host,
  policies: readonly Policy[],
  database?: string,
): Promise<OpenedEvidence> {
  if (
    !policies.some(({ scopes }) => scopes.some(({ require }) => asksDatabase(require['vulnerabilities'])))
  ) {
    return { vulnerabilities: undefined, [Symbol.dispose]: () => {} };
  }
  // SQLite is loaded for these policies only: a start must not wait for it.
  const { useDatabase } = await import('./place.ts');
  try {
    const used = await useDatabase(host, database);
    const { data, taken } = used;
    return {
      vulnerabilities: yes({ data, ...(taken === undefined ? {} : { taken }) }),
      [Symbol.dispose]: () => used[Symbol.dispose](),
    };
  } catch (error) {
    if (error instanceof TcfError && error.exit === 2) {
      return {
        vulnerabilities: no({ code: error.code, message: error.message }),
        [Symbol.dispose]: () => {},
      };
    }
    throw error;
  }
}

function asksDatabase(params: unknown): boolean {
  return typeof params === 'object' && params !== null && !('scan' in params && params.scan !== undefined);
}
