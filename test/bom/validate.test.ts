import { expect, test } from 'vitest';
import type { Bom } from '../../src/bom/model.ts';
import { rootRef } from '../../src/bom/subject.ts';
import { checkBom } from '../../src/bom/validate.ts';
import { bomOf, catalog, deb, none, subject } from '../support/bom.ts';

const bash = deb('bash', { bomRef: 'bash' });
const libc = deb('libc6', { bomRef: 'libc' });
const good = bomOf({
  dpkg: catalog({
    components: [bash, libc],
    dependencies: [{ ref: 'bash', dependsOn: ['libc'] }, ...none(libc)],
  }),
});
const root = rootRef(subject);

test('a BOM that holds together', () => {
  expect(checkBom(good)).toEqual([]);
});

test.for([
  ['a ref twice', { components: [bash, libc, bash] }, 'bash stands twice'],
  ['a nested ref twice', { components: [bash, { ...libc, components: [bash] }] }, 'bash stands twice'],
  [
    'an ancestor with the ref of a component',
    { components: [bash, { ...libc, pedigree: { ancestors: [bash] } }] },
    'bash stands twice',
  ],
  [
    'a dependency on nothing',
    { dependencies: [...good.dependencies, { ref: 'bash', dependsOn: ['gone'] }] },
    'bash depends on gone, which is not a component',
  ],
  [
    'an entry about nothing',
    { dependencies: [...good.dependencies, { ref: 'gone', dependsOn: [] }] },
    'the entry gone is not about a component',
  ],
  [
    'two entries',
    { dependencies: [...good.dependencies, { ref: 'libc', dependsOn: [] }] },
    'libc has two entries',
  ],
  [
    'an edge to itself',
    { dependencies: [...good.dependencies.slice(0, 2), { ref: 'libc', dependsOn: ['libc'] }] },
    'libc depends on itself',
  ],
  [
    'an edge twice',
    { dependencies: [...good.dependencies, { ref: root, dependsOn: ['bash', 'bash'] }] },
    `${root} names a dependency twice`,
  ],
  [
    'an island',
    { dependencies: [{ ref: root, dependsOn: ['libc'] }, ...none(bash, libc)] },
    'bash is not reachable from the image',
  ],
  [
    'no entry for the image',
    { dependencies: good.dependencies.filter(({ ref }) => ref !== root) },
    'the image has no entry',
  ],
  [
    'a leaf without a word',
    { dependencies: good.dependencies.filter(({ ref }) => ref !== 'libc') },
    'libc has no entry and is not said to be unknown',
  ],
  [
    'unknown and none at once',
    { compositions: [{ aggregate: 'unknown', dependencies: ['libc'] }] },
    'libc is unknown and said to have no dependencies',
  ],
  [
    'a composition about nothing',
    { compositions: [{ aggregate: 'complete', assemblies: ['gone'] }] },
    'a composition names gone, which is not a component',
  ],
] as const)('noticed: %s', ([, change, complaint]) => {
  const bom: Bom = { ...good, ...change } as Bom;
  expect(checkBom(bom)).toContain(complaint);
});
