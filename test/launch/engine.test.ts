import { describe, expect, test } from 'vitest';
import { findEngine, type Launch, launchContainer } from '../../src/launch/engine.ts';
import { formatPinnedRef } from '../../src/oci/reference.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { digestFor, issuer, judge, toEvidence } from '../support/evidence.ts';
import { type TestHost, testHost } from '../support/host.ts';

const policy = parsePolicy(
  `version: 1
signers:
  release: { issuer: ${issuer}, identity: "https://github.com/redhat-et/triton-dev-containers/.github/workflows/image-build.yml@refs/heads/main" }
scopes: [{ match: quay.io, require: { signed: { by: [release] } } }]
`,
  'policy.yaml',
);
const verdict = judge([policy], toEvidence({ candidates: [{ by: 'release' }] }));
if (verdict.verdict !== 'allow') {
  throw new Error('the image of these tests must be allowed');
}
const name = formatPinnedRef(verdict.image);
const config = digestFor('c');
const launch: Launch = {
  allow: verdict.allow,
  imageIds: [config, verdict.image.digest],
  engineFlags: ['--rm', '-v', 'a:b'],
  command: ['sh', '-c', 'exit 7'],
  plainHttp: false,
};
const podman = { name: 'podman', path: '/usr/bin/podman' } as const;

type Answers = Partial<Record<'image' | 'pull' | 'run', { code?: number; stdout?: string; stderr?: string }>>;

/** An engine that has nothing until it has pulled; `has`: it had it before. */
function engineThat(answer: Answers, has = false): TestHost {
  let isThere = has;
  return testHost({
    cwd: '/',
    answer: ([verb = '']) => {
      if (verb === 'pull') {
        isThere = true;
      }
      if (verb === 'image' && !isThere) {
        return { code: 1, stderr: 'no such image' };
      }
      return answer[verb as 'pull'] ?? {};
    },
  });
}

test('pulls the verified digest, looks at what came, and starts it without pulling again', async () => {
  const host = engineThat({ image: { stdout: `${config.slice('sha256:'.length)}\n` }, run: { code: 7 } });
  expect(await launchContainer(host, podman, launch)).toBe(7);
  expect(host.started).toEqual([
    ['/usr/bin/podman', 'image', 'inspect', '--format', '{{.Id}}', name],
    ['/usr/bin/podman', 'pull', '--quiet', name],
    ['/usr/bin/podman', 'image', 'inspect', '--format', '{{.Id}}', name],
    ['/usr/bin/podman', 'run', '--pull=never', '--rm', '-v', 'a:b', name, 'sh', '-c', 'exit 7'],
  ]);
});

test('pulls nothing that is there, and looks at it all the same', async () => {
  const host = engineThat({ image: { stdout: config } }, true);
  expect(await launchContainer(host, podman, launch)).toBe(0);
  expect(host.started.map(([, verb]) => verb)).toEqual(['image', 'run']);
  await expect(
    launchContainer(engineThat({ image: { stdout: digestFor('d') } }, true), podman, launch),
  ).rejects.toThrow(/not what was verified/);
});

test("takes the manifest's digest as image id too, as docker names it with containerd's store", async () => {
  const host = engineThat({ image: { stdout: `${verdict.image.digest}\n` } });
  expect(await launchContainer(host, podman, launch)).toBe(0);
});

test('docker is told the platform once more: under the id of an index it may hold several', async () => {
  const host = engineThat({ image: { stdout: config } });
  const docker = { name: 'docker', path: '/usr/bin/docker' } as const;
  await launchContainer(host, docker, { ...launch, platform: 'linux/arm64' });
  expect(host.started.at(-1)?.slice(0, 5)).toEqual([
    '/usr/bin/docker',
    'run',
    '--pull=never',
    '--platform',
    'linux/arm64',
  ]);
});

test('pulls for the platform that was verified, and over plain HTTP only where that was asked', async () => {
  const host = engineThat({ image: { stdout: config } });
  await launchContainer(host, podman, { ...launch, platform: 'linux/arm64', plainHttp: true });
  expect(host.started[1]).toEqual([
    '/usr/bin/podman',
    'pull',
    '--quiet',
    '--platform',
    'linux/arm64',
    '--tls-verify=false',
    name,
  ]);
});

describe('starts nothing when', () => {
  test.for([
    [
      'the pull fails',
      { pull: { code: 125, stderr: 'Error: no route\nto host\n' } },
      /could not pull .*: to host/,
    ],
    [
      'the engine holds another image under the digest',
      { image: { stdout: digestFor('d') } },
      /not what was verified/,
    ],
    [
      'the engine does not know the image',
      { image: { code: 1, stderr: 'no such image' } },
      /not what was verified/,
    ],
    [
      'the engine names the image by a short id',
      { image: { stdout: config.slice(7, 19) } },
      /not what was verified/,
    ],
  ] as const)('%s', async ([, answer, message]) => {
    const host = engineThat(answer);
    await expect(launchContainer(host, podman, launch)).rejects.toThrow(message);
    expect(host.started.filter(([, verb]) => verb === 'run')).toEqual([]);
  });
});

test('takes podman where it is installed, or what was asked for, or says what is missing', () => {
  const host = testHost({ cwd: '/' });
  expect(findEngine(host)).toEqual(podman);
  expect(() => findEngine(host, 'docker')).toThrow(/found no docker on PATH/);
});
