import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verbs } from '../src/commands/index.ts';
import { pushDemoImage } from '../test/support/demo-image.ts';
import { startRegistry } from '../test/support/registry.ts';
import { startSigstore, testIdentity } from '../test/support/sigstore.ts';

/**
 * Lets the built program in `folder` do its main job, with a key and keyless, and keeps the code that was
 * compiled for it. The registry and the Sigstore instance are on loopback, and everything else is in a folder
 * that is gone afterwards.
 */
export async function compileParts(folder: string): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'tcf-compile-'));
  try {
    await using registry = await startRegistry();
    await using sigstore = await startSigstore();
    const write = (name: string, content: string | Uint8Array) => writeFileSync(join(home, name), content);
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      COSIGN_PASSWORD: 'compile',
      SIGSTORE_ID_TOKEN: sigstore.token(),
    };
    const tcf = async (...args: readonly string[]) => {
      const all = [join(import.meta.dirname, 'keep-compiled.cjs'), folder, ...args];
      const { stdout } = await promisify(execFile)(process.execPath, all, { cwd: home, env });
      return stdout.trim();
    };
    const { issuer, identity } = testIdentity;
    const policy = (trust: string, signer: string) =>
      `version: 1\ntrust: ${trust}\nsigners: { who: ${signer} }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [who] }, sbom: { by: [who] }, llvm: { is: pinned } } }]\n`;
    write('key.yaml', policy('{ logs: { key: 0 } }', '{ keyFile: team.pub }'));
    write('keyless.yaml', policy('{ root: root.json }', `{ issuer: "${issuer}", identity: "${identity}" }`));
    write('root.json', sigstore.trustedRoot);
    write('rekor1.json', sigstore.signingConfig(1));
    write('rekor2.json', sigstore.signingConfig(2));

    for (const { name } of verbs) {
      await tcf(name, '--help');
    }
    await tcf('keygen', '--output-key-prefix', 'team');
    const root = ['--trusted-root', 'root.json'];
    for (const [signer, tag, flags] of [
      ['key', '1', ['--key', 'team.key']],
      ['keyless', '1', ['--signing-config', 'rekor1.json', ...root]],
      ['keyless', '2', ['--signing-config', 'rekor2.json', ...root]],
    ] as const) {
      const image = `${registry.host}/${signer}:${tag}`;
      await pushDemoImage({ host: registry.host, repository: signer, tag, labels: { tag } });
      await tcf('sign', image, '--allow-http', ...flags);
      const asked = ['--policy', `${signer}.yaml`, '--allow-http'];
      const pinned = await tcf('verify', image, ...asked, '--print-digest');
      for (const more of [[], ['--quiet'], ['--json']]) {
        await tcf('verify', pinned, ...asked, '--cache', ...more);
      }
      await tcf('run', '--dry-run', ...asked, pinned);
      // The second time nothing is read.
      for (const file of ['first.json', 'second.json']) {
        await tcf('sbom', image, '--allow-http', '--cache', '-o', file);
      }
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
