import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushDemoImage } from './demo-image.ts';
import { folder } from './host.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import { type SigstoreOptions, type SigstoreServer, startSigstore, testIdentity } from './sigstore.ts';
import { serveTuf, TestTuf, type TufServer } from './tuf.ts';

/**
 * A private Sigstore instance, the TUF mirror of its root, and an image in a registry, which nobody has
 * signed.
 */
export interface Instance extends AsyncDisposable {
  readonly place: ReturnType<typeof folder>;
  readonly registry: TestRegistry;
  readonly sigstore: SigstoreServer;
  readonly tuf: TestTuf;
  readonly mirror: TufServer;
  /** `registry/repository:tag`. */
  readonly image: string;
  readonly write: (name: string, content: string | Uint8Array) => void;
  /** A policy that believes Ann of this instance; `trust` stands in its block of that name. */
  readonly policy: (trust: string) => string;
}

/**
 * In the folder lie `tuf-root.json`, in which the trust in the mirror begins, `root.json` and `config.json`.
 */
export async function startInstance(now: Date, options: SigstoreOptions = {}): Promise<Instance> {
  const place = folder();
  const registry = await startRegistry();
  const sigstore = await startSigstore({ now: () => now, ...options });
  const tuf = new TestTuf(sigstore.trustedRoot, now);
  const mirror = await serveTuf(tuf.files);
  await pushDemoImage({ host: registry.host, repository: 'triton/dev', tag: '1' });
  const write = (name: string, content: string | Uint8Array) =>
    writeFileSync(join(place.path, name), content);
  write('tuf-root.json', tuf.anchor);
  write('root.json', sigstore.trustedRoot);
  write('config.json', sigstore.signingConfig(1));
  return {
    place,
    registry,
    sigstore,
    tuf,
    mirror,
    image: `${registry.host}/triton/dev:1`,
    write,
    policy: (trust) => `version: 1
trust: { ${trust} }
signers: { ann: { issuer: "${testIdentity.issuer}", identity: "${testIdentity.identity}" } }
scopes: [{ match: "${registry.host}", require: { signed: { by: [ann] } } }]
`,
    [Symbol.asyncDispose]: async () => {
      await mirror[Symbol.asyncDispose]();
      await sigstore[Symbol.asyncDispose]();
      await registry.close();
      place[Symbol.dispose]();
    },
  };
}
