import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import type { TestRegistry } from '../support/registry.ts';
import { openScene, type Scene } from '../support/scene.ts';

/* What a verification may cost: requests are what makes a pull slow and a registry angry. */

let scene: Scene;
let registry: TestRegistry;
let digest: string;

beforeAll(async () => {
  scene = await openScene({
    keys: ['team', 'other'],
    policies: {
      'policy.yaml': 'signed: { by: [team] }',
      'sbom.yaml': 'signed: { by: [team] }, sbom: { by: [team] }',
    },
  });
  ({ registry } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());

const tcf = async (...args: readonly string[]) => (await scene.tcf(...args, '--allow-http')).exit;

async function sign(name: string, key: string): Promise<void> {
  expect(await tcf('sign', name, '--key', `${key}.key`, '--no-sbom')).toBe(0);
}

/** The requests that one verification makes, as `METHOD /path`. */
async function cost(
  name: string,
  policy = 'policy.yaml',
): Promise<{ readonly exit: number; readonly requests: readonly string[] }> {
  const before = registry.requests.length;
  const exit = await tcf('verify', name, '--policy', policy);
  return { exit, requests: registry.requests.slice(before).map(({ method, path }) => `${method} ${path}`) };
}

test('one bundle by digest: manifest, referrers, manifest of the bundle, bundle', async () => {
  digest = await pushDemoImage({ host: registry.host, repository: 'one', tag: '1' });
  const name = `${registry.host}/one@${digest}`;
  await sign(name, 'team');
  const { exit, requests } = await cost(name);
  expect(exit).toBe(0);
  // The first two are asked for at once.
  expect([...requests.slice(0, 2).sort(), ...requests.slice(2)]).toEqual([
    `GET /v2/one/manifests/${digest}`,
    `GET /v2/one/referrers/${digest}`,
    expect.stringMatching(/^GET \/v2\/one\/manifests\/sha256:/),
    expect.stringMatching(/^GET \/v2\/one\/blobs\/sha256:/),
  ]);
});

test('a tag is asked for once and costs no more', async () => {
  const { exit, requests } = await cost(`${registry.host}/one:1`);
  expect(exit).toBe(0);
  expect(requests).toHaveLength(4);
  expect(requests.filter((request) => request.endsWith('/manifests/1'))).toHaveLength(1);
});

test('ten bundles: two more for each', async () => {
  digest = await pushDemoImage({ host: registry.host, repository: 'ten', tag: '1' });
  const name = `${registry.host}/ten@${digest}`;
  for (let count = 0; count < 9; count += 1) {
    await sign(name, 'other');
  }
  await sign(name, 'team');
  const { exit, requests } = await cost(name);
  expect(exit).toBe(0);
  expect(requests.length).toBeLessThanOrEqual(2 + 2 * 10);
});

test('a signature and an SBOM: two for each, and one for an older attestation that may deny', async () => {
  digest = await pushDemoImage({ host: registry.host, repository: 'both', tag: '1' });
  const name = `${registry.host}/both@${digest}`;
  expect(await tcf('sign', name, '--key', 'team.key')).toBe(0);
  const { exit, requests } = await cost(name, 'sbom.yaml');
  expect(exit).toBe(0);
  expect(requests).toHaveLength(2 + 2 * 2 + 1);
  expect(requests.at(-1)).toBe(`GET /v2/both/manifests/${digest.replace(':', '-')}.att`);
});

test('an image that bundles do not allow costs two more, for the tags of cosign 2', async () => {
  digest = await pushDemoImage({ host: registry.host, repository: 'none', tag: '1' });
  const { exit, requests } = await cost(`${registry.host}/none@${digest}`);
  expect(exit).toBe(1);
  const tag = digest.replace(':', '-');
  expect([...requests.slice(0, 2).sort(), ...requests.slice(2)]).toEqual([
    `GET /v2/none/manifests/${digest}`,
    `GET /v2/none/referrers/${digest}`,
    `GET /v2/none/manifests/${tag}.sig`,
    `GET /v2/none/manifests/${tag}.att`,
  ]);
});
