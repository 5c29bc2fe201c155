import { describe, expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import type { Catalog, Cataloger } from '../../src/catalogers/contract.ts';
import { openScanner, runCataloger, summaryBy } from '../../src/catalogers/run.ts';
import { scanImage } from '../../src/image/scan.ts';
import { memoryImage } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';
import { treeOf } from '../support/tree.ts';

const nothing: Catalog = { components: [], dependencies: [], skipped: [] };
const hostile = Object.create(null) as object;

/** Whatever JavaScript lets somebody throw. */
const thrown = [
  ['an error', new RangeError('Invalid array length'), 'Invalid array length'],
  ['a text', 'no luck', 'no luck'],
  ['nothing', undefined, 'undefined'],
  ['an object that is not a text', hostile, 'an error without a message'],
  ['a text for a terminal', new Error('\u001b[2Jgone'), String.raw`\x1b[2Jgone`],
] as const;

function throwing(error: unknown): never {
  throw error;
}

/** Reads each file it wants, and throws in the one called `bad`. */
const reader = (error: unknown): Cataloger => ({
  name: 'reader',
  wants: (path) => path.startsWith('db/'),
  catalog(tree) {
    for (const found of tree.wanted()) {
      if (Buffer.from(found.content() ?? []).toString() === 'bad') {
        throwing(error);
      }
    }
    return nothing;
  },
});

describe('a cataloger that throws', () => {
  test.for(thrown)('%s', ([, error, message]) => {
    const cataloger = reader(error);
    const tree = treeOf(cataloger, { 'db/a': 'good', 'db/b': 'bad', 'db/c': 'good' });
    expect(runCataloger(cataloger, tree)).toEqual({
      ...nothing,
      skipped: [
        {
          path: 'db/b',
          reason: `the cataloger reader stopped here, and all that it found is left out: ${message}`,
        },
      ],
    });
  });

  test('before it read anything', () => {
    const cataloger: Cataloger = { ...reader(''), catalog: () => throwing('x') };
    expect(runCataloger(cataloger, treeOf(cataloger, {})).skipped[0]?.path).toBe('/');
  });

  test('while it reads what its scanner said, also one that it looks up by name', () => {
    const cataloger: Cataloger<{ readonly size: number }> = {
      name: 'sizes',
      wants: () => false,
      scan: () => ({ push: () => undefined, end: () => ({ size: 3 }) }),
      catalog: (tree) => (tree.observed()[1]?.observation.size === 3 ? throwing('x') : nothing),
    };
    const tree = treeOf(cataloger, { 'bin/a': 'abc', 'bin/b': 'abc' });
    expect(runCataloger(cataloger, tree).skipped[0]?.path).toBe('bin/b');
    const lookUp: Cataloger = {
      ...reader(''),
      catalog: (found) => (found.file('db/a')?.content() === undefined ? nothing : throwing('x')),
    };
    expect(runCataloger(lookUp, treeOf(lookUp, { 'db/a': 'good' })).skipped[0]?.path).toBe('db/a');
  });

  test('later, when it is asked who owns a path: it owns none from then on, and says so once', () => {
    const cataloger: Cataloger = {
      ...reader(''),
      catalog: () => ({ ...nothing, owners: [{ bomRef: 'a', owns: () => throwing('x') }] }),
    };
    const { owners = [], skipped } = runCataloger(cataloger, treeOf(cataloger, {}));
    expect(skipped).toEqual([]);
    expect(owners.map((owner) => [owner.owns('usr/bin/a'), owner.owns('usr/bin/b')])).toEqual([
      [false, false],
    ]);
    expect(skipped.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
      'usr/bin/a: the cataloger reader stopped here, and what a package of it owns is not known: x',
    ]);
  });
});

test.for(['open', 'push', 'end'] as const)(
  'a scanner that throws on %s loses its file only',
  async (when) => {
    const good = { push: () => undefined, end: () => ({ seen: true }) };
    const faulty: Cataloger = {
      name: 'faulty',
      wants: () => false,
      scan(path) {
        if (path !== 'bin/bad') {
          return good;
        }
        return when === 'open' ? throwing('x') : { ...good, [when]: () => throwing('x') };
      },
      catalog: () => nothing,
    };
    const other: Cataloger = { ...faulty, name: 'other', scan: () => good };
    const scanned = await scanImage(
      memoryImage({ layers: [archive(file('bin/bad', 'a'), file('bin/c', 'b'))] }),
      [faulty, other],
    );
    expect(scanned.skipped).toEqual([
      {
        path: 'bin/bad',
        reason: 'the cataloger faulty stopped here, and the file was not read to its end: x',
      },
    ]);
    expect(
      scanned
        .treeFor(faulty)
        .observed()
        .map(({ path }) => path),
    ).toEqual(['bin/c']);
    expect(scanned.treeFor(other).observed()).toHaveLength(2);
  },
);

test('a scanner that is not interested is no scanner', () => {
  expect(openScanner(reader(''), 'a', new Uint8Array(0), [])).toBeUndefined();
});

test('of a content that cannot be summarized all is kept', () => {
  const content = Buffer.from('x');
  expect(summaryBy({ ...reader(''), summarize: () => throwing('x') }, 'db/a', content)).toBe(content);
  expect(summaryBy(reader(''), 'db/a', content)).toBeUndefined();
});

test('one bad line of metadata costs no other package of the image', async () => {
  const metadata = (name: string, more = '') =>
    file(
      `usr/lib/python3/dist-packages/${name}-1.dist-info/METADATA`,
      `Metadata-Version: 2.1\nName: ${name}\nVersion: 1\n${more}`,
    );
  const bom = await makeBom(
    memoryImage({
      layers: [
        archive(
          file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
          file(
            'var/lib/dpkg/status',
            'Package: bash\nStatus: install ok installed\nVersion: 5\nArchitecture: amd64\n',
          ),
          metadata('a', `Requires-Dist: b; python_version < "${'9'.repeat(400)}"\n`),
          metadata('b'),
        ),
      ],
    }),
  );
  expect(bom.components.map(({ name }) => name)).toContain('bash');
});
