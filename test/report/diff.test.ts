import { expect, test } from 'vitest';
import { diffBoms } from '../../src/bom/diff.ts';
import { parseSbom } from '../../src/bom/read.ts';
import { toDiffJson } from '../../src/report/diff-json.ts';
import { toDiffMarkdown } from '../../src/report/diff-markdown.ts';
import { toDiffText } from '../../src/report/diff-text.ts';

const document = (name: string, tool: string, ...components: readonly object[]): unknown => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.7',
  metadata: {
    tools: { components: [{ name: tool, version: '1' }] },
    component: { type: 'container', name },
  },
  components,
  compositions: [{ aggregate: 'incomplete' }],
});

const llvm = (commit: string, owner: string, pin: string): object => ({
  type: 'library',
  name: 'llvm',
  version: `22.0.0git+${commit.slice(0, 8)}`,
  properties: [
    { name: 'tcf:llvm:role', value: 'core' },
    { name: 'tcf:llvm:pin', value: pin },
    { name: 'tcf:llvm:observed', value: `${commit} by lld-version` },
    { name: 'tcf:llvm:repository', value: `${owner}/llvm-project by observation` },
  ],
});

const pip = (name: string, version: string, license: string): object => ({
  type: 'library',
  name,
  version,
  purl: `pkg:pypi/${encodeURIComponent(name)}@${version}`,
  licenses: [{ license: { name: license } }],
});

const a = 'a'.repeat(40);
const b = 'b'.repeat(40);

const diff = diffBoms(
  parseSbom(
    document('old', 'tcf', llvm(a, 'llvm', 'match'), pip('six', '1', 'MIT'), pip('gone', '1', 'MIT')),
    'a',
  ),
  parseSbom(
    document(
      'new',
      'syft',
      llvm(b, 'triton-lang', 'mismatch'),
      pip('six', '2', 'ISC'),
      pip('evil|@all\u001b[2J<b>', '1', 'MIT'),
    ),
    'b',
  ),
);

test('text says the LLVM first, warns of what makes the lists unsure, and escapes what strangers wrote', () => {
  expect(toDiffText(diff)).toBe(`old → new
! the documents were written by tcf 1 and syft 1: some differences may come from the tools
! the old document does not claim to be complete
! the new document does not claim to be complete

LLVM
  ~ the core LLVM moved: ${a.slice(0, 12)} (llvm/llvm-project, 22.0.0git+aaaaaaaa, as pinned) → ${b.slice(0, 12)} (triton-lang/llvm-project, 22.0.0git+bbbbbbbb, NOT as pinned)

added: 1
  + pypi evil|@all\\x1b[2J<b> 1

removed: 1
  - pypi gone 1

changed: 1
  ~ pypi six 1 → 2; licences MIT → ISC

unchanged: 0
`);
});

test('Markdown mentions nobody and holds no markup of strangers', () => {
  const text = toDiffMarkdown(diff);
  expect(text).toContain('## old → new');
  expect(text).toContain('<details open><summary>Added: 1</summary>');
  expect(text).not.toContain('@all');
  expect(text).not.toContain('<b>');
  expect(text).toContain('- pypi six 1 → 2; licences MIT → ISC');
});

test('Markdown shows two hundred of a list and counts the rest', () => {
  const many = Array.from({ length: 250 }, (_, at) => pip(`p${at}`, '1', 'MIT'));
  const text = toDiffMarkdown(
    diffBoms(parseSbom(document('o', 'tcf'), 'a'), parseSbom(document('n', 'tcf', ...many), 'b')),
  );
  expect(text).toContain('Added: 250');
  expect(text).toContain('- and 50 more');
});

test('JSON tells both sides of every change', () => {
  const json: unknown = JSON.parse(toDiffJson(diff));
  expect(json).toMatchObject({
    format: 'tcf.diff/1',
    old: { name: 'old', tools: ['tcf 1'], complete: false },
    new: { name: 'new', tools: ['syft 1'], complete: false },
    added: [{ version: '1' }],
    removed: [{ name: 'gone' }],
    changed: [
      { aspects: ['version', 'pin'], before: { llvm: { 'tcf:llvm:pin': 'match' } } },
      { aspects: ['version', 'licenses'], before: { version: '1' }, after: { version: '2' } },
    ],
    unchanged: 0,
  });
});

test('a package that is gone for one architecture says for which; a place is named where it tells two apart', () => {
  const deb = (arch: string, location: string): object => ({
    type: 'library',
    name: 'libc6',
    version: '2.36',
    purl: `pkg:deb/debian/libc6@2.36?arch=${arch}`,
    evidence: { occurrences: [{ location }] },
  });
  const said = (before: readonly object[], after: readonly object[]): string =>
    toDiffText(
      diffBoms(
        parseSbom(document('a', 'tcf', ...before), 'a'),
        parseSbom(document('b', 'tcf', ...after), 'b'),
      ),
    );
  const status = 'var/lib/dpkg/status';
  const [amd64, i386] = [deb('amd64', status), deb('i386', status)];
  expect(said([amd64, i386], [amd64])).toContain('  - deb libc6 2.36 i386\n');
  expect(said([amd64], [amd64, i386])).toContain('  + deb libc6 2.36 i386\n');
  expect(said([amd64, deb('amd64', 'srv/status')], [amd64])).toContain(
    '  - deb libc6 (srv/status) 2.36 amd64\n',
  );
});
