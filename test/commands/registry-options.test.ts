import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { hexOf } from '../../src/oci/digest.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, testHost } from '../support/host.ts';
import { login, startRegistry } from '../support/registry.ts';
import { writeKeyPair } from '../support/scene.ts';

const place = folder();

async function tcf(...args: readonly string[]) {
  const host = testHost({ cwd: place.path, env: { COSIGN_PASSWORD: 'demo' } });
  const exit = await main(args, host);
  return { exit, all: host.all() };
}

beforeAll(async () => {
  writeKeyPair(place.path, 'team');
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
  for (const kind of ['sig', 'att']) {
    registry.manifests.set(`team/app:sha256-${hexOf(digest)}.${kind}`, { mediaType: 'text/plain', bytes });
  }
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
  if (exit === 0) {
    expect(await verify(image)).toMatchObject({ exit: 0 });
  }
});

const pair = `${login.username}:${login.password}`;
test.for([
  ['as it is', login.password],
  ['in base64', Buffer.from(pair).toString('base64')],
  ['percent-encoded', Buffer.from(pair).toString('hex').replace(/../g, '%$&')],
  ['escaped', [...pair].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('')],
] as const)('a password that a registry echoes %s is in no output and in no log', async ([, echo]) => {
  await using registry = await startRegistry({ auth: 'basic' });
  const config = { auths: { [registry.host]: { auth: Buffer.from(pair).toString('base64') } } };
  writeFileSync(join(place.path, 'config.json'), JSON.stringify(config));
  const body = `{"errors":[{"code":"DENIED","message":"${echo}"}]}`;
  registry.fault(/manifests/, {
    times: 1,
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="test"' },
  });
  registry.fault(/manifests/, { status: 403, body });
  const host = testHost({ cwd: place.path, env: { DOCKER_CONFIG: place.path } });
  const args = ['verify', `${registry.host}/team/app:1`, '--policy', 'policy.yaml', '--allow-http', '--json'];
  expect(await main(args, host)).toBe(2);
  expect(registry.requests.at(-1)?.headers.authorization).toBe(
    `Basic ${Buffer.from(pair).toString('base64')}`,
  );
  const logged = readdirSync(place.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.includes('decisions'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  expect(logged.length).toBeGreaterThan(0);
  for (const text of [host.all(), ...logged]) {
    expect(text).not.toContain(login.password);
    expect(text).not.toContain(echo);
  }
  expect(host.all()).toContain('[credential]');
});
