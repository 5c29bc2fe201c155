import { expect, test } from 'vitest';
import { parseBomContents } from '../../src/bom/contents.ts';
import { toLicensesText } from '../../src/report/inside/licenses-text.ts';
import { toOverviewText } from '../../src/report/inside/overview-text.ts';
import { formatTree, toTree, toWhyTree } from '../../src/report/inside/tree-text.ts';

const hostile = '\u001b[2J\u202e<script>alert(1)</script>';
const component = (name: string, more: object = {}) => ({
  type: 'library',
  'bom-ref': name,
  name,
  version: '1',
  purl: `pkg:pypi/${encodeURIComponent(name)}@1`,
  ...more,
});
const contents = parseBomContents(
  {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { component: { type: 'container', name: 'dev' } },
    components: [
      component('app', {
        licenses: [{ expression: 'MIT' }],
        properties: [{ name: 'tcf:size', value: '2048' }],
      }),
      component('left'),
      component('right'),
      component('circle-a'),
      component('circle-b'),
      component(hostile),
      { type: 'operating-system', 'bom-ref': 'os', name: 'debian', version: '12' },
    ],
    dependencies: [
      { ref: 'app', dependsOn: ['left', 'right'] },
      { ref: 'left', dependsOn: ['right'] },
      { ref: 'right', dependsOn: [hostile] },
      { ref: 'circle-a', dependsOn: ['circle-b'] },
      { ref: 'circle-b', dependsOn: ['circle-a'] },
      { ref: 'os', dependsOn: ['app', 'left', 'right'] },
    ],
  },
  'the SBOM',
);
const shown = '\\x1b[2J\\u202e<script>alert(1)</script>';

test('the tree begins with what nothing needs, unfolds each once, and leaves no circle out', () => {
  expect(formatTree(toTree(contents, 'dependency'), 200, 9)).toBe(`app 1 (pypi)  2 KiB
├─ left 1 (pypi)
│  └─ right 1 (pypi)
│     └─ ${shown} 1 (pypi)
└─ right 1 (pypi) …
circle-a 1 (pypi)
└─ circle-b 1 (pypi)
   └─ circle-a 1 (pypi) …
`);
});

test('why: who needs it, up to what nothing needs', () => {
  expect(formatTree(toWhyTree(contents, hostile) ?? [], 200, 9)).toBe(`${shown} 1 (pypi)
└─ right 1 (pypi)
   ├─ app 1 (pypi)  2 KiB
   └─ left 1 (pypi)
      └─ app 1 (pypi)  2 KiB
`);
  expect(toWhyTree(contents, 'nothing')).toBeUndefined();
});

test.for([20, 40, 80])('no line is wider than %s columns', (columns) => {
  const pages = [
    toOverviewText(contents, 'registry.example/dev:1', columns),
    toLicensesText(contents, columns, true),
    formatTree(toTree(contents, 'owner'), columns, 9),
    formatTree(toTree(contents, 'layer'), columns, 9),
  ];
  // What is to be typed stays whole.
  for (const line of pages
    .join('')
    .replaceAll(/^ {2}tcf .*\n/gm, '')
    .split('\n')) {
    expect(line.length).toBeLessThanOrEqual(columns);
    expect(line).not.toMatch(/[\u0000-\u001f\u202e]/);
  }
});

test('every component stands under one licence, or under none', () => {
  expect(toLicensesText(contents, 200, false)).toBe(`7 components, 2 licences

    1  MIT
         app
    6  of no known licence
         left, right, circle-a, circle-b, ${shown}, debian
`);
});
