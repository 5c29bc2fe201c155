import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { sarifProblems } from '../support/sarif.ts';
import { must, run, scratch, startDockerRegistry, tcf } from './support.ts';

const image = inject('image');
const folder = scratch();
const at = (name: string) => join(folder.path, name);
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
let faulty: TestRegistry;

const policy = (name: string, host: string, require: string) =>
  writeFileSync(
    at(name),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${host}", require: ${require} }]\n`,
  );
const baseline = '{ signed: { by: [team] }, sbom: { by: [team] } }';
const strict =
  '{ signed: { by: [team] }, sbom: { by: [team] }, llvm: { is: pinned }, components: { deny: ["pkg:deb/debian/openssh-server"] } }';

const push = (source: string, target: string) =>
  must('skopeo', [
    'copy',
    '--quiet',
    '--dest-tls-verify=false',
    `containers-storage:${source}`,
    `docker://${target}`,
  ]);
const digestOf = async (target: string) =>
  (
    await must('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${target}`])
  ).trim();
const here = (...args: string[]) => tcf(args, { cwd: folder.path });
const containers = () => must('podman', ['ps', '--all', '--quiet', '--no-trunc']);

/** A new image in podman's store: the real one with one change made inside its root. */
async function variant(name: string, change: string): Promise<string> {
  const script = `set -e; c=$(buildah from "$1"); m=$(buildah mount $c); ${change}; buildah umount $c >/dev/null; buildah commit --quiet --rm $c "$2" >/dev/null`;
  await must('bash', ['-c', script, 'variant', image, `localhost/tcf-e2e-${name}`]);
  return `localhost/tcf-e2e-${name}`;
}

/** A small image, so that moving and copying it costs nothing. */
async function smallImage(name: string): Promise<string> {
  const script = `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin $m/etc; cp /bin/busybox $m/bin/sh 2>/dev/null || cp /usr/bin/true $m/bin/sh; echo ${name} >$m/etc/name; printf 'ID=debian\\nVERSION_ID="12"\\n' >$m/etc/os-release; buildah umount $c >/dev/null; buildah commit --quiet --rm $c "$1" >/dev/null`;
  await must('bash', ['-c', script, 'small', `localhost/tcf-e2e-small-${name}`]);
  return `localhost/tcf-e2e-small-${name}`;
}

beforeAll(async () => {
  registry = await startDockerRegistry(folder.path);
  faulty = await startRegistry();
  for (const host of [registry.host, faulty.host]) {
    policy(`baseline-${host}.yaml`, host, baseline);
    policy(`strict-${host}.yaml`, host, strict);
  }
  expect(await here('keygen', '--output-key-prefix', 'team')).toMatchObject({ code: 0 });
  expect(await here('keygen', '--output-key-prefix', 'mallory')).toMatchObject({ code: 0 });
  await push(image, `${registry.host}/triton/dev:signed`);
  const signed = await here(
    'sign',
    `${registry.host}/triton/dev:signed`,
    '--key',
    'team.key',
    '--allow-http',
  );
  expect(signed.code, signed.stderr).toBe(0);
});

afterAll(async () => {
  await faulty.close();
  await registry.stop();
  const built = (await must('podman', ['images', '--format', '{{.Repository}}'])).split('\n');
  const ours = [
    ...new Set(built.filter((name) => name.startsWith('localhost/tcf-e2e-') && !name.endsWith('-base'))),
  ];
  await must('podman', ['rmi', '--force', ...ours.map((name) => `${name}:latest`)]);
  await must('podman', ['image', 'prune', '--force']);
  folder[Symbol.dispose]();
});

const verify = (name: string, host = registry.host) =>
  here('verify', name, '--policy', `baseline-${host}.yaml`, '--allow-http', '--timeout', '3');
const start = (name: string, host = registry.host, ...command: string[]) =>
  here(
    'run',
    '--policy',
    `baseline-${host}.yaml`,
    '--allow-http',
    '--timeout',
    '3',
    '--rm',
    name,
    ...command,
  );

describe('an image that the team signed', () => {
  test('is allowed, and podman starts exactly that digest', async () => {
    expect(await verify(`${registry.host}/triton/dev:signed`)).toMatchObject({ code: 0 });
    const ran = await start(
      `${registry.host}/triton/dev:signed`,
      registry.host,
      '/opt/triton/bin/python',
      '-c',
      'import sys; print(6 * 7); sys.exit(3)',
    );
    expect(ran).toMatchObject({ code: 3, stdout: '42\n' });
  });

  test('is printed by digest for scripts', async () => {
    const name = `${registry.host}/triton/dev`;
    const printed = await here(
      'verify',
      `${name}:signed`,
      '--quiet',
      '--print-digest',
      '--policy',
      `baseline-${registry.host}.yaml`,
      '--allow-http',
    );
    expect(printed).toMatchObject({ code: 0, stdout: `${name}@${await digestOf(`${name}:signed`)}\n` });
  });
});

describe('nothing starts', () => {
  test.for<readonly [string, number, RegExp, () => Promise<{ name: string; host: string }>]>([
    [
      'of an image that nobody signed',
      1,
      /✗ signed/,
      async () => {
        await push(await smallImage('unsigned'), `${registry.host}/small/unsigned:1`);
        return { name: `${registry.host}/small/unsigned:1`, host: registry.host };
      },
    ],
    [
      'of a tag that was moved after it was signed',
      1,
      /✗ signed/,
      async () => {
        const name = `${registry.host}/small/moved:1`;
        await push(await smallImage('first'), name);
        expect(await here('sign', name, '--key', 'team.key', '--allow-http')).toMatchObject({ code: 0 });
        expect(await verify(name)).toMatchObject({ code: 0 });
        await push(await smallImage('second'), name);
        return { name, host: registry.host };
      },
    ],
    [
      'of an image signed by another key',
      1,
      /✗ signed/,
      async () => {
        const name = `${registry.host}/small/mallory:1`;
        await push(await smallImage('mallory'), name);
        expect(await here('sign', name, '--key', 'mallory.key', '--allow-http')).toMatchObject({ code: 0 });
        return { name, host: registry.host };
      },
    ],
    [
      'of an image whose SBOM attestation was copied from another one',
      1,
      /✗ sbom/,
      async () => {
        const name = `${registry.host}/small/copied:1`;
        await push(await smallImage('copied'), name);
        expect(await here('sign', name, '--no-sbom', '--key', 'team.key', '--allow-http')).toMatchObject({
          code: 0,
        });
        await copyReferrers(`${registry.host}/small/moved`, await digestOf(name), name);
        return { name, host: registry.host };
      },
    ],
    [
      'when the registry answers 500 for its referrers',
      2,
      /500/,
      async () => {
        await push(await smallImage('broken'), `${faulty.host}/small/broken:1`);
        expect(
          await here('sign', `${faulty.host}/small/broken:1`, '--key', 'team.key', '--allow-http'),
        ).toMatchObject({ code: 0 });
        faulty.fault(/GET \/v2\/small\/broken\/referrers/, { status: 500 });
        return { name: `${faulty.host}/small/broken:1`, host: faulty.host };
      },
    ],
    [
      'when the registry never answers for its referrers',
      2,
      /silent|answer|time/i,
      async () => {
        await push(await smallImage('hanging'), `${faulty.host}/small/hanging:1`);
        faulty.fault(/GET \/v2\/small\/hanging\/referrers/, { hang: true });
        return { name: `${faulty.host}/small/hanging:1`, host: faulty.host };
      },
    ],
  ])('%s', async ([, code, reason, prepare]) => {
    const { name, host } = await prepare();
    const before = await containers();
    const verified = await verify(name, host);
    expect(verified.code, verified.stderr).toBe(code);
    expect(verified.stderr).toMatch(reason);
    const ran = await start(name, host, '/bin/sh');
    expect(ran).toMatchObject({ code: 125, stdout: '' });
    expect(ran.stderr).toMatch(reason);
    expect(await containers()).toBe(before);
  });
});

/**
 * What an attacker with push rights does: lists the referrers of one image under the fallback tag of another.
 */
async function copyReferrers(from: string, digest: string, name: string): Promise<void> {
  const tagOf = (subject: string) => subject.replace(':', '-');
  const [repository = ''] = name.split(/:(?!.*\/)/);
  const base = (reference: string) => `http://${reference.replace('/', '/v2/')}`;
  const moved = (await (await fetch(`${base(from)}/tags/list`)).json()) as { tags: string[] };
  const listing = moved.tags.find((tag) => tag.startsWith('sha256-')) ?? '';
  const type = 'application/vnd.oci.image.index.v1+json';
  const theirs = (await (
    await fetch(`${base(from)}/manifests/${listing}`, { headers: { accept: type } })
  ).json()) as { manifests: { digest: string }[] };
  const ours = (await (
    await fetch(`${base(repository)}/manifests/${tagOf(digest)}`, { headers: { accept: type } })
  ).json()) as { manifests: unknown[] };
  for (const { digest: manifest } of theirs.manifests) {
    const bytes = Buffer.from(
      await (
        await fetch(`${base(from)}/manifests/${manifest}`, {
          headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
        })
      ).arrayBuffer(),
    );
    const { config, layers } = JSON.parse(bytes.toString()) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    for (const blob of [config, ...layers]) {
      await fetch(
        `${base(repository)}/blobs/uploads/?mount=${blob.digest}&from=${from.split('/').slice(1).join('/')}`,
        { method: 'POST' },
      );
    }
    const put = await fetch(`${base(repository)}/manifests/${manifest}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      body: bytes,
    });
    expect(put.ok, `${put.status}`).toBe(true);
  }
  const merged = { ...ours, manifests: [...ours.manifests, ...theirs.manifests] };
  const put = await fetch(`${base(repository)}/manifests/${tagOf(digest)}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body: JSON.stringify(merged),
  });
  expect(put.ok, `${put.status}`).toBe(true);
}

describe('tcf gate', () => {
  const gate = (name: string, kind: string) =>
    here(
      'gate',
      name,
      '--policy',
      `${kind}-${registry.host}.yaml`,
      '--allow-http',
      '--sarif',
      'out.sarif',
      '--summary',
      'summary.md',
    );
  const sarif = () =>
    JSON.parse(readFileSync(at('out.sarif'), 'utf8')) as { runs: { results: { ruleId: string }[] }[] };

  test.for(['baseline', 'strict'])('passes the signed image under %s', async (kind) => {
    const ran = await gate(`${registry.host}/triton/dev:signed`, kind);
    expect(ran.code, ran.stderr).toBe(0);
    expect(sarifProblems(sarif())).toEqual([]);
  });

  test.for<readonly [string, string, string]>([
    [
      'components',
      'a denied package was added',
      `d=$(mktemp -d); mkdir -p $d/DEBIAN; printf 'Package: openssh-server\\nVersion: 1:9.2p1-2\\nArchitecture: amd64\\nMaintainer: Nobody <nobody@example.org>\\nDescription: x\\n' >$d/DEBIAN/control; dpkg-deb --build $d $m/tmp/x.deb >/dev/null; chroot $m dpkg -i /tmp/x.deb >/dev/null; rm -r $m/tmp/x.deb $d`,
    ],
    [
      'llvm',
      'the LLVM pin was moved',
      `sed -i 's/f6ded0be897e2878612dd903f7e8bb85448269e5/1f126a6dea50d185c0781743a667390037ae88bd/g' $m/opt/triton/lib/python3.11/site-packages/triton/_C/libtriton.so`,
    ],
  ])('fails %s under strict after %s', async ([rule, , change]) => {
    const name = `${registry.host}/triton/dev:${rule}`;
    await push(await variant(rule, change), name);
    const signed = await here('sign', name, '--key', 'team.key', '--allow-http');
    expect(signed.code, signed.stderr).toBe(0);
    expect(await gate(name, 'baseline')).toMatchObject({ code: 0 });
    expect(await gate(name, 'strict')).toMatchObject({ code: 1 });
    expect(sarif().runs[0]?.results.map((result) => result.ruleId)).toEqual([rule]);
    expect(sarifProblems(sarif())).toEqual([]);
    expect(readFileSync(at('summary.md'), 'utf8')).toContain(rule);
  });

  test('fails under both when nobody signed', async () => {
    const name = `${registry.host}/small/nobody:1`;
    await push(await smallImage('nobody'), name);
    for (const kind of ['baseline', 'strict']) {
      expect(await gate(name, kind)).toMatchObject({ code: 1 });
    }
    expect(sarif().runs[0]?.results.map((result) => result.ruleId)).toContain('signed');
    expect(sarifProblems(sarif())).toEqual([]);
  });
});

test('two signers at once lose nothing on a registry without referrers', async () => {
  const name = `${registry.host}/small/twice:1`;
  await push(await smallImage('twice'), name);
  const both = await Promise.all(
    ['team', 'mallory'].map((who) => here('sign', name, '--no-sbom', '--key', `${who}.key`, '--allow-http')),
  );
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  for (const who of ['team', 'mallory']) {
    writeFileSync(
      at(`${who}.yaml`),
      `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { one: { keyFile: ${who}.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [one] } } }]\n`,
    );
    expect(await here('verify', name, '--policy', `${who}.yaml`, '--allow-http'), who).toMatchObject({
      code: 0,
    });
  }
});

test('a reader who goes away ends nothing with a stack trace', async () => {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const line = `"${process.execPath}" "${main}" sbom "containers-storage:${image}" | head -c 1`;
  const ran = await run('bash', ['-o', 'pipefail', '-c', line]);
  expect(ran).toMatchObject({ code: 0, stdout: '{' });
  expect(ran.stderr).not.toContain('    at ');
});

test('bad input says what to do and exits 3, and nothing is written', async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['sbom', 'Registry.example/UPPER'], /cannot read .* as an image reference/],
    [['verify', 'oci:somewhere'], /there is no policy/],
    [['gate', 'oci-archive:image.tar', '--policy', `baseline-${registry.host}.yaml`], /works on a registry/],
    [
      ['verify', `${registry.host}/triton/dev:signed`, '--allow-http', '--policy', 'nowhere.yaml'],
      /cannot read the policy/,
    ],
    [['sign', `${registry.host}/triton/dev:signed`, '--allow-http', '--key', 'nowhere.key'], /cannot read/],
    [['keygen', '--output-key-prefix', 'team'], /exists already/],
    [['sbom', 'x', '--spec-version', '1.4'], /does not write cyclonedx-json in version "1.4"/],
  ];
  const before = await must('ls', ['-A', folder.path]);
  for (const [args, message] of cases) {
    const ran = await here(...args);
    expect(ran.code, `${args.join(' ')}: ${ran.stderr}`).toBe(3);
    expect(ran.stderr).toMatch(message);
    expect(ran.stdout).toBe('');
  }
  expect(await must('ls', ['-A', folder.path])).toBe(before);
});
