import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { must, scratch, startDockerRegistry, tcf } from './support.ts';

/*
 * Ten machines of a CI that sign the same image at the same moment, on a real registry without the referrers
 * API.
 */

const place = scratch();
const signers = Array.from({ length: 10 }, (_, at) => `s${at}`);
const rounds = 20;
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
let image: string;

beforeAll(async () => {
  registry = await startDockerRegistry(place.path);
  const digest = await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
  image = `${registry.host}/dev@${digest}`;
  for (const name of signers) {
    expect(await tcf(['keygen', '--output-key-prefix', name], { cwd: place.path })).toMatchObject({
      code: 0,
    });
  }
  writeFileSync(
    join(place.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners:\n${signers
      .map((name) => `  ${name}: { keyFile: ${name}.pub }\n`)
      .join(
        '',
      )}scopes: [{ match: "${registry.host}", require: { signed: { by: [${signers.join(', ')}] } } }]\n`,
  );
});
afterAll(async () => {
  await registry.stop();
  place[Symbol.dispose]();
});

interface Listed {
  readonly manifests: readonly { readonly digest: string }[];
}

async function listed(): Promise<readonly string[]> {
  const [, digest = ''] = image.split('@');
  const tag = digest.replace(':', '-');
  const text = await must('curl', [
    '-sSf',
    `http://${registry.host}/v2/dev/manifests/${tag}`,
    '-H',
    'Accept: application/vnd.oci.image.index.v1+json',
  ]);
  return (JSON.parse(text) as Listed).manifests.map((entry) => entry.digest);
}

test('ten signers at once, twenty rounds: no signature is lost', { timeout: 1_200_000 }, async () => {
  const attached: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const ran = await Promise.all(
      signers.map((name) =>
        tcf(['sign', image, '--key', `${name}.key`, '--no-sbom', '-a', `round=${round}`, '--allow-http'], {
          cwd: place.path,
        }),
      ),
    );
    for (const { code, stderr } of ran) {
      expect(code, stderr).toBe(0);
      attached.push(/attached the signature: (sha256:[0-9a-f]{64})/.exec(stderr)?.[1] ?? stderr);
    }
    expect([...(await listed())].sort(), `round ${round}`).toEqual([...attached].sort());
  }
  const verified = await tcf(['verify', image, '--policy', 'policy.yaml', '--allow-http'], {
    cwd: place.path,
  });
  expect(verified, verified.stderr).toMatchObject({ code: 0 });
  expect(verified.stdout + verified.stderr).toContain(`${signers.length * rounds} candidates looked at`);
});
