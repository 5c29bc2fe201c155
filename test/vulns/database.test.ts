import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { folder, testHost } from '../support/host.ts';

/*
 * The database by its verbs: what it is made of, that it is whole, and that a broken one never answers
 * "clean".
 */

const record = (id: string, more: object = {}) => ({
  id,
  modified: '2026-01-01T00:00:00Z',
  affected: [
    {
      package: { ecosystem: 'PyPI', name: 'requests' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.31.0' }] }],
    },
  ],
  ...more,
});
const rustsec = `\`\`\`toml
[advisory]
id = "RUSTSEC-2023-0001"
package = "tokio"
date = "2023-01-04"

[versions]
patched = [">= 1.18.4, < 1.19.0", ">= 1.20.3"]
\`\`\`

# A title of ours
`;
const sbom = (...purls: readonly string[]) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: purls.map((purl) => ({
    type: 'library',
    name: purl.replace(/.*\/|@.*/g, ''),
    version: purl.replace(/.*@|\?.*/g, ''),
    purl,
    'bom-ref': purl,
  })),
});

let place = folder();
let cwd = place.path;
beforeEach(() => {
  place = folder();
  cwd = place.path;
});
afterEach(() => place[Symbol.dispose]());

const bytesOf = (name: string): Buffer => readFileSync(join(cwd, name));

function put(path: string, content: string | Uint8Array | object): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true });
  writeFileSync(
    join(cwd, path),
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
  );
}

async function tcf(...argv: readonly string[]) {
  const host = testHost({ cwd, now: new Date('2026-11-30T00:00:00Z') });
  return { exit: await main(argv, host), out: host.out(), err: host.err() };
}

const built = async (...inputs: readonly string[]) => {
  const { err, exit } = await tcf('db', 'build', ...inputs, '-o', 'db.sqlite');
  expect(err).toContain('wrote ');
  expect(exit).toBe(0);
};

describe('tcf db build', () => {
  test('the same bytes, in whatever order and form the inputs come', async () => {
    put('one/GHSA-1.json', record('GHSA-1'));
    put('two/PYSEC-2.yaml', JSON.stringify(record('PYSEC-2'), undefined, 2));
    put('three/RUSTSEC-2023-0001.md', rustsec);
    await tcf('db', 'build', 'one', 'two', 'three', '-o', 'a.sqlite');
    await tcf('db', 'build', 'three', 'two', 'one', '-o', 'b.sqlite');
    const [a, b] = [bytesOf('a.sqlite'), bytesOf('b.sqlite')];
    expect(a.length).toBeGreaterThan(4096);
    expect(a.equals(b)).toBe(true);
    put('all/x.json', record('GHSA-1'));
    put('all/y.json', record('PYSEC-2'));
    put('all/z.md', rustsec);
    await tcf('db', 'build', 'all', '-o', 'c.sqlite');
    expect(a.equals(bytesOf('c.sqlite'))).toBe(true);
  });

  test('the newest of two records with one id counts, and a withdrawn one is nothing', async () => {
    put('in/old.json', record('GHSA-1', { modified: '2020-01-01T00:00:00Z', affected: [] }));
    put('in/new.json', record('GHSA-1'));
    put('in/gone.json', record('GHSA-2', { withdrawn: '2026-01-02T00:00:00Z' }));
    await built('in');
    put('bom.json', sbom('pkg:pypi/requests@2.28.1'));
    const { exit, out } = await tcf('vulns', 'bom.json', '--db', 'db.sqlite', '--format', 'json');
    expect(exit).toBe(1);
    expect(JSON.parse(out).findings.map(({ id }: { id: string }) => id)).toEqual(['GHSA-1']);
  });

  test('a record that cannot be read is not passed over', async () => {
    put('in/good.json', record('GHSA-1'));
    put('in/bad.json', '{"id": "GHSA-2", "affected": 7}');
    const refused = await tcf('db', 'build', 'in', '-o', 'db.sqlite');
    expect(refused.exit).toBe(2);
    expect(refused.err).toContain('cannot read 1 record; the first is "bad.json"');
    await tcf('db', 'build', 'in', '-o', 'db.sqlite', '--skip-unreadable');
    put('bom.json', sbom('pkg:pypi/requests@2.31.0'));
    const { exit, out } = await tcf('vulns', 'bom.json', '--db', 'db.sqlite');
    expect(out).toContain('cannot tell what 1 record of the database is about');
    expect(exit).toBe(2);
  });

  test.for<[string, string]>([
    ['deep', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`],
    [
      'many versions',
      JSON.stringify(
        record('X-1', {
          affected: [
            {
              package: { ecosystem: 'PyPI', name: 'a' },
              versions: Array.from({ length: 60_000 }, (_, at) => `${at}`),
            },
          ],
        }),
      ),
    ],
    ['not JSON', '{"id": "X-1", "affected": ['],
    ['a key that stands twice', '{"id": "X-1", "id": "X-2", "affected": []}'],
    ['an id with line feeds', JSON.stringify(record('X\n1'))],
  ])('hostile: %s', async ([, text]) => {
    put('in/x.json', text);
    expect(await tcf('db', 'build', 'in', '-o', 'db.sqlite')).toMatchObject({ exit: 2 });
  });

  test('a file that is nothing of all that', async () => {
    put('note.txt', 'hello');
    expect(await tcf('db', 'build', 'note.txt', '-o', 'db.sqlite')).toMatchObject({ exit: 3 });
    expect(await tcf('db', 'build', 'none', '-o', 'db.sqlite')).toMatchObject({ exit: 3 });
    mkdirSync(join(cwd, 'empty'));
    const empty = await tcf('db', 'build', 'empty', '-o', 'db.sqlite');
    expect(empty.err).toContain('the inputs hold no record at all');
    expect(empty.exit).toBe(2);
  });
});

const packages = `Package: curl
Version: 7.88.1-10+deb12u14
Architecture: amd64
Description: x

Package: adduser
Version: 3.134
Architecture: all
`;
const release = (bytes: string, path = 'main/binary-amd64/Packages') => `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Label: Debian-Security
Suite: oldstable-security
Version: 12
Codename: bookworm-security
Date: Sun, 29 Nov 2026 10:00:00 UTC
SHA256:
 ${createHash('sha256').update(bytes).digest('hex')} ${bytes.length} ${path}
-----BEGIN PGP SIGNATURE-----

x
-----END PGP SIGNATURE-----
`;

describe("an index of Debian's archive", () => {
  const curl = (version: string) => sbom(`pkg:deb/debian/curl@${version}?arch=amd64&distro=debian-12`);
  const list = 'lists/mirror.example_debian-security_dists_bookworm-security';

  test.for<[string, string, string | Uint8Array, string]>([
    ['as apt keeps it', `${list}_main_binary-amd64_Packages`, packages, `${list}_InRelease`],
    [
      'of a mirror',
      'lists/dists/bookworm-security/main/binary-amd64/Packages.gz',
      gzipSync(packages),
      'lists/dists/bookworm-security/InRelease',
    ],
  ])('%s', async ([, path, content, at]) => {
    put(path, content);
    put(at, release(packages));
    await built('lists');
    put('old.json', curl('7.88.1-10+deb12u5'));
    const old = await tcf('vulns', 'old.json', '--db', 'db.sqlite');
    expect(old.out).toContain('update curl 7.88.1-10+deb12u5 to 7.88.1-10+deb12u14');
    expect(old.exit).toBe(1);
    put('new.json', curl('7.88.1-10+deb12u14'));
    // The index names updates. Of what has none yet it says nothing, and that is never clean.
    expect(await tcf('vulns', 'new.json', '--db', 'db.sqlite')).toMatchObject({
      exit: 2,
      out: expect.stringContaining('only the index of the archive was asked'),
    });
  });

  test('the lists of a machine as apt leaves them: updates, backports, and archives of others', async () => {
    const suite = (name: string, from: string, to: string): void => {
      put(`lists/mirror.example_dists_${name}_main_binary-amd64_Packages`, packages);
      put(`lists/mirror.example_dists_${name}_InRelease`, release(packages).replace(from, to));
    };
    suite(
      'bookworm-updates',
      'Version: 12\nCodename: bookworm-security',
      'Version: 12-updates\nCodename: bookworm-updates',
    );
    suite('bookworm-backports', 'Origin: Debian\n', 'Origin: Debian\nNotAutomatic: yes\n');
    suite('stable', 'Origin: Debian\n', 'Origin: Docker\n');
    await built('lists');
    const { sources } = JSON.parse((await tcf('db', 'status', '--db', 'db.sqlite', '--json')).out);
    const names = sources.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['Debian-Security bookworm-updates', 'LLVM', 'NVIDIA']);
  });

  test('other bytes than its Release file names, or none at all', async () => {
    put(`${list}_main_binary-amd64_Packages`, packages);
    expect((await tcf('db', 'build', 'lists', '-o', 'db.sqlite')).err).toContain('there is no InRelease');
    put(`${list}_InRelease`, release(`${packages}\n`));
    expect(await tcf('db', 'build', 'lists', '-o', 'db.sqlite')).toMatchObject({ exit: 2 });
  });
});

describe('A-123: a database that is not whole never answers', () => {
  const vulns = async () => await tcf('vulns', 'bom.json', '--db', 'db.sqlite');
  beforeEach(async () => {
    put('in/GHSA-1.json', record('GHSA-1'));
    put('bom.json', sbom('pkg:pypi/requests@2.31.0'));
    await built('in');
    expect(await vulns()).toMatchObject({ exit: 0 });
  });

  test('any byte that was flipped', async () => {
    const whole = bytesOf('db.sqlite');
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const broken = Buffer.from(whole);
        broken[at] = (broken[at] ?? 0) ^ mask;
        put('db.sqlite', broken);
        const { err, exit } = await vulns();
        expect(exit).toBe(2);
        expect(err).toMatch(/is damaged/);
      }),
      {
        numRuns: 60,
        examples: [
          [0, 1],
          [24, 1],
          [60, 1],
          [63, 255],
          [68, 1],
          [96, 1],
          [whole.length - 1, 1],
        ],
      },
    );
  });

  test.for<[string, (whole: Buffer) => Uint8Array]>([
    ['empty', () => new Uint8Array()],
    ['cut', (whole) => whole.subarray(0, whole.length - 4096)],
    ['longer', (whole) => Buffer.concat([whole, Buffer.from('x')])],
    ['text', () => Buffer.from('not a database'.repeat(100))],
  ])('%s', async ([, change]) => {
    put('db.sqlite', change(bytesOf('db.sqlite')));
    expect(await vulns()).toMatchObject({ exit: 2, out: '' });
    expect(await tcf('db', 'verify', 'db.sqlite')).toMatchObject({ exit: 2 });
    expect(await tcf('db', 'import', 'db.sqlite')).toMatchObject({ exit: 2 });
  });

  test('none at all', async () => {
    const { err, exit, out } = await tcf('vulns', 'bom.json');
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain('there is no database of vulnerabilities');
    expect(await tcf('db', 'status')).toMatchObject({ exit: 1 });
  });

  test('what is kept stays where a refresh fails', async () => {
    expect(await tcf('db', 'import', 'db.sqlite')).toMatchObject({ exit: 0 });
    const before = await tcf('db', 'status', '--json');
    put('db.sqlite', 'broken');
    expect(await tcf('db', 'import', 'db.sqlite')).toMatchObject({ exit: 2 });
    expect(await tcf('db', 'status', '--json')).toEqual(before);
    expect(await tcf('vulns', 'bom.json')).toMatchObject({ exit: 0 });
    expect(JSON.parse(before.out).sources.map(({ name }: { name: string }) => name)).toEqual([
      'GHSA',
      'LLVM',
      'NVIDIA',
    ]);
  });

  test('digest and age stand in the answer', async () => {
    const digest = createHash('sha256').update(bytesOf('db.sqlite')).digest('hex');
    const { out } = await vulns();
    expect(out).toContain(`sha256:${digest}, 314 days old`);
    await tcf('db', 'build', 'in', '-o', 'db.sqlite', '--taken', '2026-11-28T00:00:00Z');
    expect((await vulns()).out).toContain('2 days old');
    expect(await tcf('db', 'build', 'in', '-o', 'x', '--taken', 'today')).toMatchObject({ exit: 3 });
  });
});

test("GitLab's container scanning report", async () => {
  put('in/GHSA-1.json', record('GHSA-1', { aliases: ['CVE-2023-32681'] }));
  put('bom.json', sbom('pkg:pypi/requests@2.28.1', 'pkg:conda/a@1'));
  await built('in');
  const { out } = await tcf('vulns', 'bom.json', '--db', 'db.sqlite', '--format', 'gitlab');
  const { scan, version, vulnerabilities } = JSON.parse(out);
  expect(version).toMatch(/^15\.\d+\.\d+$/);
  expect(scan).toMatchObject({
    type: 'container_scanning',
    status: 'success',
    messages: [{ level: 'warn' }],
  });
  expect(scan.start_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  expect(vulnerabilities).toMatchObject([
    {
      severity: 'Unknown',
      location: { dependency: { package: { name: 'requests' }, version: '2.28.1' }, image: 'bom.json' },
      identifiers: [
        { type: 'cve', value: 'CVE-2023-32681' },
        { type: 'ghsa', value: 'GHSA-1' },
      ],
    },
  ]);
  expect(vulnerabilities[0].id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
});

describe('VEX', () => {
  const vex = (statement: object) => ({
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://example.org/vex/1',
    author: 'Ann',
    timestamp: '2026-11-01T00:00:00Z',
    version: 1,
    statements: [statement],
  });
  const ask = async (statement: object) => {
    put('in/GHSA-1.json', record('GHSA-1', { aliases: ['CVE-2023-32681'] }));
    put('bom.json', sbom('pkg:pypi/requests@2.28.1'));
    put('ann.vex.json', vex(statement));
    await built('in');
    return await tcf('vulns', 'bom.json', '--db', 'db.sqlite', '--vex', 'ann.vex.json');
  };
  const product = { products: [{ '@id': 'pkg:pypi/requests@2.28.1' }] };

  test.for<[string, object, number, string]>([
    [
      'not affected, by the package',
      {
        vulnerability: { name: 'CVE-2023-32681' },
        status: 'not_affected',
        justification: 'vulnerable_code_not_in_execute_path',
        ...product,
      },
      0,
      'no known vulnerability',
    ],
    [
      'by any version of the package',
      { vulnerability: { name: 'GHSA-1' }, status: 'fixed', products: [{ '@id': 'pkg:pypi/requests' }] },
      0,
      'no known vulnerability',
    ],
    [
      'another version',
      {
        vulnerability: { name: 'CVE-2023-32681' },
        status: 'fixed',
        products: [{ '@id': 'pkg:pypi/requests@2.0' }],
      },
      1,
      'its products are neither this image nor a component that has CVE-2023-32681',
    ],
    [
      'another vulnerability',
      { vulnerability: { name: 'CVE-2020-1' }, status: 'fixed', ...product },
      1,
      'no component has CVE-2020-1',
    ],
    ['no product', { vulnerability: { name: 'CVE-2023-32681' }, status: 'fixed' }, 1, 'it names no product'],
    [
      'still looked into',
      { vulnerability: { name: 'CVE-2023-32681' }, status: 'under_investigation', ...product },
      1,
      '1 vulnerability',
    ],
  ])('%s', async ([, statement, exit, said]) => {
    const answer = await ask(statement);
    expect(answer.out).toContain(said);
    expect(answer.exit).toBe(exit);
  });

  test('what tcf writes as VEX, tcf reads', async () => {
    await ask({ vulnerability: { name: 'CVE-2020-1' }, status: 'fixed', ...product });
    for (const format of ['openvex', 'cyclonedx-vex']) {
      await tcf('vulns', 'bom.json', '--db', 'db.sqlite', '--format', format, '-o', 'own.vex.json');
      const text = readFileSync(join(cwd, 'own.vex.json'), 'utf8')
        .replace('"affected"', '"fixed"')
        .replace('"exploitable"', '"resolved"');
      put('own.vex.json', text);
      expect(await tcf('vulns', 'bom.json', '--db', 'db.sqlite', '--vex', 'own.vex.json')).toMatchObject({
        exit: 0,
      });
    }
  });
});
