import { describe, expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import type { Bom, Component } from '../../src/bom/model.ts';
import { memoryImage } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

/*
 * The same database, written by another editor or program: what its package manager would still read is
 * found, and what it would not read is told. Nothing is lost in silence.
 */

const site = 'opt/v/lib/python3.12/site-packages';
const release = 'ID=debian\nVERSION_ID=12\n';
const stanza = (name: string): string =>
  `Package: ${name}\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\nDescription: x\n é\n`;

/** A text of each cataloger that reads some, with packages called `first` and `last`. */
const texts: Readonly<Record<string, readonly [path: string, text: string]>> = {
  'the status of dpkg': ['var/lib/dpkg/status', `${stanza('first')}\n${stanza('last')}`],
  'the database of apk': [
    'lib/apk/db/installed',
    'P:first\nV:1.0-r0\nA:x86_64\nT:é\n\nP:last\nV:1.0-r0\nA:x86_64\nT:x\n\n',
  ],
  'METADATA of Python': [
    `${site}/first-1.0.dist-info/METADATA`,
    'Metadata-Version: 2.4\nName: first\nVersion: 1.0\nAuthor: é\n\nlast\n',
  ],
  'a package of conda': [
    'opt/conda/conda-meta/first-1.0-0.json',
    '{\n  "name": "first",\n  "version": "1.0",\n  "build": "0",\n  "summary": "é, last"\n}\n',
  ],
  'a package of npm': [
    'usr/lib/node_modules/first/package.json',
    '{\n  "name": "first",\n  "version": "1.0.0",\n  "description": "é, last"\n}\n',
  ],
  'a manifest of rpm': [
    'var/lib/rpmmanifest/container-manifest-2',
    ['first', 'last']
      .map(
        (name) => `${name}\t1.0-1\t1700000000\t1700000000\té\t(none)\t1\tnoarch\t0\t${name}-1.0-1.src.rpm\n`,
      )
      .join(''),
  ],
};

const utf16 = (text: string, littleEndian: boolean): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return littleEndian ? bytes : bytes.swap16();
};

/** Spellings, and whether the package managers themselves read them. */
const spellings: Readonly<Record<string, (text: string) => string | Uint8Array>> = {
  'as it is': (text) => text,
  'with CR LF': (text) => text.replaceAll('\n', '\r\n'),
  'with a byte order mark': (text) => `\ufeff${text}`,
  'in UTF-16, low byte first': (text) => utf16(text, true),
  'in UTF-16, high byte first': (text) => utf16(text, false),
  'in Latin-1': (text) => Buffer.from(text, 'latin1'),
  'without its last line feed': (text) => text.replace(/\n+$/, ''),
  'with blank lines before it': (text) => `\n\n${text}`,
  'with blanks at the ends of lines': (text) => text.replaceAll('\n', ' \t\n'),
  'twice the same': (text) => `${text}\n${text}`,
  'with zeros behind it': (text) => `${text}${'\0'.repeat(512)}`,
  'with keys in small letters': (text) =>
    text.replaceAll(/^([A-Z][A-Za-z-]+)(?=:)/gm, (key) => key.toLowerCase()),
  'with keys in capitals': (text) => text.replaceAll(/^([A-Z][A-Za-z-]+)(?=:)/gm, (key) => key.toUpperCase()),
};

const namesIn = (components: readonly Component[]): readonly string[] =>
  components.flatMap(({ components: nested = [], name }) => [name, ...namesIn(nested)]);
const isTold = ({ properties }: Bom): boolean =>
  properties.some(({ name }) => /^tcf:(?:left-out|skipped)$/.test(name));
const isComplete = ({ compositions }: Bom): boolean =>
  compositions.some(
    ({ aggregate, assemblies, dependencies }) =>
      aggregate === 'complete' && assemblies === undefined && dependencies === undefined,
  );

describe.for(Object.entries(texts))('%s', ([, [path, text]]) => {
  test.for(Object.entries(spellings))('%s', async ([, spell]) => {
    const layer = archive(file('etc/os-release', release), file(path, spell(text)));
    const bom = await makeBom(memoryImage({ layers: [layer] }), undefined, { jobs: 1 });
    const names = namesIn(bom.components);
    const expected = [
      'first',
      ...(/^(?:P:|Package: )?last\b/m.test(text) && !path.includes('METADATA') ? ['last'] : []),
    ];
    const lost = expected.filter((name) => !names.includes(name));
    if (lost.length > 0) {
      expect([lost, isTold(bom), isComplete(bom)]).toEqual([lost, true, false]);
    }
    expect(names.filter((name) => name === 'first').length).toBeLessThanOrEqual(1);
  });
});

/** Where the last record of a database begins; METADATA has no end that could be missed. */
const cuttable = Object.entries(texts).filter(([name]) => !/METADATA/.test(name));

test.for(cuttable)('%s, cut at any place of its last record: whole, or told', async ([, [path, text]]) => {
  const begin = Math.max(
    0,
    text.lastIndexOf('Package: '),
    text.lastIndexOf('P:'),
    text.lastIndexOf('last\t'),
  );
  const name = begin === 0 ? 'first' : 'last';
  const read = async (content: string): Promise<Bom> =>
    makeBom(
      memoryImage({ layers: [archive(file('etc/os-release', release), file(path, content))] }),
      undefined,
      {
        jobs: 1,
      },
    );
  const versionIn = ({ components }: Bom): string | undefined =>
    components.find((component) => component.name === name)?.version;
  const whole = versionIn(await read(text));
  expect(whole).toBeDefined();
  for (let end = begin + 1; end < text.length; end += 1) {
    const bom = await read(text.slice(0, end));
    expect(isTold(bom) || versionIn(bom) === whole, JSON.stringify(text.slice(begin, end))).toBe(true);
  }
});

test.for(Object.entries(spellings).filter(([name]) => !/UTF-16/.test(name)))(
  'os-release %s says what the image is',
  async ([, spell]) => {
    const layer = archive(file('etc/os-release', spell('NAME="Débian"\nID=debian\nVERSION_ID="12"\n')));
    const { components } = await makeBom(memoryImage({ layers: [layer] }), undefined, { jobs: 1 });
    expect(components.map(({ name, version }) => [name, version])).toEqual([['debian', '12']]);
  },
);
