import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { hexOf } from '../../src/oci/digest.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, testHost } from '../support/host.ts';
import { startRegistry } from '../support/registry.ts';

const place = folder();

async function tcf(...args: readonly string[]) {
  const host = testHost({ cwd: place.path, env: { COSIGN_PASSWORD: 'demo' } });
  const exit = await main(args, host);
  return { exit, all: host.all() };
}

beforeAll(async () => {
  await tcf('keygen', '--output-key-prefix', 'team');
});
afterAll(() => place[Symbol.dispose]());

function verify(image: string, ...args: readonly string[]) {
  const [registry] = image.split('/');
  writeFileSync(
    join(place.path, 'policy.yaml'),
    'version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\n' +
      `scopes: [{ match: "${registry}", require: { signed: { by: [team] } } }]\n`,
  );
  return tcf('verify', image, '--policy', 'policy.yaml', '--allow-http', ...args);
}

test('an image on GitLab is denied unsigned, signed, and allowed', async () => {
  await using registry = await startRegistry({ referrersApi: false, dashIsDigest: 'reads' });
  await pushDemoImage({ host: registry.host, repository: 'team/app', tag: '1' });
  const image = `${registry.host}/team/app:1`;
  expect(await verify(image)).toMatchObject({ exit: 1 });
  const signed = await tcf('sign', image, '--no-sbom', '--key', 'team.key', '--allow-http');
  expect(signed.exit, signed.all).toBe(0);
  expect(await verify(image)).toMatchObject({ exit: 0 });
});

test('--referrers tag gets along with a registry that says 401 for want of the API', async () => {
  await using registry = await startRegistry({ referrersApi: false });
  await pushDemoImage({ host: registry.host, repository: 'team/app', tag: '1' });
  registry.fault(/\/referrers\//, { status: 401 });
  const image = `${registry.host}/team/app:1`;
  const unknown = await verify(image);
  expect(unknown.exit).toBe(2);
  expect(unknown.all).toContain('--referrers tag');
  expect(await verify(image, '--referrers', 'tag')).toMatchObject({ exit: 1 });
  expect(
    await tcf('sign', image, '--no-sbom', '--key', 'team.key', '--allow-http', '--referrers', 'tag'),
  ).toMatchObject({ exit: 0 });
  expect(await verify(image, '--referrers', 'tag')).toMatchObject({ exit: 0 });
});

test('a tag of cosign 2 that nobody can read does not spoil the bundles', async () => {
  await using registry = await startRegistry();
  const digest = await pushDemoImage({ host: registry.host, repository: 'team/app', tag: '1' });
  const image = `${registry.host}/team/app:1`;
  await tcf('sign', image, '--no-sbom', '--key', 'team.key', '--allow-http');
  const bytes = Buffer.alloc(40 * 1024 * 1024, ' ');
  for (const kind of ['sig', 'att'])
    registry.manifests.set(`team/app:sha256-${hexOf(digest)}.${kind}`, { mediaType: 'text/plain', bytes });
  expect(await verify(image)).toMatchObject({ exit: 0 });
});

test('--referrers knows three words', async () => {
  expect(await verify('localhost:1/app', '--referrers', 'always')).toMatchObject({ exit: 3 });
});

test.for([
  ['a manifest', /GET .*\/manifests\//],
  ['the list of referrers', /GET .*\/referrers\//],
] as const)('--timeout ends a registry that drips %s', async ([, request]) => {
  await using registry = await startRegistry();
  await pushDemoImage({ host: registry.host, repository: 'team/app', tag: '1' });
  registry.fault(request, { drip: 100 });
  const { all, exit } = await verify(`${registry.host}/team/app:1`, '--timeout', '1');
  expect(exit, all).toBe(2);
  expect(all).toMatch(/did not arrive within 1 s/);
});

test.for([
  ['holds a key', 'key', 0],
  ['holds nothing', '', 3],
  ['is not there', undefined, 3],
  ['holds something else', 'secret text', 3],
] as const)('--key env://VAR where the variable %s', async ([, value, exit]) => {
  await using registry = await startRegistry();
  await pushDemoImage({ host: registry.host, repository: 'team/app', tag: '1' });
  const image = `${registry.host}/team/app:1`;
  const pem = readFileSync(join(place.path, 'team.key'), 'utf8');
  const text = value === 'key' ? pem : value;
  const env = { COSIGN_PASSWORD: 'demo', ...(text === undefined ? {} : { SIGNING_KEY: text }) };
  const host = testHost({ cwd: place.path, env });
  const args = ['sign', image, '--no-sbom', '--key', 'env://SIGNING_KEY', '--allow-http'];
  expect(await main(args, host), host.all()).toBe(exit);
  expect(host.all()).not.toContain('secret text');
  if (exit === 0) expect(await verify(image)).toMatchObject({ exit: 0 });
});
