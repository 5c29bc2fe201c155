import { publicGoodRoot } from '../../attest/public-good.ts';
import { parsePublicKey } from '../../attest/trusted-key.ts';
import { parseTrustedRoot, type Trust } from '../../attest/trusted-root.ts';
import type { Policy } from '../../policy/document.ts';
import type { Host } from '../host.ts';
import { readUserFile } from './files.ts';

/** A PEM key of RSA 4096 has 3 KiB, an encrypted one of cosign 1 KiB. */
export const maxKey: number = 64 * 1024;
/** The public instance's root has 7 KiB; a private one with its own history some hundred. */
export const maxTrustedRoot: number = 8 * 1024 * 1024;

/**
 * Whom one policy believes: the trusted root that was named on the command line, else its own, else the public Sigstore; and its keys. Each policy is
 * judged with its own trust only, or the root that a project brings along would speak for the user's policy too.
 */
export async function loadTrust(host: Host, policy: Policy, given: string | undefined): Promise<Trust> {
  const file = given ?? policy.trust.root;
  const root =
    file === undefined
      ? publicGoodRoot()
      : await readUserFile(host, file, maxTrustedRoot, 'the trusted root');
  const keys = [...policy.signers.values()].flatMap((signer) =>
    signer.kind === 'key' ? [parsePublicKey(signer.pem, signer.name)] : [],
  );
  return { roots: [parseTrustedRoot(root, file)], keys };
}
