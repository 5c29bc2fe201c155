import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { TcfError } from '../../src/base/error.ts';
import { formatImageRef } from '../../src/oci/reference.ts';
import { endpointsOf, isInsecure, withoutMirrors } from '../../src/registry/endpoints.ts';
import { parseRegistriesConf } from '../../src/registry/registries-conf.ts';
import { mergeRegistriesConf, type RegistriesConfig } from '../../src/registry/registries-config.ts';
import { loadRegistriesConfig } from '../../src/registry/registries-files.ts';
import { isShortName, resolveName } from '../../src/registry/short-names.ts';
import { folder, testHost } from '../support/host.ts';

const parse = (text: string): RegistriesConfig => parseRegistriesConf(encodeUtf8(text), 'registries.conf');
const config = (...files: readonly string[]): RegistriesConfig => mergeRegistriesConf(files.map(parse));

function meaning(text: string, read: RegistriesConfig): string {
  try {
    return formatImageRef(resolveName(text, read).ref);
  } catch (error) {
    if (error instanceof TcfError) {
      return `${error.code}: ${error.message}`;
    }
    throw error;
  }
}

test.for([
  ['fedora', true],
  ['team/app:1', true],
  ['fedora@sha256:1', true],
  ['localhost/app', false],
  ['localhost:5000/app', false],
  ['quay.io/app', false],
  ['host:5000/app', false],
  ['app:5000', true],
] as const)('%s is short: %s', ([name, short]) => {
  expect(isShortName(name)).toBe(short);
});

const digest = `sha256:${'a'.repeat(64)}`;
const aliases =
  '[aliases]\n"fedora" = "registry.fedoraproject.org/fedora"\n"team/app" = "quay.io/team/app"\n';
test.for([
  ['no configuration', 'alpine', '', 'docker.io/library/alpine:latest'],
  ['an alias', 'fedora', aliases, 'registry.fedoraproject.org/fedora:latest'],
  ['an alias with a tag', 'fedora:41', aliases, 'registry.fedoraproject.org/fedora:41'],
  ['an alias with a digest', `fedora@${digest}`, aliases, `registry.fedoraproject.org/fedora@${digest}`],
  ['an alias of a path', 'team/app', aliases, 'quay.io/team/app:latest'],
  ['a full name beside an alias', 'docker.io/library/fedora', aliases, 'docker.io/library/fedora:latest'],
  [
    'an alias wins over the search list',
    'fedora',
    `unqualified-search-registries = ["quay.io"]\n${aliases}`,
    'registry.fedoraproject.org/fedora:latest',
  ],
  [
    'the only search registry',
    'team/app',
    'unqualified-search-registries = ["quay.io"]',
    'quay.io/team/app:latest',
  ],
  [
    'Docker Hub as the only one',
    'alpine',
    'unqualified-search-registries = ["docker.io"]',
    'docker.io/library/alpine:latest',
  ],
  [
    'the same registry twice',
    'alpine',
    'unqualified-search-registries = ["docker.io", "docker.io"]',
    'docker.io/library/alpine:latest',
  ],
  [
    'two search registries',
    'app',
    'unqualified-search-registries = ["quay.io", "docker.io"]',
    'reference.ambiguous: "app" can mean quay.io/app:latest or docker.io/library/app:latest',
  ],
  ['an empty search list', 'app', 'unqualified-search-registries = []', 'docker.io/library/app:latest'],
  [
    'an alias that is short itself',
    'app',
    '[aliases]\n"app" = "other"',
    'reference.malformed: registries.conf has the short name "other" in place of a full one',
  ],
] as const)('%s decides what a name means', ([, name, text, expected]) => {
  expect(meaning(name, config(text))).toBe(expected);
});

test('a meaning that docker does not share is told, and only that', () => {
  expect(resolveName('fedora', config(aliases)).note).toMatch(
    /as podman reads it; docker reads it as docker\.io\/library\/fedora/,
  );
  expect(resolveName('alpine', config('unqualified-search-registries = ["docker.io"]')).note).toBeUndefined();
  expect(resolveName('quay.io/fedora', config(aliases)).note).toBeUndefined();
});

test('later files win: aliases one by one, tables by prefix, the search list whole; an empty alias is taken away', () => {
  const merged = config(
    'unqualified-search-registries = ["a.io"]\n[aliases]\n"x" = "a.io/x"\n"y" = "a.io/y"\n[[registry]]\nlocation = "a.io"\nblocked = true\n',
    '[aliases]\n"x" = "b.io/x"\n"y" = ""\n[[registry]]\nprefix = "a.io"\nlocation = "b.io"\n',
  );
  expect(meaning('x', merged)).toBe('b.io/x:latest');
  expect(meaning('y', merged)).toBe('a.io/y:latest');
  expect(endpointsOf({ registry: 'a.io', repository: 'z' }, 'latest', merged)).toEqual([
    { registry: 'b.io', repository: 'z' },
  ]);
});

test.for([
  ['an empty list of a later file', 'unqualified-search-registries = []', 'docker.io/library/app:latest'],
  ['a later file that says nothing of it', 'short-name-mode = "enforcing"', 'a.io/app:latest'],
] as const)('%s decides about the list of an earlier one', ([, later, expected]) => {
  expect(meaning('app', config('unqualified-search-registries = ["a.io"]', later))).toBe(expected);
});

test('of two tables with one prefix in one file the first counts', () => {
  const read = config(
    '[[registry]]\nprefix = "a.io"\nlocation = "one.io"\n[[registry]]\nprefix = "a.io"\nlocation = "two.io"',
  );
  expect(endpointsOf({ registry: 'a.io', repository: 'x' }, '1', read)).toEqual([
    { registry: 'one.io', repository: 'x' },
  ]);
});

test.for([
  ['a table without a place', '[[registry]]\nblocked = true', 'has neither a prefix nor a location'],
  ['a prefix without a location', '[[registry]]\nprefix = "a.io"', 'has a prefix and no location'],
] as const)('%s is told', ([, text, expected]) => {
  expect(() => parse(text)).toThrow(new RegExp(`registry\\[0\\] ${expected}`));
});

test.for([
  ['a place that begins with a slash', 'location = "/b.io/team"'],
  ['a place of two lines', 'location = "a.io/team\\nx"'],
  ['a host for a whole repository', 'prefix = "a.io/team/app"\nlocation = "b.io"'],
] as const)('%s makes no address', ([, text]) => {
  const read = config(`[[registry]]\nprefix = "a.io/team/app"\n${text}`.replace(/prefix.*\n(?=prefix)/, ''));
  expect(() => endpointsOf({ registry: 'a.io', repository: 'team/app' }, '1', read)).toThrow(
    /names no repository/,
  );
});

test('a full name is not a short one, whatever the search list and the aliases say', () => {
  const read = config(
    'unqualified-search-registries = ["a.io", "b.io"]\n[aliases]\n"quay.io/app" = "c.io/app"',
  );
  expect(meaning('quay.io/app:1', read)).toBe('quay.io/app:1');
  expect(meaning('localhost/app', read)).toBe('localhost/app:latest');
});

test.for([
  ['no TOML', 'unqualified-search-registries = ['],
  ['a key twice', '[aliases]\n"a" = "x.io/a"\n"a" = "y.io/a"'],
  ['the form of before', '[registries.search]\nregistries = ["docker.io"]\n'],
  ['a table without a place', '[[registry]]\nblocked = true'],
  ['a prefix without a location', '[[registry]]\nprefix = "a.io"'],
  [
    'a word that podman does not know',
    '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "never"',
  ],
  ['a number for a name', 'unqualified-search-registries = [1]'],
  ['a search registry with a path', 'unqualified-search-registries = ["quay.io/team"]'],
  ['a search registry behind something', 'unqualified-search-registries = [" quay.io"]'],
  ['a search registry before something', 'unqualified-search-registries = ["quay.io "]'],
  ['a search registry that is empty', 'unqualified-search-registries = [""]'],
  ['a location with a scheme', '[[registry]]\nlocation = "https://a.io"'],
  ['a prefix with a scheme', '[[registry]]\nprefix = "http://a.io"\nlocation = "b.io"'],
  [
    'a mirror with a scheme',
    '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "https://m.io"',
  ],
  ['a mirror without a place', '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "/"'],
  ['a wildcard with a path', '[[registry]]\nprefix = "*.a.io/team"\nlocation = "b.io"'],
  ['a wildcard with a port', '[[registry]]\nprefix = "*.a.io:5000"\nlocation = "b.io"'],
  ['a mirror setting at a registry', '[[registry]]\nlocation = "a.io"\npull-from-mirror = "all"'],
  [
    'two settings for one mirror',
    '[[registry]]\nlocation = "a.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.io"\npull-from-mirror = "all"',
  ],
  [
    'two words about whether a place is blocked',
    '[[registry]]\nprefix = "a.io"\nlocation = "c.io"\nblocked = true\n[[registry]]\nprefix = "b.io"\nlocation = "c.io"',
  ],
  [
    'two words about whether a place is insecure',
    '[[registry]]\nprefix = "*.a.io"\n[[registry]]\nprefix = "*.a.io"\ninsecure = true',
  ],
] as const)('%s is an error, not another image', ([, text]) => {
  expect(() => parse(text)).toThrow(TcfError);
});

const mirrored = `
[[registry]]
prefix = "example.com/foo"
location = "internal.net/bar"
[[registry.mirror]]
location = "mirror-0.local/for-foo"
[[registry.mirror]]
location = "mirror-1.local:5000/foo"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "mirror-2.local/foo"
pull-from-mirror = "tag-only"
[[registry]]
prefix = "example.com/foo/deep"
location = "example.com/foo/deep"
[[registry]]
prefix = "*.sub.io"
[[registry.mirror]]
location = "sub-mirror.io"
[[registry]]
location = "docker.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "hub.local"
[[registry]]
prefix = "pinned.io/app:1"
location = "other.io/app"
[[registry]]
prefix = "exact.io/app"
location = "moved.io/app"
[[registry]]
location = "host.io"
[[registry.mirror]]
location = "host-mirror.io"
`;
test.for([
  [
    'a tag',
    'example.com/foo/image:1',
    ['mirror-0.local/for-foo/image', 'mirror-2.local/foo/image', 'internal.net/bar/image'],
  ],
  [
    'a digest',
    `example.com/foo/image@${digest}`,
    ['mirror-0.local/for-foo/image', 'mirror-1.local:5000/foo/image', 'internal.net/bar/image'],
  ],
  ['the longest prefix', 'example.com/foo/deep/x:1', ['example.com/foo/deep/x']],
  ['a name that only begins alike', 'example.com/food/x:1', ['example.com/food/x']],
  ['another port', 'example.com:5000/foo/x:1', ['example.com:5000/foo/x']],
  ['a subdomain', 'a.sub.io/x:1', ['sub-mirror.io/x', 'a.sub.io/x']],
  ['no subdomain', 'sub.io/x:1', ['sub.io/x']],
  ['mirrors for digests only, by tag', 'docker.io/library/alpine:3', ['docker.io/library/alpine']],
  [
    'mirrors for digests only, by digest',
    `docker.io/library/alpine@${digest}`,
    ['hub.local/library/alpine', 'docker.io/library/alpine'],
  ],
  ['a prefix with a tag', 'pinned.io/app:1', ['other.io/app']],
  ['a prefix that is the whole repository, by tag', 'exact.io/app:1', ['moved.io/app']],
  ['a prefix that is the whole repository, by digest', `exact.io/app@${digest}`, ['moved.io/app']],
  ['a host', 'host.io/app:1', ['host-mirror.io/app', 'host.io/app']],
  ['the same host with a port', 'host.io:5000/app:1', ['host.io:5000/app']],
  ['a prefix with another tag', 'pinned.io/app:12', ['pinned.io/app']],
] as const)('%s is read where podman reads it', ([, name, expected]) => {
  const [, registry = '', repository = '', reference = ''] =
    /^([^/]+)\/([^@]+?)[:@]((?:sha256:)?[^:]+)$/.exec(name) ?? [];
  const places = endpointsOf({ registry, repository }, reference, config(mirrored));
  expect(places.map((place) => `${place.registry}/${place.repository}`)).toEqual(expected);
  const [written, ...more] = endpointsOf(
    { registry, repository },
    reference,
    withoutMirrors(config(mirrored)),
  );
  expect([written, ...more]).toEqual([{ registry, repository }]);
});

test('a blocked registry is not asked', () => {
  const blocked = config('[[registry]]\nlocation = "bad.io/team"\nblocked = true');
  expect(() => endpointsOf({ registry: 'bad.io', repository: 'team/app' }, '1', blocked)).toThrow(
    /blocks "bad\.io\/team"/,
  );
  expect(endpointsOf({ registry: 'bad.io', repository: 'other/app' }, '1', blocked)).toHaveLength(1);
});

test.for([
  ['registry.io:5000', true],
  ['mirror.io', true],
  ['registry.io', false],
  ['safe.io', false],
  ['safe-mirror.io', false],
] as const)('%s is insecure: %s', ([host, insecure]) => {
  const text =
    '[[registry]]\nlocation = "registry.io:5000/x"\ninsecure = true\n[[registry]]\nlocation = "safe.io"\n[[registry.mirror]]\nlocation = "mirror.io/y"\ninsecure = true\n[[registry.mirror]]\nlocation = "safe-mirror.io"\n';
  expect(isInsecure(host, config(text))).toBe(insecure);
});

const say = (registry: string) => `unqualified-search-registries = ["${registry}"]`;
test.for([
  ['nothing', {}, 'docker.io/library/app:latest'],
  ['the system', { 'etc/containers/registries.conf': say('system.io') }, 'system.io/app:latest'],
  [
    'a drop-in of the system',
    {
      'etc/containers/registries.conf': say('system.io'),
      'etc/containers/registries.conf.d/9.conf': say('drop.io'),
      'etc/containers/registries.conf.d/1.conf': say('early.io'),
      'etc/containers/registries.conf.d/z.txt': say('no.io'),
    },
    'drop.io/app:latest',
  ],
  [
    'a drop-in of the user',
    {
      'etc/containers/registries.conf.d/9.conf': say('drop.io'),
      'home/.config/containers/registries.conf.d/1.conf': say('own.io'),
    },
    'own.io/app:latest',
  ],
  [
    'the user, without what the system says',
    {
      'etc/containers/registries.conf.d/9.conf': say('drop.io'),
      'home/.config/containers/registries.conf': say('user.io'),
    },
    'user.io/app:latest',
  ],
  [
    'a recorded answer',
    {
      'etc/containers/registries.conf': '[aliases]\n"app" = "system.io/app"',
      'home/.cache/containers/short-name-aliases.conf': '[aliases]\n"app" = "asked.io/app"',
    },
    'asked.io/app:latest',
  ],
] as const)('%s says what a short name means', async ([, files, expected]) => {
  using place = folder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place.path, name)), { recursive: true });
    writeFileSync(join(place.path, name), text);
  }
  expect(meaning('app', await loadRegistriesConfig(testHost({ cwd: place.path, uid: 1000 })))).toBe(expected);
});

test.for([
  ['[[registry]]', '[[registry]]\nlocation = "a.io"\nblocked = true', true],
  ['a table with spaces and quotes', ' [[ "registry" ]]\nlocation = "a.io"\nblocked = true', true],
  ['a list of tables', 'registry = [ { location = "a.io", blocked = true } ]', true],
  ['a name with escapes', '[["\\u0072egistry"]]\nlocation = "a.io"\nblocked = true', true],
  ['an alias of that name', '[aliases]\n"registry" = "docker.io/library/registry"', false],
  ['a comment', '# [[registry]] here\n', false],
] as const)('for a full name, %s in a drop-in is read or not: %s', async ([, text, isBlocked]) => {
  using place = folder();
  const drops = join(place.path, 'etc/containers/registries.conf.d');
  mkdirSync(drops, { recursive: true });
  writeFileSync(join(drops, '1.conf'), text);
  const read = await loadRegistriesConfig(testHost({ cwd: place.path, uid: 1000 }), 'full');
  expect(read.registries.some(({ blocked }) => blocked)).toBe(isBlocked);
  expect(read.aliases.size).toBe(0);
});

test('for a full name, a list of short names that cannot be read does not matter', async () => {
  using place = folder();
  const drops = join(place.path, 'etc/containers/registries.conf.d');
  mkdirSync(drops, { recursive: true });
  writeFileSync(join(drops, '1.conf'), '# beside [[registry]]\n[aliases\n');
  const host = testHost({ cwd: place.path, uid: 1000 });
  expect((await loadRegistriesConfig(host, 'full')).registries).toEqual([]);
  await expect(loadRegistriesConfig(host)).rejects.toThrow(/cannot read/);
});

test("the file that is named comes before the user's own", async () => {
  using place = folder();
  const own = join(place.path, 'home/.config/containers');
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'registries.conf'), say('own.io'));
  writeFileSync(join(place.path, 'mine.conf'), say('mine.io'));
  const env = { CONTAINERS_REGISTRIES_CONF: join(place.path, 'mine.conf') };
  const host = testHost({ cwd: place.path, uid: 1000, env });
  expect(meaning('app', await loadRegistriesConfig(host))).toBe('mine.io/app:latest');
});

test('CONTAINERS_REGISTRIES_CONF names another file; a relative one is not looked at', async () => {
  using place = folder();
  writeFileSync(join(place.path, 'mine.conf'), say('mine.io'));
  const read = async (path: string) =>
    meaning(
      'app',
      await loadRegistriesConfig(
        testHost({ cwd: place.path, uid: 1000, env: { CONTAINERS_REGISTRIES_CONF: path } }),
      ),
    );
  expect(await read(join(place.path, 'mine.conf'))).toBe('mine.io/app:latest');
  expect(await read('mine.conf')).toBe('docker.io/library/app:latest');
});
