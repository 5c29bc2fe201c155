import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BundleQuestion, verifyBundleAgainst } from '../src/attest/verify-bundle.ts';
import { TcfError } from '../src/base/error.ts';
import { digestOf } from '../src/oci/digest.ts';

/*
 * npm run test:conformance -- [--verbose] DIR
 *
 * Runs every case of sigstore-conformance below DIR twice, with the artifact and with its digest, through the
 * function that `tcf verify-bundle` calls. DIR holds one folder for each case, `a.txt` and
 * `trusted_root.json`. A folder whose name ends in `_fail` must be refused, any other must verify.
 */

const standard = {
  identity:
    'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main',
  issuer: 'https://token.actions.githubusercontent.com',
};

const modes = ['path', 'digest'] as const;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { verbose: { type: 'boolean', default: false } },
});
const [root] = positionals;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function readCase(dir: string, mode: (typeof modes)[number]): BundleQuestion {
  const own = (name: string): string | undefined => {
    const path = join(dir, name);
    return existsSync(path) ? path : undefined;
  };
  const text = (name: string): string | undefined => {
    const path = own(name);
    return path === undefined ? undefined : readFileSync(path, 'utf8').trim();
  };
  const artifact = new Uint8Array(readFileSync(own('artifact') ?? join(dir, '..', 'a.txt')));
  const pem = text('key.pub');
  return {
    bundle: new Uint8Array(readFileSync(join(dir, 'bundle.sigstore.json'))),
    trustedRoot: new Uint8Array(
      readFileSync(own('trusted_root.json') ?? join(dir, '..', 'trusted_root.json')),
    ),
    expected:
      pem === undefined
        ? { identity: text('identity') ?? standard.identity, issuer: text('issuer') ?? standard.issuer }
        : { pem, name: 'key.pub' },
    artifact: mode === 'path' ? artifact : digestOf(artifact),
  };
}

/**
 * Why the case was refused, `undefined` where it verified. An error without a code of ours is a crash, never
 * a refusal.
 */
function refusalOf(question: BundleQuestion): string | undefined {
  try {
    const outcome = verifyBundleAgainst(question, new Date());
    return outcome.ok ? undefined : `${outcome.reason.code}: ${outcome.reason.message}`;
  } catch (error) {
    if (error instanceof TcfError) {
      return `${error.code}: ${error.message}`;
    }
    throw error;
  }
}

function main(dir: string): number {
  const names = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(dir, entry.name, 'bundle.sigstore.json')))
    .map(({ name }) => name)
    .sort();
  let failed = 0;
  for (const name of names) {
    for (const mode of modes) {
      const refusal = refusalOf(readCase(join(dir, name), mode));
      const right = name.endsWith('_fail') === (refusal !== undefined);
      if (!right) {
        failed += 1;
      }
      if (!right || values.verbose) {
        say(`${right ? 'ok' : 'FAILED'} ${name} (${mode}): ${refusal ?? 'verified'}`);
      }
    }
  }
  say(`${names.length * modes.length - failed} passed, ${failed} failed`);
  return failed === 0 && names.length > 0 ? 0 : 1;
}

if (root === undefined) {
  process.stderr.write('tcf: error: test:conformance needs the folder of the cases\n');
  process.exitCode = 3;
} else {
  process.exitCode = main(root);
}
