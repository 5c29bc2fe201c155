import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatLock } from '../../../src/app/lock/format-lock.ts';
import { inputsOf } from '../../../src/app/lock/inputs.ts';
import { lockChanges } from '../../../src/app/lock/lock-changes.ts';
import { parseLock, toLockJsonSchema } from '../../../src/app/lock/parse-lock.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { formatLockDifferences } from '../../../src/report/lock-table.ts';

const hash = 'ab'.repeat(32);
const other = 'cd'.repeat(32);
const head = `version: 1
image: tool
platform: linux/amd64
epoch: "2026-11-30T00:00:00Z"
compression: zstd
base: { lock: ../base }
`;
const wheel = (name: string, version: string, sha256 = hash): string =>
  `  - { name: ${name}, version: "${version}", sha256: "${sha256}", file: ${name.replaceAll('-', '_')}-${version}-py3-none-any.whl }\n`;
const python = (...wheels: readonly string[]): string =>
  `python:\n  version: "3.13"\n  wheels:\n${wheels.join('')}`;
const file = (url: string): string => `files: [{ name: gosu, sha256: "${hash}", url: "${url}" }]\n`;
const debian = (deb: string): string => `debian:\n  suite: trixie\n  packages:\n    - { ${deb} }\n`;
const deb = `name: git, version: "1:2", sha256: "${hash}", size: 7, path: pool/main/g/git/git_2_amd64.deb`;

const images = join(import.meta.dirname, '../../../images');

describe('the locks of our images', () => {
  const names = readdirSync(images).filter((name) => existsSync(join(images, name, 'lock.yaml')));

  test.for(names)('%s is written as tcf writes it, and every input has a hash', (name) => {
    const text = readFileSync(join(images, name, 'lock.yaml'), 'utf8');
    const lock = parseLock(text, name);
    expect(formatLock(lock)).toBe(text);
    for (const { digest, source } of inputsOf(lock, join(images, name))) {
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      // The archive and the index are those that the machine is configured with: no host of one stands in a
      // lock.
      expect(source?.kind).toMatch(/^(?:archive|index|path)$/);
      if (source?.kind === 'path') {
        // The home of what images share has changed: tcf lock update.
        expect(digest).toBe(digestOf(readFileSync(source.path)));
      }
    }
    expect(text).not.toMatch(/:\/\//);
  });

  test('cpu pins a release of Triton and the LLVM in it', () => {
    const lock = parseLock(readFileSync(join(images, 'cpu/lock.yaml'), 'utf8'), 'cpu');
    const triton = lock.python?.wheels.find(({ name }) => name === 'triton');
    expect(triton?.version).toBe(lock.want?.triton);
    expect(lock.llvm?.find(({ role }) => role === 'core')?.commit).toMatch(/^[0-9a-f]{40}$/);
  });
});

test.for([
  ['an unknown key', `${head}debain: {}\n`, /does not know the key "debain"/],
  ['a hash that is cut', `${head}${python(wheel('numpy', '2', hash.slice(1)))}`, /sha256 is not a SHA-256/],
  [
    'a hash in upper case',
    `${head}${python(wheel('numpy', '2', hash.toUpperCase()))}`,
    /sha256 is not a SHA-256/,
  ],
  [
    'a wheel without a hash',
    `${head}${python('  - { name: a, version: "1", file: a-1-py3-none-any.whl }\n')}`,
    /sha256 is missing/,
  ],
  ['plain http', `${head}${file('http://files.example/gosu')}`, /url is not an https: URL/],
  ['a password', `${head}${file('https://u:p@files.example/gosu')}`, /url is not an https: URL/],
  [
    'the address of a wheel, which is the matter of an index',
    `${head}${python(wheel('a', '1').replace(' }', ', url: https://x.example/a.whl }'))}`,
    /does not know the key "url"/,
  ],
  [
    'the address of an archive',
    `${head}${debian(deb).replace('suite: trixie', 'suite: trixie\n  mirrors: { main: https://deb.example/debian }')}`,
    /does not know the key "mirrors"/,
  ],
  [
    'a source in place of a wheel',
    `${head}${python(wheel('a', '1').replace('-py3-none-any.whl', '.tar.gz'))}`,
    /file is not the file name of a wheel/,
  ],
  [
    'a wheel that lies in a folder',
    `${head}${python(wheel('a', '1').replace('file: ', 'file: ../'))}`,
    /file is not the file name of a wheel/,
  ],
  [
    'a wheel of something else',
    `${head}${python(wheel('a', '1').replace('file: a-', 'file: b-'))}`,
    /is a 1, and its file b-1-py3-none-any\.whl/,
  ],
  [
    'a wheel of another version',
    `${head}${python(wheel('a', '1').replace('file: a-1', 'file: a-2'))}`,
    /is a 1, and its file a-2-py3-none-any\.whl/,
  ],
  [
    'one distribution in two spellings',
    `${head}${python(wheel('Foo_Bar', '1'), wheel('foo-bar', '2'))}`,
    /foo-bar twice in python\.wheels/,
  ],
  [
    'a path out of the mirror',
    `${head}${debian(deb.replace('pool/main', 'pool/../..'))}`,
    /path is not the path of a package/,
  ],
  ['a size of nothing', `${head}${debian(deb.replace('size: 7', 'size: 0'))}`, /size is too small/],
  ['a base by tag', head.replace('{ lock: ../base }', '{ image: quay.io/a/b:1 }'), /digest is missing/],
  ['a base far away', head.replace('../base', '../../../etc'), /lock is not a folder beside this one/],
  [
    'a suite without packages',
    head.replace('{ lock: ../base }', '{ debootstrap: sid }'),
    /no packages of that suite/,
  ],
  [
    'a tarball that nothing checks',
    `${head}llvm: [{ role: core, commit: abcdef12, in: tarball }]\n`,
    /anything could be in it/,
  ],
  [
    'two LLVMs of one role',
    `${head}llvm: [{ role: core, commit: abcdef12, in: wheel }, { role: core, commit: abcdef13, in: wheel }]\n`,
    /core wheel twice in llvm/,
  ],
  ['a year before zip', head.replace('2026-', '1970-'), /epoch is not a time/],
  ['an alias', `${head}notes: [&a x, *a]\n`, /anchors and aliases/],
  ['nothing', '', /is not a mapping/],
] as const)('%s is refused, with its place', ([, text, message]) => {
  expect(() => parseLock(text, 'lock.yaml')).toThrow(message);
});

test('what moved is one line for each input, and other bytes under the same version are told', () => {
  const before = parseLock(`${head}${python(wheel('a', '1'), wheel('b', '1'), wheel('c', '1'))}`, 'before');
  const after = parseLock(
    `${head}${python(wheel('a', '2', other), wheel('b', '1', other), wheel('d', '1'))}`,
    'after',
  );
  expect(formatLockDifferences(lockChanges(before, after))).toBe(
    '~ wheel a 1 -> 2\n~ wheel b 1, other bytes under the same version\n- wheel c 1\n+ wheel d 1\n',
  );
});

test('text that YAML would take for something else comes back as it was', () => {
  for (const note of [
    'yes',
    '1.0',
    'null',
    '- a',
    '# b',
    "it's: {x}",
    '\u2028',
    'https://a.example/#b',
    '  x',
    '@a',
    '🙂',
  ]) {
    const lock = { ...parseLock(head, 'x'), notes: [note] };
    expect(parseLock(formatLock(lock), 'again').notes).toEqual([note]);
  }
});

test('the JSON Schema is that of the reader', () => {
  expect(toLockJsonSchema()).toMatchObject({
    required: ['version', 'image', 'platform', 'epoch', 'compression', 'base'],
    additionalProperties: false,
  });
});
