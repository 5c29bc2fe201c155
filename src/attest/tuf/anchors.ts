import { encodeUtf8 } from '../../base/bytes.ts';
import github from '../data/github-tuf-root.json' with { type: 'json' };
import sigstore from '../data/sigstore-tuf-root.json' with { type: 'json' };

/** A TUF repository whose root tcf carries (see `data/NOTICE` for where each root is from). */
export interface KnownRepository {
  readonly mirror: string;
  readonly anchor: () => Uint8Array;
}

/**
 * By the name that policies and `tcf trust` use: the public Sigstore instance, and the one of GitHub that
 * private repositories sign with.
 */
export const knownRepositories: Readonly<Record<'github' | 'sigstore', KnownRepository>> = {
  sigstore: {
    mirror: 'https://tuf-repo-cdn.sigstore.dev',
    anchor: () => encodeUtf8(JSON.stringify(sigstore)),
  },
  github: { mirror: 'https://tuf-repo.github.com', anchor: () => encodeUtf8(JSON.stringify(github)) },
};
