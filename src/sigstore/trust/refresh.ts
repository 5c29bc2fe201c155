import type { State } from '../../attest/tuf/state.ts';
import { type Download, newRepository, type UpdateOptions, update } from '../../attest/tuf/update.ts';
import { refusal, type Services, under } from '../services.ts';
import type { TrustStore } from './store.ts';

export interface RefreshOptions {
  readonly store: TrustStore;
  readonly name: string;
  readonly mirror: URL;
  /** The root to begin with where nothing is kept. */
  readonly anchor: Uint8Array;
  /** Whether `anchor` has to be kept because tcf does not carry it. */
  readonly isOwn: boolean;
  /** What is kept. */
  readonly known: State | undefined;
  readonly services: Services;
  readonly now: Date;
  /** Throws where a new trusted root or signing config cannot be used. */
  readonly accept: UpdateOptions['accept'];
}

/**
 * Brings what is kept of one instance up to date. Every step that succeeds is kept, so a kill at any moment
 * leaves a state from which the next run goes on, and never one that is older.
 *
 * @throws TcfError as `update` and the store do; `sigstore.unreachable` and `sigstore.refused` of the mirror
 *   (exit 2).
 */
export async function refreshTrust(options: RefreshOptions): Promise<State> {
  const { accept, anchor, isOwn, known, mirror, name, now, services, store } = options;
  const toState = (repository: State['repository']): State => ({
    mirror: mirror.href,
    repository,
    ...(isOwn ? { anchor } : {}),
  });
  let kept: State | undefined;
  await update(known?.repository ?? newRepository(anchor), {
    download: downloadFrom(mirror, services),
    now,
    accept,
    persist: async (repository) => {
      kept = await store.keep(name, toState(repository));
    },
  });
  // `update` persists at least at its end; what is kept may be more than it found, where another run found
  // more.
  return kept ?? toState(newRepository(anchor));
}

function downloadFrom(mirror: URL, services: Services): Download {
  return async (path, limit) => {
    const question = {
      method: 'GET',
      url: under(mirror, path),
      what: `the TUF file ${path}`,
      limit,
    } as const;
    const reply = await services(question);
    if (reply.status === 200) {
      return reply.body;
    }
    // Object stores say 403 where somebody asks for what is not there and may not list what is.
    if (reply.status === 404 || reply.status === 403) {
      return undefined;
    }
    throw refusal(question, reply);
  };
}
