import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { run, scratch, startDockerRegistry, tcf } from './support.ts';

/* A host without any network: only its own loopback, in a network namespace of its own. */

const folder = scratch();
const main = join(import.meta.dirname, '../../src/main.ts');
let host: string;
let image: string;

const here = (...args: string[]) => tcf(args, { cwd: folder.path });

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
  await registry.stop();
});
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
