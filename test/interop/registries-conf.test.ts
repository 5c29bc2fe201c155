import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { must, pushIndex, type RealRegistry, run, startDockerRegistry, tcfIn } from './support.ts';

const place = folder();
const home = join(place.path, 'home');
const tcf = tcfIn(place.path);
let registry: RealRegistry;
let digest: string;

/** The same file for podman, skopeo and tcf: each reads the one of its user in place of the system's. */
beforeAll(async () => {
  registry = await startDockerRegistry(inject('parts'), place.path);
  digest = await pushDemoImage({ host: registry.host, repository: 'mirrored/app', tag: '1' });
  mkdirSync(join(home, '.config/containers'), { recursive: true });
  writeFileSync(
    join(home, '.config/containers/registries.conf'),
    `unqualified-search-registries = ["first.example", "second.example"]
[aliases]
"shortapp" = "asked.example/team/app"
[[registry]]
prefix = "asked.example/team"
location = "nowhere.invalid/team"
[[registry.mirror]]
location = "${registry.host}/mirrored"
insecure = true
[[registry]]
location = "blocked.example"
blocked = true
`,
  );
  writeFileSync(
    join(place.path, 'policy.yaml'),
    'version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\n' +
      'scopes: [{ match: asked.example, require: { signed: { by: [team] } } }]\n',
  );
  expect(await tcf(['keygen', '--output-key-prefix', 'team'])).toMatchObject({ code: 0 });
  const signed = await tcf(['sign', `${registry.host}/mirrored/app:1`, '--no-sbom', '--key', 'team.key']);
  expect(signed.code, signed.text).toBe(0);
});
afterAll(() => {
  registry.stop();
  place[Symbol.dispose]();
});

const env = {
  HOME: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  CONTAINERS_REGISTRIES_CONF: join(home, '.config/containers/registries.conf'),
};
const podmanArgs = (...args: readonly string[]) => [
  ...['--root', join(place.path, 'storage'), '--runroot', join(place.path, 'run')],
  ...['--storage-driver', 'vfs', ...args],
];
const podman = (...args: readonly string[]) => run(place.path, 'podman', podmanArgs(...args), env);
const verify = (name: string) => tcf(['verify', name, '--policy', 'policy.yaml'], env);

test('skopeo and tcf read the mirror of a registry that is not there, and tcf judges the name that was asked', async () => {
  const name = 'asked.example/team/app:1';
  const inspected = await run(
    place.path,
    'skopeo',
    ['inspect', '--no-tags', '--format', '{{.Digest}}', `docker://${name}`],
    env,
  );
  expect(inspected, inspected.text).toMatchObject({ code: 0, text: expect.stringContaining(digest) });
  const verified = await verify(name);
  expect(verified.code, verified.text).toBe(0);
  expect(verified.text).toContain(`asked.example/team/app@${digest}: allowed`);
});

test('podman and tcf mean the same by an alias', async () => {
  const pulled = await podman('pull', 'shortapp:1');
  expect(pulled.code, pulled.text).toBe(0);
  const listed = await podman('images', '--format', '{{.Repository}}:{{.Tag}}');
  expect(listed.text).toContain('asked.example/team/app:1');
  const verified = await verify('shortapp:1');
  expect(verified.code, verified.text).toBe(0);
  expect(verified.text).toContain('"shortapp:1" is asked.example/team/app:1');
});

test('what podman would try in turn is refused with both meanings, and what it blocks is not asked', async () => {
  const ambiguous = await verify('other');
  expect(ambiguous).toMatchObject({
    code: 3,
    text: expect.stringContaining('first.example/other:latest or second.example/other:latest'),
  });
  expect((await podman('pull', 'blocked.example/app:1')).text).toContain('blocked');
  expect(await verify('blocked.example/app:1')).toMatchObject({
    code: 2,
    text: expect.stringContaining('blocks "blocked.example"'),
  });
});

describe('mirrors of an image for several platforms', () => {
  /** `index`: the same tag leads to another index at the mirror and at the registry itself. */
  const there: Record<'mirror' | 'primary', { index: Digest; image: Digest }> = {
    mirror: { index: '' as Digest, image: '' as Digest },
    primary: { index: '' as Digest, image: '' as Digest },
  };
  /** skopeo of Debian 12 knows no variable for the file, so each file is that of a user. */
  const homeWith = (name: string, text: string) => {
    const path = join(place.path, name);
    mkdirSync(join(path, '.config/containers'), { recursive: true });
    writeFileSync(join(path, '.config/containers/registries.conf'), text);
    return { HOME: path, XDG_CONFIG_HOME: join(path, '.config') };
  };
  let here: Readonly<Record<string, string>>;
  const table = (name: string, ofTable: string, ofMirror = '') =>
    `[[registry]]\nprefix = "${name}.example/team"\nlocation = "${registry.host}/primary"\ninsecure = true\n${ofTable}\n` +
    `[[registry.mirror]]\nlocation = "${registry.host}/mirror"\ninsecure = true\n${ofMirror}\n`;

  beforeAll(async () => {
    for (const side of ['mirror', 'primary'] as const) {
      const repository = `${side}/multi`;
      const image = await pushDemoImage({
        host: registry.host,
        repository,
        tag: 'amd64',
        deb: `only-${side}`,
      });
      const index = (await pushIndex(registry.host, repository, image)).split('@')[1] as Digest;
      there[side] = { index, image };
      const copied = await run(place.path, 'skopeo', [
        ...['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false'],
        `docker://${registry.host}/${repository}@${index}`,
        `docker://${registry.host}/${repository}:1`,
      ]);
      expect(copied.code, copied.text).toBe(0);
      const signed = await tcf(
        ['sign', `${registry.host}/${repository}:1`, '--recursive', '--no-sbom', '--key', 'team.key'],
        env,
      );
      expect(signed.code, signed.text).toBe(0);
    }
    here = homeWith(
      'multi',
      `unqualified-search-registries = ["all.example"]\n[aliases]\n"multi" = "digests.example/team/multi"\n${[
        table('all', ''),
        table('digests', 'mirror-by-digest-only = true'),
        table('only-digests', '', 'pull-from-mirror = "digest-only"'),
        table('only-tags', '', 'pull-from-mirror = "tag-only"'),
      ].join('')}`,
    );
    writeFileSync(
      join(place.path, 'multi.yaml'),
      'version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\n' +
        `scopes: [${['all', 'digests', 'only-digests', 'only-tags'].map((name) => `{ match: ${name}.example, require: { signed: { by: [team] } } }`).join(', ')}]\n`,
    );
  });

  const verified = (name: string) => tcf(['verify', name, '--policy', 'multi.yaml'], here);
  const inspected = (name: string) =>
    run(place.path, 'skopeo', ['inspect', '--no-tags', '--format', '{{.Digest}}', `docker://${name}`], here);
  type Side = 'mirror' | 'primary';

  test.for<readonly [string, Side | undefined, Side | undefined]>([
    ['all', 'mirror', 'mirror'],
    ['digests', 'primary', 'mirror'],
    ['only-digests', 'primary', 'mirror'],
    ['only-tags', 'mirror', undefined],
  ])(
    '%s: skopeo, podman and tcf find the same index by its tag, and by a digest of the mirror',
    async ([name, byTag, byDigest]) => {
      const tagged = `${name}.example/team/multi:1`;
      const pinned = `${name}.example/team/multi@${there.mirror.index}`;
      for (const [reference, side] of [
        [tagged, byTag],
        [pinned, byDigest],
      ] as const) {
        const seen = await inspected(reference);
        const judged = await verified(reference);
        const pulled = await run(place.path, 'podman', podmanArgs('pull', '--quiet', reference), here);
        if (side === undefined) {
          expect([seen.code, pulled.code, judged.code], judged.text).toEqual([1, 125, 2]);
          continue;
        }
        expect(seen, seen.text).toMatchObject({ code: 0, text: expect.stringContaining(there[side].index) });
        expect(judged.code, judged.text).toBe(0);
        expect(judged.text).toContain(`${name}.example/team/multi@${there[side].index}: allowed`);
        expect(pulled.code, pulled.text).toBe(0);
        const known = await run(
          place.path,
          'podman',
          podmanArgs(
            'image',
            'inspect',
            '--format',
            '{{.RepoDigests}}',
            pulled.text.trim().split('\n').at(-1) ?? '',
          ),
          here,
        );
        expect(known.text).toContain(there[side].image);
      }
    },
  );

  test('an alias leads to a registry with mirrors, and the only search registry too', async () => {
    for (const [short, name, side] of [
      ['multi:1', 'digests.example/team/multi', 'primary'],
      ['team/multi:1', 'all.example/team/multi', 'mirror'],
    ] as const) {
      const pulled = await run(place.path, 'podman', podmanArgs('pull', '--quiet', short), here);
      expect(pulled.code, pulled.text).toBe(0);
      const judged = await verified(short);
      expect(judged.code, judged.text).toBe(0);
      expect(judged.text).toContain(`${name}@${there[side].index}: allowed`);
    }
  });

  test('a mirror that has the index and not the platform: the platform comes from the registry, by its digest', async () => {
    const { image, index } = there.mirror;
    const copied = await run(place.path, 'skopeo', [
      ...['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false'],
      `docker://${registry.host}/mirror/multi@${index}`,
      `docker://${registry.host}/primary/half:1`,
    ]);
    expect(copied.code, copied.text).toBe(0);
    const signed = await tcf(
      ['sign', `${registry.host}/primary/half:1`, '--recursive', '--no-sbom', '--key', 'team.key'],
      env,
    );
    expect(signed.code, signed.text).toBe(0);
    // docker-registry takes no index whose manifests are not there, so the mirror loses one afterwards.
    await must(
      run(place.path, 'skopeo', [
        ...['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false'],
        `docker://${registry.host}/primary/half:1`,
        `docker://${registry.host}/mirror/half:1`,
      ]),
    );
    const gone = await fetch(`http://${registry.host}/v2/mirror/half/manifests/${image}`, {
      method: 'DELETE',
    });
    expect(gone.status).toBe(202);
    const judged = await verified('all.example/team/half:1');
    expect(judged.code, judged.text).toBe(0);
    expect(judged.text).toContain(`all.example/team/half@${index}: allowed`);
    const named = await tcf(['sbom', 'all.example/team/half:1', '--platform', 'linux/amd64'], here);
    expect(named.code, named.text.slice(0, 500)).toBe(0);
    expect(named.text).toContain('only-mirror');
  });

  test.for([
    ['a scheme', '[[registry]]\nlocation = "https://a.example"'],
    ['a search registry with a path', 'unqualified-search-registries = ["a.example/team"]'],
    ['a mirror without a place', '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = ""'],
    ['a wildcard with a port', '[[registry]]\nprefix = "*.a.example:5000"\nlocation = "b.example"'],
    [
      'two words about whether a place is blocked',
      '[[registry]]\nprefix = "a.example"\nlocation = "c.example"\nblocked = true\n[[registry]]\nprefix = "b.example"\nlocation = "c.example"',
    ],
    [
      'two settings for one mirror',
      '[[registry]]\nlocation = "a.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "all"',
    ],
  ] as const)('skopeo and tcf refuse a file with %s', async ([, text]) => {
    const bad = homeWith('bad', text);
    expect(
      await run(place.path, 'skopeo', ['inspect', 'docker://all.example/team/multi:1'], bad),
    ).toMatchObject({ code: 1, text: expect.stringMatching(/loading registries configuration/) });
    expect(await tcf(['verify', 'team/multi:1', '--policy', 'multi.yaml'], bad)).toMatchObject({
      code: 2,
      text: expect.stringContaining('registries.conf'),
    });
  });
});
