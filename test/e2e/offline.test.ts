import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { startSigstore, testIdentity } from '../support/sigstore.ts';
import { serveTuf, TestTuf } from '../support/tuf.ts';
import { run, scratch, startDockerRegistry, tcf } from './support.ts';

/* A host without any network: only its own loopback, in a network namespace of its own. */

const folder = scratch();
const main = join(import.meta.dirname, '../../src/main.ts');
let host: string;
let image: string;

/** What the machine learned while it had a network. */
const env = { XDG_STATE_HOME: join(folder.path, 'state') };
const here = (...args: string[]) => tcf(args, { cwd: folder.path, env });

beforeAll(async () => {
  const registry = await startDockerRegistry(folder.path);
  host = registry.host;
  const digest = await pushDemoImage({ host, repository: 'triton/dev', tag: '1' });
  image = `${host}/triton/dev@${digest}`;
  expect(await here('keygen', '--output-key-prefix', 'team')).toMatchObject({ code: 0 });
  const signed = await here('sign', image, '--key', 'team.key', '--allow-http');
  expect(signed.code, signed.stderr).toBe(0);
  writeFileSync(
    join(folder.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }]\n`,
  );
  await signKeyless();
  await registry.stop();
});

/**
 * Signs once more by a private Sigstore, and learns its trusted root from its TUF mirror; then both go away.
 */
async function signKeyless(): Promise<void> {
  await using sigstore = await startSigstore();
  const tuf = new TestTuf(sigstore.trustedRoot, new Date());
  await using mirror = await serveTuf(tuf.files);
  const write = (name: string, content: string | Uint8Array) =>
    writeFileSync(join(folder.path, name), content);
  write('tuf-root.json', tuf.anchor);
  write('root.json', sigstore.trustedRoot);
  write('config.json', sigstore.signingConfig(1));
  write('token', sigstore.token());
  for (const [file, trust] of [
    ['corp.yaml', 'instances: [corp]'],
    ['pinned.yaml', 'root: root.json'],
  ] as const) {
    write(
      file,
      `version: 1\ntrust: { ${trust} }\nsigners: { ann: { issuer: "${testIdentity.issuer}", identity: "${testIdentity.identity}" } }\nscopes: [{ match: "${host}", require: { signed: { by: [ann] } } }]\n`,
    );
  }
  const services = [
    '--signing-config',
    'config.json',
    '--trusted-root',
    'root.json',
    '--identity-token',
    'token',
  ];
  const signed = await here('sign', image, ...services, '--no-sbom', '--allow-http');
  expect(signed.code, signed.stderr).toBe(0);
  const updated = await here('trust', 'update', 'corp', '--mirror', mirror.url, '--root', 'tuf-root.json');
  expect(updated.code, updated.stderr).toBe(0);
}
afterAll(() => folder[Symbol.dispose]());

/** Runs tcf where nothing but loopback exists, beside the same registry started again there. */
function cutOff(...args: string[]) {
  const script = [
    'ip link set lo up',
    'docker-registry serve registry.yml >/dev/null 2>&1 & server=$!',
    'trap "kill $server" EXIT',
    `for _ in $(seq 100); do curl -sf http://${host}/v2/ >/dev/null && break; sleep 0.1; done`,
    'node=$1; shift',
    '"$node" "$@"',
  ].join('\n');
  return run('unshare', ['--net', 'bash', '-c', script, 'offline', process.execPath, main, ...args], {
    cwd: folder.path,
    env,
  });
}

test('without a network a registry on loopback is verified, with the root that is at hand', async () => {
  const ran = await cutOff('verify', image, '--policy', 'policy.yaml', '--allow-http');
  expect(ran.stderr).toContain('allowed');
  expect(ran.code).toBe(0);
});

test('without a network a registry elsewhere is "cannot tell", within moments', async () => {
  const ran = await cutOff('verify', 'quay.io/triton-dev-containers/cpu:1', '--policy', 'policy.yaml');
  expect(ran.stderr).toContain('could not talk to "quay.io"');
  expect(ran.code).toBe(2);
});

test.for([
  ['corp.yaml', '✓ trust: the trusted root of corp is 0 days old (tcf trust update, '],
  ['pinned.yaml', '✓ trust: the newest entry of the trusted root '],
] as const)(
  'without a network, %s proves a certificate and says how old its root is',
  async ([policy, words]) => {
    const ran = await cutOff('verify', image, '--policy', policy, '--allow-http');
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).toContain('the image is signed by ann');
    expect(ran.code).toBe(0);
    const json = await cutOff('verify', image, '--policy', policy, '--allow-http', '--json');
    expect(JSON.parse(json.stdout).decisions[0].roots[0]).toMatchObject({ ageDays: expect.any(Number) });
  },
);

test('without a network trust cannot be renewed, and nothing that was known is lost', async () => {
  expect(await cutOff('trust', 'update', 'corp')).toMatchObject({ code: 2 });
  expect(await cutOff('trust', 'show', 'corp')).toMatchObject({ code: 0 });
});
