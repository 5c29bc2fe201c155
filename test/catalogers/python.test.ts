import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Component } from '../../src/bom/model.ts';
import { toPurl } from '../../src/bom/purl.ts';
import { assemble } from '../../src/catalogers/assemble.ts';
import { dpkg } from '../../src/catalogers/dpkg.ts';
import { osRelease } from '../../src/catalogers/os-release.ts';
import { parseDirectUrl } from '../../src/catalogers/python/direct-url.ts';
import { holds, parseMarker } from '../../src/catalogers/python/markers.ts';
import { parseMetadata } from '../../src/catalogers/python/metadata.ts';
import { parseRequirement } from '../../src/catalogers/python/pep508.ts';
import { python } from '../../src/catalogers/python.ts';
import { subject } from '../support/bom.ts';
import { type Entries, treeOf } from '../support/tree.ts';
import { zip } from '../support/zip.ts';

const site = 'opt/venv/lib/python3.11/site-packages';
const metadata = (name: string, version: string, more = '') =>
  `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${more}\nText\n`;
const catalog = (entries: Entries, before: Readonly<Record<string, readonly string[]>> = {}) =>
  python.catalog(treeOf(python, entries, { before }));
const spelled = ({ name, version }: Component) => `${name} ${version}`;

test("Debian's package and its Python metadata are one thing; what pip put beside it is another", () => {
  const entries: Entries = {
    'etc/os-release': 'ID=debian\nVERSION_ID=12\n',
    'usr/bin/python3': { link: 'python3.11' },
    'usr/bin/python3.11': '',
    'var/lib/dpkg/status':
      'Package: python3-yaml\nStatus: install ok installed\nArchitecture: amd64\nVersion: 6.0-3+b2\n',
    'var/lib/dpkg/info/python3-yaml.list':
      '/usr/lib/python3/dist-packages\n/usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA\n',
    'usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA': metadata('PyYAML', '6.0'),
    'usr/local/lib/python3.11/dist-packages/PyYAML-6.0.2.dist-info/METADATA': metadata('PyYAML', '6.0.2'),
  };
  const runs = [osRelease, dpkg, python].map((cataloger) => ({
    cataloger: cataloger.name,
    catalog: cataloger.catalog(treeOf(cataloger, entries)),
  }));
  const { components } = assemble(subject, runs, [], { unownedExecutables: [] });
  expect(components.map(({ name, components: inner = [] }) => [name, inner.map(spelled)])).toEqual([
    ['debian', []],
    ['python3-yaml', ['PyYAML 6.0']],
    ['PyYAML', []],
  ]);
});

test('a distribution is of the layer that first had this version', () => {
  const path = `${site}/a.dist-info/METADATA`;
  const found = catalog(
    { [path]: metadata('a', '2.0') },
    { [path]: [metadata('a', '1.0'), metadata('a', '2.0', 'Summary: first\n')] },
  );
  expect(found.components[0]?.evidence?.occurrences?.[0]?.layer?.index).toBe(1);
});

test('a distribution owns what its RECORD lists, wherever that lies, and its metadata', () => {
  const found = catalog({
    [`${site}/a-1.dist-info/METADATA`]: metadata('a', '1'),
    [`${site}/a-1.dist-info/RECORD`]: 'a/x.so,sha256=x,1\r\n"a/odd,""name"".py",,\n../../../bin/a,,\n',
  });
  const owns = (path: string) => found.owners?.[0]?.owns(path);
  for (const path of [
    `${site}/a/x.so`,
    `${site}/a/odd,"name".py`,
    'opt/venv/bin/a',
    `${site}/a-1.dist-info/INSTALLER`,
  ]) {
    expect(owns(path), path).toBe(true);
  }
  for (const path of [`${site}/a`, `${site}/a-1.dist-info.bak`, 'opt/venv/bin/b', 'bin/a']) {
    expect(owns(path), path).toBe(false);
  }
});

test('files that are not as RECORD says are told, and what cannot be compared is counted', () => {
  const hash = (text: string) => `sha256=${createHash('sha256').update(text).digest('base64url')}`;
  const found = catalog({
    [`${site}/a-1.dist-info/METADATA`]: metadata('a', '1'),
    [`${site}/a-1.dist-info/RECORD`]: [
      `a/same.py,${hash('same')},4`,
      `a/changed.py,${hash('before')},6`,
      `a/gone.py,${hash('gone')},4`,
      `a/empty.py,${hash('')},0`,
      `a/emptied.py,${hash('full')},4`,
      'a/__pycache__/same.cpython-311.pyc,,',
      `../../../bin/a,${hash('script')},6`,
      'a/old.py,md5=x,3',
      'a-1.dist-info/RECORD,,',
    ].join('\r\n'),
    [`${site}/a/same.py`]: 'same',
    [`${site}/a/changed.py`]: 'after',
    [`${site}/a/empty.py`]: '',
    [`${site}/a/emptied.py`]: '',
    [`${site}/a/old.py`]: 'old',
    'opt/venv/bin/a': 'script',
  });
  const told = found.components[0]?.properties?.filter(({ name }) => name.startsWith('tcf:python:record'));
  expect(told?.map(({ name, value }) => `${name.slice(18)} ${value}`)).toEqual([
    'missing:count 1',
    `missing ${site}/a/gone.py`,
    'modified:count 2',
    `modified ${site}/a/changed.py`,
    `modified ${site}/a/emptied.py`,
    'unchecked:count 2',
  ]);
});

const wheel = {
  [`${site}/a-1.dist-info/METADATA`]: metadata('a', '1'),
};
const sbom = (components: unknown) => JSON.stringify({ bomFormat: 'CycloneDX', components });

test('what an SBOM in a wheel claims is nested in the wheel, marked, and the wheel itself is not repeated', () => {
  const found = catalog({
    ...wheel,
    [`${site}/a-1.dist-info/sboms/auditwheel.cdx.json`]: sbom([
      { name: 'a', purl: 'pkg:pypi/a@1' },
      {
        name: 'libz',
        purl: 'pkg:rpm/centos/zlib@1.2.7',
        components: [{ purl: 'pkg:cargo/adler@1.0.2' }],
      },
      { name: 'nameless' },
    ]),
    [`${site}/a-1.dist-info/sboms/b.spdx.json`]: JSON.stringify({
      spdxVersion: 'SPDX-2.3',
      packages: [
        { name: 'b', externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:generic/b@2' }] },
        { name: 'c' },
      ],
    }),
    'srv/x.cdx.json': sbom([{ purl: 'pkg:pypi/phantom@1' }]),
  });
  expect(found.components.map(spelled)).toEqual(['a 1']);
  const inner = found.components[0]?.components ?? [];
  expect(inner.map(({ purl }) => purl)).toEqual([
    'pkg:rpm/centos/zlib@1.2.7',
    'pkg:cargo/adler@1.0.2',
    'pkg:generic/b@2',
  ]);
  expect(inner.every(({ properties }) => properties?.[0]?.name === 'tcf:python:claimed-by')).toBe(true);
  expect(found.unknownDependencies).toEqual(inner.map(({ bomRef }) => bomRef));
  expect(found.skipped).toEqual([]);
});

test('licence, hash, addresses and needs are kept as the document states them; what only the build ran is no content', () => {
  const sha256 = 'ab'.repeat(32);
  const found = catalog({
    ...wheel,
    [`${site}/a-1.dist-info/sboms/a.cdx.json`]: JSON.stringify({
      bomFormat: 'CycloneDX',
      metadata: { component: { 'bom-ref': 'root', name: 'a' } },
      components: [
        {
          'bom-ref': 'one',
          purl: 'pkg:cargo/one@1',
          licenses: [{ expression: 'MIT OR Apache-2.0' }],
          hashes: [
            { alg: 'SHA-256', content: sha256 },
            { alg: 'SHA-256', content: 'short' },
          ],
          externalReferences: [
            { type: 'vcs', url: 'https://github.com/x/one' },
            { type: 'vcs', url: 'https://u:p@host/x' },
          ],
        },
        {
          'bom-ref': 'two',
          purl: 'pkg:cargo/two@2',
          scope: 'required',
          licenses: [{ license: { id: 'ISC' } }],
        },
        { 'bom-ref': 'cc', purl: 'pkg:cargo/cc@1', scope: 'excluded' },
        { 'bom-ref': 'ask', purl: 'pkg:pypi/filelock' },
      ],
      dependencies: [
        { ref: 'root', dependsOn: ['one', 'cc', 'nothing'] },
        { ref: 'one', dependsOn: ['two', 'cc', 'one'] },
      ],
    }),
  });
  const place = `${site}/a-1.dist-info/sboms/a.cdx.json`;
  const inner = found.components[0]?.components ?? [];
  expect(inner.map(({ purl }) => purl)).toEqual(['pkg:cargo/one@1', 'pkg:cargo/two@2']);
  expect(inner[0]).toMatchObject({
    licenses: [{ acknowledgement: 'declared', expression: 'MIT OR Apache-2.0' }],
    hashes: [{ algorithm: 'SHA-256', value: sha256 }],
    externalReferences: [{ type: 'vcs', url: 'https://github.com/x/one' }],
  });
  expect(found.dependencies).toEqual([
    { ref: `pkg:pypi/a@1#${site}`, dependsOn: [`pkg:cargo/one@1#${place}`] },
    { ref: `pkg:cargo/one@1#${place}`, dependsOn: [`pkg:cargo/two@2#${place}`] },
  ]);
  expect(found.unknownDependencies).toEqual([`pkg:cargo/two@2#${place}`]);
});

test.for([
  ['one that the program names too is listed once, with the licence', 'opt/venv/bin/a', ['one 1'], true],
  ['one in a program of somebody else stays', 'usr/bin/other', ['one 1', 'one 1'], false],
] as const)('a claimed crate: %s', ([, program, expected, hasLicense]) => {
  const claimed = catalog({
    ...wheel,
    [`${site}/a-1.dist-info/RECORD`]: '../../../bin/a,,\n',
    [`${site}/a-1.dist-info/sboms/a.cdx.json`]: sbom([
      { purl: 'pkg:cargo/one@1', licenses: [{ expression: 'MIT' }] },
    ]),
  });
  const occurrences = [{ location: program, layer: { index: 0, diffId: '' } }];
  const crate: Component = {
    bomRef: `pkg:cargo/one@1#${program}`,
    type: 'library',
    name: 'one',
    version: '1',
  };
  const found: Component = {
    bomRef: `a#${program}`,
    type: 'application',
    name: 'a',
    evidence: { identity: [], occurrences },
    components: [{ ...crate, purl: toPurl({ type: 'cargo', name: 'one', version: '1' }) }],
  };
  const runs = [
    { cataloger: 'python', catalog: claimed },
    { cataloger: 'rust-binary', catalog: { components: [found], dependencies: [], skipped: [] } },
  ];
  const all = (components: readonly Component[]): readonly Component[] =>
    components.flatMap((component) => [component, ...all(component.components ?? [])]);
  const crates = all(assemble(subject, runs, [], { unownedExecutables: [] }).components).filter(
    ({ name }) => name === 'one',
  );
  expect(crates.map(spelled)).toEqual(expected);
  expect(crates.some(({ bomRef, licenses }) => bomRef.endsWith(program) && licenses !== undefined)).toBe(
    hasLicense,
  );
});

test.for([
  ['no JSON', '{', 'is not readable JSON'],
  ['XML', '<bom/>', 'is not readable JSON'],
  ['a list', '[]', 'is neither CycloneDX nor SPDX 2 in JSON'],
  ['a thousand levels', `${'{"components":['.repeat(1000)}${']}'.repeat(1000)}`, 'is not readable JSON'],
  [
    'too many components',
    sbom(Array.from({ length: 5001 }, (_, index) => ({ purl: `pkg:generic/x@${index}` }))),
    'lists more than 5000 components',
  ],
] as const)('an SBOM in a wheel that is %s is said to be skipped', ([, content, reason]) => {
  const found = catalog({ ...wheel, [`${site}/a-1.dist-info/sboms/x.json`]: content });
  expect(found.components.map(spelled)).toEqual(['a 1']);
  expect(found.skipped.map((entry) => entry.reason)).toEqual([reason]);
});

test.for([
  ['components that are no list', sbom({ purl: 'pkg:generic/x' })],
  ['components that are numbers', sbom([1, null, 'x'])],
  ['purls that are none', sbom([{ purl: 'x' }, { purl: 7 }, { purl: `pkg:generic/${'x'.repeat(5000)}` }])],
] as const)('an SBOM in a wheel with %s claims nothing', ([, content]) => {
  const found = catalog({ ...wheel, [`${site}/a-1.dist-info/sboms/x.json`]: content });
  expect(found.components[0]?.components).toBeUndefined();
});

const only = (fields: string): Component | undefined =>
  catalog({ [`${site}/a-1.dist-info/METADATA`]: metadata('a', '1', fields) }).components[0];

test.for([
  ['Author: Ada\n', { name: 'Ada' }],
  [
    'Author: Ada\nAuthor-email: ada@x.org\n',
    { name: 'Ada', contacts: [{ name: 'Ada', email: 'ada@x.org' }] },
  ],
  ['Author: Ada\nMaintainer: The team\n', { name: 'The team' }],
  ['Author: Python Foundation\nMaintainer: Bo\n', { name: 'Python Foundation' }],
  ['Author-email: ada@x.org\n', { name: 'ada@x.org', contacts: [{ email: 'ada@x.org' }] }],
  ['Author: UNKNOWN\n', undefined],
] as const)('%j names who answers for it', ([fields, supplier]) => {
  expect(only(fields)?.supplier).toEqual(supplier);
});

test.for([
  ['Home-page: https://github.com/x/y\n', ['https://github.com/x/y']],
  [
    'Home-page: https://github.com/x/y\nProject-URL: Source Code, https://example.org/code\n',
    ['https://example.org/code'],
  ],
  ['Home-page: https://x.github.io\n', []],
] as const)('%j names its repository', ([fields, expected]) => {
  const references = only(fields)?.externalReferences ?? [];
  expect(references.filter(({ type }) => type === 'vcs').map(({ url }) => url)).toEqual(expected);
});

test('a licence text in the metadata is concluded under the digest of its words', () => {
  const sha256 = createHash('sha256').update('All rights reserved.\nReally.').digest('hex');
  const found = only('License: All rights reserved.\n  Really.\n');
  expect(found?.licenses).toEqual([
    { acknowledgement: 'declared', name: 'All rights reserved.' },
    { acknowledgement: 'concluded', expression: `LicenseRef-tcf-${sha256.slice(0, 16)}` },
  ]);
  expect(JSON.stringify(found?.properties)).toContain(
    `SHA-256 ${sha256} of the field License of ${site}/a-1.dist-info/METADATA`,
  );
  expect(only('License: BSD\n')?.licenses).toEqual([{ acknowledgement: 'declared', name: 'BSD' }]);
});

test('what Debian installed is not held against the RECORD from before it was stripped', () => {
  const found = catalog({
    [`${site}/a-1.dist-info/METADATA`]: metadata('a', '1'),
    [`${site}/a-1.dist-info/INSTALLER`]: 'debian\n',
    [`${site}/a-1.dist-info/RECORD`]: 'a.so,sha256=x,1\n',
    [`${site}/a.so`]: 'stripped',
  });
  expect(found.components[0]?.properties?.map(({ name }) => name)).toEqual(['tcf:python:environment']);
});

test.for([
  ['triton', '3.6.0', '', 'f6ded0be897e2878612dd903f7e8bb85448269e5 by release-table'],
  ['triton', '3.99.0', '', 'unknown by release-table'],
  ['speedy', '1', 'speedy/_C/libtriton.so,,\n', 'unknown by release-table'],
  ['speedy', '1', 'speedy/_C/libtritonic.py,,\n', undefined],
  ['tritonclient', '2.50.0', '', undefined],
] as const)('%s %s declares the LLVM that it pins', ([name, version, record, expected]) => {
  const found = catalog({
    [`${site}/${name}-${version}.dist-info/METADATA`]: metadata(name, version),
    [`${site}/${name}-${version}.dist-info/RECORD`]: record,
  });
  const properties = found.components[0]?.properties ?? [];
  expect(properties.find((property) => property.name === 'tcf:triton:pin')?.value).toBe(expected);
});

test.for([
  ['3.6.0', 'w/triton', 'unknown by release-table'],
  ['3.6.0', 'w/triton/python', 'unknown by release-table'],
  ['3.6.0', 'w/other', 'f6ded0be897e2878612dd903f7e8bb85448269e5 by release-table'],
] as const)(
  'triton %s from %s: a source tree with a pin says more than a bare number',
  ([version, from, expected]) => {
    const found = catalog({
      [`${site}/triton-${version}.dist-info/METADATA`]: metadata('triton', version),
      [`${site}/triton-${version}.dist-info/direct_url.json`]: `{"url":"file:///${from}","dir_info":{"editable":true}}`,
      'w/triton/cmake/llvm-info.json': '{}',
      'w/triton/python/triton/__init__.py': '',
      'w/other/triton/__init__.py': '',
    });
    const properties = found.components[0]?.properties ?? [];
    expect(properties.find(({ name }) => name === 'tcf:triton:pin')?.value).toBe(expected);
  },
);

test('a zipped egg is a distribution with its requirements', () => {
  const found = catalog({
    [`${site}/a-1-py3.11.egg`]: zip({
      'a/__init__.py': '',
      'EGG-INFO/PKG-INFO': metadata('a', '1'),
      'EGG-INFO/requires.txt': 'six\n[all]\nb\n',
    }),
    [`${site}/easy-install.pth`]: './a-1-py3.11.egg\n',
    [`${site}/six-1.dist-info/METADATA`]: metadata('six', '1'),
    [`${site}/b-1.dist-info/METADATA`]: metadata('b', '1'),
  });
  expect(found.skipped).toEqual([]);
  expect(found.components.map(spelled)).toEqual(['a 1', 'b 1', 'six 1']);
  expect(found.dependencies[0]).toEqual({
    ref: `pkg:pypi/a@1#${site}`,
    dependsOn: [`pkg:pypi/six@1#${site}`],
  });
});

const info = { 'EGG-INFO/PKG-INFO': metadata('a', '1') };
test.for([
  ['is no zip', Buffer.from('PK')],
  ['is cut', zip(info).subarray(0, -30)],
  ['is cut before its directory', zip(info).subarray(60)],
  ['has no PKG-INFO', zip({ 'a.py': '' })],
  ['unpacks without end', zip({ 'EGG-INFO/PKG-INFO': metadata('a', '1', ' '.repeat(2_000_000)) })],
  ['has requirements without end', zip({ ...info, 'EGG-INFO/requires.txt': 'a'.repeat(2_000_000) })],
] as const)('an egg that %s is said to be unreadable', ([, content]) => {
  const found = catalog({ [`${site}/a-1-py3.11.egg`]: content });
  expect(found.components).toEqual([]);
  expect(found.skipped.map(({ reason }) => reason)).toEqual(['is not a readable egg']);
});

test('no flipped byte of an egg throws', () => {
  const whole = zip({ ...info, 'EGG-INFO/requires.txt': 'six\n' });
  for (const at of whole.keys()) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 0xff;
    expect(() => catalog({ [`${site}/a-1-py3.11.egg`]: flipped })).not.toThrow();
  }
});

test.for([
  ['a name that climbs', metadata('../../x', '1')],
  ['no version', 'Name: a\n\n'],
  ['a version with a blank', metadata('a', '1 2')],
  ['a version that is an escape', metadata('a', '\u001b[0m')],
  ['nothing at all', ''],
  ['bytes', Buffer.from([0xff, 0xfe, 0x00, 0x4e])],
] as const)('metadata with %s is said to be unreadable', ([, content]) => {
  const found = catalog({ [`${site}/a.dist-info/METADATA`]: content });
  expect(found.components).toEqual([]);
  expect(found.skipped).toHaveLength(1);
});

test('no bytes of one distribution disturb another', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (noise, text) => {
      const found = catalog({
        [`${site}/good-1.dist-info/METADATA`]: metadata('good', '1'),
        [`${site}/bad-1.dist-info/METADATA`]: Buffer.concat([
          Buffer.from(`Name: bad\nVersion: 1\nRequires-Dist: ${text}\n`),
          noise,
        ]),
        [`${site}/bad-1.dist-info/RECORD`]: noise,
        [`${site}/bad-1.dist-info/direct_url.json`]: noise,
        [`${site}/bad.pth`]: noise,
        'opt/venv/pyvenv.cfg': noise,
      });
      expect(found.components.map(spelled)).toContain('good 1');
    }),
  );
});

test('no versions in a requirement end the scan', () => {
  const digits = fc.stringMatching(/^[0-9]{1,40}$/);
  const version = fc
    .tuple(digits, digits, fc.constantFrom('', 'a', 'rc', '.post', '.dev', '+'), digits)
    .map(
      ([epoch, release, word, number]) => `${epoch}!${release}.${number}${word}${word === '' ? '' : number}`,
    );
  fc.assert(
    fc.property(version, fc.constantFrom('<', '<=', '==', '!=', '>=', '>', '~='), (text, operator) => {
      const found = catalog({
        [`${site}/a-1.dist-info/METADATA`]: metadata(
          'a',
          text,
          `Requires-Dist: b; python_version ${operator} "${text}"\n`,
        ),
        [`${site}/a-2.dist-info/METADATA`]: metadata('a', '2'),
      });
      expect(found.components).toHaveLength(1);
    }),
  );
});

test('the parent of a virtual environment lends its packages only when asked to', () => {
  const entries = (system: string): Entries => ({
    'opt/venv/pyvenv.cfg': `home = /usr/bin\ninclude-system-site-packages = ${system}\nversion = 3.11.2\n`,
    [`${site}/a-1.dist-info/METADATA`]: metadata('a', '1', 'Requires-Dist: six\n'),
    'usr/lib/python3.11/dist-packages/six-1.dist-info/METADATA': metadata('six', '1'),
  });
  const edges = (system: string) =>
    catalog(entries(system)).dependencies.find(({ ref }) => ref.startsWith('pkg:pypi/a@'))?.dependsOn;
  expect(edges('false')).toEqual([]);
  expect(edges('true')).toEqual(['pkg:pypi/six@1#usr/lib/python3.11/dist-packages']);
});

test('what is asked for and not there is said, where it is asked for on this machine and by somebody', () => {
  const found = catalog({
    [`${site}/a-1.dist-info/METADATA`]: metadata(
      'a',
      '1',
      [
        'Requires-Dist: here',
        'Requires-Dist: Gone[extra] (>=1,<2)',
        'Requires-Dist: cuda==12.8; platform_machine == "x86_64"',
        'Requires-Dist: neon; platform_machine == "aarch64"',
        'Requires-Dist: asked; extra == "x"',
        'Requires-Dist: not-asked; extra == "y"',
        'Requires-Dist: private @ https://user:secret@example.org/private.zip',
        '',
      ].join('\n'),
    ),
    [`${site}/here-1.dist-info/METADATA`]: metadata('here', '1', 'Requires-Dist: a[x]\n'),
    [`${site}/here/_vendor/inner-1.dist-info/METADATA`]: metadata('inner', '1', 'Requires-Dist: nothing\n'),
  });
  const said = found.components.flatMap(({ components = [], name, properties = [] }) =>
    [...properties, ...components.flatMap((inner) => inner.properties ?? [])]
      .filter((property) => property.name === 'tcf:python:requirement:missing')
      .map(({ value }) => `${name}: ${value}`),
  );
  expect(said).toEqual(['a: Gone(>=1,<2)', 'a: asked', 'a: cuda==12.8', 'a: private']);
});

test('extras that ask for each other come to an end', () => {
  const found = catalog({
    [`${site}/a-1.dist-info/METADATA`]: metadata(
      'a',
      '1',
      'Requires-Dist: a[y]; extra == "x"\nRequires-Dist: a[x]; extra == "y"\nRequires-Dist: b; extra == "y"\n',
    ),
    [`${site}/b-1.dist-info/METADATA`]: metadata('b', '1', 'Requires-Dist: A[X]\n'),
  });
  expect(found.dependencies.map(({ dependsOn }) => dependsOn.length)).toEqual([1, 1]);
});

test('fields made of blanks, slashes and brackets cost no time', () => {
  const blanks = ' '.repeat(8000);
  const bad = [
    `a (${blanks}x`,
    `a ==1${blanks}x`,
    `a @${blanks}`,
    `a[${blanks}`,
    `a; ${'('.repeat(8000)}`,
    `a ${'='.repeat(8000)}`,
  ];
  const found = catalog({
    [`${site}/a-1.dist-info/METADATA`]: metadata(
      'a',
      '1',
      `Author-email: ${`x${blanks}<`.repeat(10)}\n${bad.map((text) => `Requires-Dist: ${text}\n`.repeat(100)).join('')}`,
    ),
    'opt/venv/pyvenv.cfg': `home = ${'/'.repeat(1_000_000)}x\n`,
  });
  expect(found.components).toHaveLength(1);
  expect(found.unknownDependencies).toHaveLength(1);
});

const machine = {
  os_name: 'posix',
  platform_machine: 'x86_64',
  python_full_version: '3.11.2',
  python_version: '3.11',
  sys_platform: 'linux',
};

test.for([
  ['python_version >= "3.9"', true],
  ["python_version < '3.9'", false],
  ['python_version > "3.9" and python_version < "3.12"', true],
  ['python_full_version == "3.11.*"', true],
  ['python_full_version >= "3.11.2rc1"', true],
  ['python_version ~= "3.10"', true],
  ['python_version < "9999999999999999999999"', true],
  ['python_version >= "1.9999999999999999999999"', true],
  ['python_version == "9999999999999999999999!3.11"', false],
  ['python_version != "0000000000000000000003.11"', false],
  ['"3.11" == python_version', true],
  ['sys_platform == "win32"', false],
  ['sys_platform == "win32" or os_name == "posix"', true],
  ['sys_platform == "win32" and os_name == "posix" or python_version == "3.11"', true],
  ['sys_platform == "win32" and (os_name == "posix" or python_version == "3.11")', false],
  ['sys.platform == "linux"', true],
  ['platform_machine in "x86_64 aarch64"', true],
  ['platform_machine not  in "x86_64 aarch64"', false],
  ['extra == "Dev_Tools"', true],
  ['extra == "docs"', false],
  ['platform_release >= "5"', false],
] as const)('the marker %s', ([text, expected]) => {
  const marker = parseMarker(text);
  if (marker === undefined) {
    throw new Error('not read');
  }
  expect(holds(marker, machine, 'dev-tools')).toBe(expected);
});

test.for([
  ['nothing', ''],
  ['a variable nobody knows', 'moon_phase == "full"'],
  ['no operator', 'python_version "3"'],
  ['an open bracket', '(python_version > "3"'],
  ['an open quote', 'python_version > "3'],
  ['something after its end', 'os_name == "posix" os_name'],
  ['a thousand brackets', `${'('.repeat(1000)}os_name == "posix"${')'.repeat(1000)}`],
] as const)('a marker with %s is none', ([, text]) => {
  expect(parseMarker(text)).toBeUndefined();
});

test.for([
  ['six', 'six', []],
  ['A.B-c_d', 'A.B-c_d', []],
  ['requests[socks, use_chardet]>=2,<3', 'requests', ['socks', 'use_chardet']],
  ['pytest (>=7.3.2) ; extra == "test"', 'pytest', []],
  ['pip @ https://example.org/pip;v=1.zip ; os_name == "posix"', 'pip', []],
  ['empty[]', 'empty', []],
] as const)('the requirement %s', ([text, name, extras]) => {
  expect(parseRequirement(text)).toMatchObject({ name, extras });
});

test.for([
  ['no name', '>=1'],
  ['an open bracket', 'a[b'],
  ['a version without an operator', 'a 1.0'],
  ['an empty marker', 'a ;'],
  ['a megabyte of name', 'a'.repeat(1_000_000)],
] as const)('a requirement with %s is none', ([, text]) => {
  expect(parseRequirement(text)).toBeUndefined();
});

test('a header holds blank lines of a licence text, and the description holds no fields', () => {
  const fields = parseMetadata(
    Buffer.from('Name: a\nLicense: one\n        \n        two\nVersion: 1\n\nName: not this\n'),
  );
  expect(fields.get('license')).toEqual(['one\n\ntwo']);
  expect(fields.get('version')).toEqual(['1']);
  expect(fields.get('name')).toEqual(['a']);
});

test.for([
  ['a user and a password', 'https://user:secret@host/a.whl'],
  ['a token for a name', 'https://secret@host/a.whl'],
  ['a signed query', 'https://host/a.whl?sig=secret'],
  ['a fragment', 'https://host/a.whl#secret'],
] as const)('a direct URL with %s loses it', ([, url]) => {
  const parsed = parseDirectUrl(Buffer.from(JSON.stringify({ url, archive_info: {} })));
  expect(parsed?.url).toBe('https://host/a.whl');
});

test('a hash that cannot be one is not believed', () => {
  const hash = (value: string) =>
    parseDirectUrl(
      Buffer.from(JSON.stringify({ url: 'https://host/a', archive_info: { hash: `sha256=${value}` } })),
    )?.hashes.length;
  expect(hash('ab'.repeat(32))).toBe(1);
  expect(hash('ab'.repeat(31))).toBe(0);
  expect(hash('zz'.repeat(32))).toBe(0);
});
