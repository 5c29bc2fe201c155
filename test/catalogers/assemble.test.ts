import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bom, Component } from '../../src/bom/model.ts';
import { rootRef } from '../../src/bom/subject.ts';
import { checkBom } from '../../src/bom/validate.ts';
import { assemble } from '../../src/catalogers/assemble.ts';
import type { Catalog, Ownership } from '../../src/catalogers/contract.ts';
import {
  binary,
  bomOf,
  catalog,
  deb,
  debian,
  none,
  richBom,
  runsOf,
  subject,
  wheel,
} from '../support/bom.ts';

const root = rootRef(subject);
const dist = 'usr/lib/python3/dist-packages';

const owner = (component: Component, ...paths: readonly string[]): Ownership => ({
  bomRef: component.bomRef,
  owns: (path) => paths.includes(path),
});

/** `libc6`, `python3-yaml > PyYAML`: who lies in whom. */
function shape(components: readonly Component[]): readonly string[] {
  return components.flatMap(({ name, components: nested = [] }) =>
    nested.length === 0 ? [name] : shape(nested).map((inner) => `${name} > ${inner}`),
  );
}

function edges(bom: Bom, ref: string): readonly string[] | undefined {
  return bom.dependencies.find((entry) => entry.ref === ref)?.dependsOn;
}

function find(components: readonly Component[], name: string): Component | undefined {
  for (const component of components) {
    const found = component.name === name ? component : find(component.components ?? [], name);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

const aggregates = (bom: Bom, ref: string, scope: 'assemblies' | 'dependencies'): readonly string[] =>
  bom.compositions.filter((entry) => entry[scope]?.includes(ref)).map(({ aggregate }) => aggregate);

const yaml = deb('python3-yaml');
const pyyaml = wheel('PyYAML', `${dist}/PyYAML-6.0.egg-info/PKG-INFO`);

test('a Python distribution from a deb is a part of the deb', () => {
  const bom = bomOf({
    os: catalog({ components: [debian] }),
    dpkg: catalog({
      components: [yaml],
      dependencies: none(yaml),
      owners: [owner(yaml, `${dist}/PyYAML-6.0.egg-info/PKG-INFO`)],
    }),
    python: catalog({ components: [pyyaml], dependencies: none(pyyaml) }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(shape(bom.components)).toEqual(['debian', 'python3-yaml > PyYAML']);
  expect(find(bom.components, 'PyYAML')).toMatchObject({
    purl: 'pkg:pypi/pyyaml@2.0',
    properties: [{ name: 'tcf:owned-by', value: yaml.bomRef }],
  });
  expect(edges(bom, yaml.bomRef)).toEqual([pyyaml.bomRef]);
  expect(edges(bom, debian.bomRef)).toEqual([yaml.bomRef]);
  expect(edges(bom, root)).toEqual([debian.bomRef]);
});

test('what a distribution packaged it supplies, but for what names its own supplier; a wheel supplies nothing', () => {
  const owned = (path: string) => ({ owns: (one: string) => one === path });
  const supplierOf = (owner: Component, more: Partial<Component> = {}) => {
    const part = binary('ptxas', 'usr/bin/ptxas', more);
    const bom = bomOf({
      owners: catalog({
        components: [owner],
        owners: [{ bomRef: owner.bomRef, ...owned('usr/bin/ptxas') }],
      }),
      cuda: catalog({ components: [part] }),
    });
    return bom.components[0]?.components?.[0]?.supplier?.name;
  };
  const supplier = { name: 'Debian' };
  expect(supplierOf(deb('cuda', { supplier }))).toBe('Debian');
  expect(supplierOf(deb('cuda', { supplier }), { supplier: { name: 'NVIDIA' } })).toBe('NVIDIA');
  expect(supplierOf({ ...wheel('cuda', 'opt/cuda/METADATA'), supplier })).toBeUndefined();
});

test('after pip install -U in /usr/local it stands free', () => {
  const local = wheel('PyYAML', 'usr/local/lib/python3/dist-packages/PyYAML-6.1.dist-info/METADATA');
  const bom = bomOf({
    dpkg: catalog({
      components: [yaml],
      dependencies: none(yaml),
      owners: [owner(yaml, `${dist}/PyYAML-6.0.egg-info/PKG-INFO`)],
    }),
    python: catalog({ components: [local, pyyaml], dependencies: none(local, pyyaml) }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(shape(bom.components)).toEqual(['python3-yaml > PyYAML', 'PyYAML']);
  expect(edges(bom, root)).toEqual([yaml.bomRef, local.bomRef]);
});

test('a binary in a wheel in a deb: each in the nearest', () => {
  const ptxasPath = `${dist}/triton/backends/nvidia/bin/ptxas`;
  const metadata = `${dist}/triton-3.0.dist-info/METADATA`;
  const pkg = deb('python3-triton');
  const triton = wheel('triton', metadata);
  const ptxas = binary('ptxas', ptxasPath);
  const bom = bomOf({
    cuda: catalog({ components: [ptxas] }),
    dpkg: catalog({ components: [pkg], dependencies: none(pkg), owners: [owner(pkg, ptxasPath, metadata)] }),
    python: catalog({
      components: [triton],
      dependencies: none(triton),
      owners: [owner(triton, ptxasPath, metadata)],
    }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(shape(bom.components)).toEqual(['python3-triton > triton > ptxas']);
  expect(edges(bom, triton.bomRef)).toEqual([ptxas.bomRef]);
});

test('one occurrence in a wheel is enough, whichever is first', () => {
  const triton = wheel('triton', 'opt/venv/triton.dist-info/METADATA');
  const llvm = binary('llvm', 'home/me/triton/cmake/llvm-hash.txt', {
    evidence: {
      occurrences: [{ location: 'home/llvm-hash.txt' }, { location: 'opt/venv/triton/libtriton.so' }],
    },
  });
  const bom = bomOf({
    llvm: catalog({ components: [llvm] }),
    python: catalog({
      components: [triton],
      dependencies: none(triton),
      owners: [owner(triton, 'opt/venv/triton/libtriton.so')],
    }),
  });
  expect(shape(bom.components)).toEqual(['triton > llvm']);
});

test('conda owns the dist-info that came with it, though one cataloger found both', () => {
  const conda = wheel('numpy', 'opt/conda/conda-meta/numpy.json', {
    purl: undefined as never,
    bomRef: 'pkg:conda/numpy@2.0',
  });
  const { purl: _, ...plain } = conda;
  const inside = wheel('numpy', 'opt/conda/lib/numpy.dist-info/METADATA');
  const bom = bomOf({
    python: catalog({
      components: [plain, inside],
      dependencies: none(plain, inside),
      owners: [
        owner(plain, 'opt/conda/lib/numpy.dist-info/METADATA'),
        owner(inside, 'opt/conda/lib/numpy.dist-info/METADATA'),
      ],
    }),
  });
  expect(shape(bom.components)).toEqual(['numpy > numpy']);
  expect(checkBom(bom)).toEqual([]);
});

test('a wheel whose RECORD claims the package database swallows nothing', () => {
  const evil = wheel('evil', 'opt/evil.dist-info/METADATA');
  const victim = wheel('victim', 'opt/victim.dist-info/METADATA');
  const { purl: _, ...nameless } = deb('nameless', { bomRef: 'deb:nameless' });
  const bom = bomOf({
    os: catalog({ components: [debian] }),
    dpkg: catalog({ components: [yaml, nameless], dependencies: none(yaml, nameless) }),
    python: catalog({
      components: [evil, victim],
      dependencies: none(evil, victim),
      owners: [{ bomRef: evil.bomRef, owns: () => true }],
    }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(shape(bom.components)).toEqual(['nameless', 'debian', 'python3-yaml', 'evil', 'victim']);
});

test('two that claim each other do not lie in each other', () => {
  const one = wheel('one', 'a/METADATA');
  const two = binary('two', 'b/two');
  const bom = bomOf({
    python: catalog({ components: [one], dependencies: none(one), owners: [owner(one, 'b/two')] }),
    cuda: catalog({ components: [two], dependencies: none(two), owners: [owner(two, 'a/METADATA')] }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(shape(bom.components)).toEqual(['one > two']);
});

test('what a cataloger nested stays where it is, and its parent has an edge to it', () => {
  const vendored = wheel('packaging', 'opt/setuptools/_vendor/packaging.dist-info/METADATA');
  const setuptools = wheel('setuptools', 'opt/setuptools.dist-info/METADATA', { components: [vendored] });
  const bom = bomOf({
    python: catalog({ components: [setuptools], dependencies: none(setuptools, vendored) }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(shape(bom.components)).toEqual(['setuptools > packaging']);
  expect(find(bom.components, 'packaging')?.properties).toBeUndefined();
  expect(edges(bom, setuptools.bomRef)).toEqual([vendored.bomRef]);
});

test('the image leads to what nobody else needs, and to one of each circle', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => wheel(name, `opt/${name}/METADATA`)) as [
    Component,
    Component,
    Component,
    Component,
  ];
  const bom = bomOf({
    python: catalog({
      components: [d, c, b, a],
      dependencies: [
        { ref: a.bomRef, dependsOn: [b.bomRef] },
        { ref: b.bomRef, dependsOn: [] },
        { ref: c.bomRef, dependsOn: [d.bomRef] },
        { ref: d.bomRef, dependsOn: [c.bomRef, d.bomRef] },
      ],
    }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(edges(bom, root)).toEqual([a.bomRef, c.bomRef]);
  expect(edges(bom, d.bomRef)).toEqual([c.bomRef]);
});

test('nothing needed and nothing known are two things', () => {
  const reads = wheel('reads', 'opt/reads/METADATA');
  const cannot = wheel('cannot', 'opt/cannot/METADATA');
  const silent = wheel('silent', 'opt/silent/METADATA');
  const bom = bomOf({
    python: catalog({
      components: [reads, cannot, silent],
      dependencies: none(reads, cannot),
      unknownDependencies: [cannot.bomRef],
    }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect([reads, cannot, silent].map(({ bomRef }) => edges(bom, bomRef))).toEqual([[], undefined, undefined]);
  expect(aggregates(bom, reads.bomRef, 'dependencies')).toEqual(['complete']);
  expect(aggregates(bom, cannot.bomRef, 'dependencies')).toEqual(['unknown']);
  expect(aggregates(bom, silent.bomRef, 'dependencies')).toEqual(['unknown']);
});

test('the inside of a binary is unknown', () => {
  const ptxas = binary('ptxas', 'usr/local/cuda/bin/ptxas');
  const bom = bomOf({ cuda: catalog({ components: [ptxas] }) });
  expect(aggregates(bom, ptxas.bomRef, 'assemblies')).toEqual(['unknown']);
});

const whole = (bom: Bom): readonly string[] =>
  bom.compositions
    .filter((entry) => !entry.assemblies && !entry.dependencies)
    .map(({ aggregate }) => aggregate);
const bash = deb('bash');
const clean = catalog({ components: [bash], dependencies: none(bash) });

test.for([
  ['nothing missing', { dpkg: clean }, [], [], 'complete', 'complete'],
  [
    'a stanza skipped',
    { dpkg: { ...clean, skipped: [{ path: 'status', reason: 'odd' }] } },
    [],
    [],
    'incomplete',
    'incomplete',
  ],
  [
    'another cataloger skipped',
    { dpkg: clean, rpm: catalog({ skipped: [{ path: 'db', reason: 'odd' }] }) },
    [],
    [],
    'incomplete',
    'complete',
  ],
  [
    'a file skipped by the walk',
    { dpkg: clean },
    [{ path: 'x', reason: 'too large' }],
    [],
    'incomplete',
    'complete',
  ],
  ['an executable without owner', { dpkg: clean }, [], ['opt/tool'], 'incomplete', 'complete'],
  [
    'an edge into nowhere',
    { dpkg: { ...clean, dependencies: [{ ref: bash.bomRef, dependsOn: ['nobody'] }] } },
    [],
    [],
    'incomplete',
    'complete',
  ],
] as const)('how complete: %s', ([, runs, skipped, unownedExecutables, overall, scope]) => {
  const bom = bomOf(runs, skipped, { unownedExecutables });
  expect(checkBom(bom)).toEqual([]);
  expect(whole(bom)).toEqual([overall]);
  expect(aggregates(bom, root, 'dependencies')).toEqual([overall]);
  expect(aggregates(bom, bash.bomRef, 'assemblies')).toEqual([scope]);
});

test('known unknowns are named, with the cataloger that met them', () => {
  const bom = bomOf(
    { dpkg: { ...clean, skipped: [{ path: 'var/lib/dpkg/status', reason: 'stanza 7 has no name' }] } },
    [{ path: 'big.bin', reason: 'is too large' }],
    { unownedExecutables: ['opt/b', 'opt/a', 'opt/a'] },
  );
  expect(bom.properties).toEqual([
    { name: 'tcf:skipped:count', value: '2' },
    { name: 'tcf:skipped', value: 'big.bin: is too large' },
    { name: 'tcf:skipped', value: 'dpkg: var/lib/dpkg/status: stanza 7 has no name' },
    { name: 'tcf:unowned-executable:count', value: '2' },
    { name: 'tcf:unowned-executable', value: 'opt/a' },
    { name: 'tcf:unowned-executable', value: 'opt/b' },
  ]);
});

test('a build-id stands with the component of the file, or with the file that nobody knows', () => {
  const buildIds = new Map([
    ['opt/bin/ptxas', 'abcd'],
    ['opt/b', 'ef01'],
  ]);
  const bom = bomOf({ cuda: catalog({ components: [binary('ptxas', 'opt/bin/ptxas')] }) }, [], {
    unownedExecutables: ['opt/a', 'opt/b'],
    buildIds,
  });
  expect(bom.components[0]?.properties).toEqual([
    { name: 'tcf:elf:build-id', value: 'abcd of opt/bin/ptxas' },
  ]);
  expect(bom.properties.map(({ value }) => value)).toEqual(['2', 'opt/a', 'opt/b (build-id ef01)']);
});

test('of very many unowned executables a thousand are named and all are counted', () => {
  const unownedExecutables = Array.from({ length: 5000 }, (_, index) => `opt/${index}`);
  const { properties } = bomOf({}, [], { unownedExecutables });
  expect(properties).toHaveLength(1001);
  expect(properties[0]).toEqual({ name: 'tcf:unowned-executable:count', value: '5000' });
});

test('one thing that two catalogers saw under one ref is one component with both their words', () => {
  const seen = wheel('torch', 'opt/torch/METADATA', { properties: [{ name: 'tcf:a', value: '1' }] });
  const again = wheel('torch', 'opt/torch/METADATA', { properties: [{ name: 'tcf:b', value: '2' }] });
  const bom = bomOf({
    one: catalog({ components: [seen], dependencies: none(seen) }),
    two: catalog({ components: [again] }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(bom.components).toHaveLength(1);
  expect(bom.components[0]?.properties).toEqual([
    { name: 'tcf:a', value: '1' },
    { name: 'tcf:b', value: '2' },
  ]);
});

test('two things under one ref are two, and edges follow their own cataloger', () => {
  const needs = wheel('needs', 'opt/needs/METADATA');
  const first = wheel('x', 'opt/a/METADATA', { bomRef: 'x' });
  const second = wheel('x', 'opt/b/METADATA', { bomRef: 'x' });
  const bom = bomOf({
    one: catalog({ components: [first], dependencies: none(first) }),
    two: catalog({
      components: [second, needs],
      dependencies: [{ ref: needs.bomRef, dependsOn: ['x'] }, ...none(second)],
    }),
  });
  expect(checkBom(bom)).toEqual([]);
  expect(bom.components.map(({ bomRef }) => bomRef)).toEqual([needs.bomRef, 'x', 'x~2']);
  expect(edges(bom, needs.bomRef)).toEqual(['x~2']);
});

test('no component takes the ref of the image', () => {
  const impostor = wheel('impostor', 'opt/METADATA', { bomRef: root });
  const bom = bomOf({ python: catalog({ components: [impostor], dependencies: none(impostor) }) });
  expect(checkBom(bom)).toEqual([]);
  expect(bom.components.map(({ bomRef }) => bomRef)).toEqual([`${root}~2`]);
});

test('two forks name one ancestor, and every ref still stands once', () => {
  const ancestors = [{ bomRef: 'llvm', type: 'library', name: 'llvm' }] as const;
  const one = binary('llvm', 'a/libtriton.so', { pedigree: { ancestors } });
  const two = binary('llvm', 'b/libtriton.so', { pedigree: { ancestors } });
  expect(checkBom(bomOf({ llvm: catalog({ components: [one, two] }) }))).toEqual([]);
});

test('an image in which nothing was found', () => {
  const bom = bomOf({});
  expect(checkBom(bom)).toEqual([]);
  expect(bom.dependencies).toEqual([{ ref: root, dependsOn: [] }]);
});

test('a BOM with everything in it holds together', () => {
  expect(checkBom(richBom())).toEqual([]);
});

/** Catalogs of a few wheels, packages and binaries with any edges and any claims. */
const anyRuns = fc
  .array(
    fc.record({
      kind: fc.constantFrom('deb', 'wheel', 'binary'),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      path: fc.constantFrom('p', 'q', 'r', 's', 't'),
      needs: fc.array(fc.nat(11), { maxLength: 3 }),
      owns: fc.array(fc.constantFrom('p', 'q', 'r', 's', 't'), { maxLength: 2 }),
      unknown: fc.boolean(),
      inside: fc.option(fc.nat(11)),
    }),
    { maxLength: 12 },
  )
  .map((entries) => {
    const build = { deb, wheel, binary };
    const flat = entries.map(({ kind, name, path }) =>
      kind === 'deb'
        ? build.deb(name)
        : kind === 'wheel'
          ? build.wheel(name, path)
          : build.binary(name, path),
    );
    const runs: Record<string, Catalog> = {};
    entries.forEach(({ kind, needs, owns, unknown }, index) => {
      const component = flat[index];
      if (component === undefined) {
        return;
      }
      const before = runs[kind] ?? catalog();
      runs[kind] = {
        components: [...before.components, component],
        dependencies: unknown
          ? before.dependencies
          : [
              ...before.dependencies,
              { ref: component.bomRef, dependsOn: needs.flatMap((at) => flat[at]?.bomRef ?? []) },
            ],
        owners: [...(before.owners ?? []), owner(component, ...owns)],
        unknownDependencies: [...(before.unknownDependencies ?? []), ...(unknown ? [component.bomRef] : [])],
        skipped: [],
      };
    });
    return runs;
  });

test('whatever catalogers say, the BOM holds together', () => {
  fc.assert(
    fc.property(anyRuns, fc.boolean(), (runs, system) => {
      const bom = bomOf({ ...runs, ...(system ? { os: catalog({ components: [debian] }) } : {}) });
      expect(checkBom(bom)).toEqual([]);
    }),
  );
});

test('the order of catalogers, components, edges and owners changes nothing', () => {
  const shuffled = <T>(list: readonly T[], seed: number): readonly T[] =>
    list
      .map((entry, index) => [entry, ((index + 1) * (seed * 2 + 1) * 7919) % 104_729] as const)
      .sort(([, a], [, b]) => a - b)
      .map(([entry]) => entry);
  fc.assert(
    fc.property(anyRuns, fc.nat(50_000), (runs, seed) => {
      const mixed = shuffled(runsOf(runs), seed).map(({ cataloger, catalog: found }) => ({
        cataloger,
        catalog: {
          ...found,
          components: shuffled(found.components, seed),
          dependencies: shuffled(found.dependencies, seed).map(({ ref, dependsOn }) => ({
            ref,
            dependsOn: shuffled(dependsOn, seed),
          })),
          owners: shuffled(found.owners ?? [], seed),
        },
      }));
      expect(assemble(subject, mixed, [], { unownedExecutables: [] })).toEqual(bomOf(runs));
    }),
  );
});

test.for([
  [1, 'added'],
  [9, 'base'],
] as const)(
  'a part without a place of its own is of the layer of its program: %i layers of the base, %s',
  ([layers, origin]) => {
    const part: Component = { bomRef: 'part', type: 'library', name: 'part' };
    const program = { ...binary('tool', 'usr/bin/tool'), components: [part] };
    const runs = runsOf({ binaries: catalog({ components: [program] }) });
    const base = { configDigest: subject.configDigest, layers };
    const bom = assemble({ ...subject, base }, runs, [], { unownedExecutables: [] });
    expect(find(bom.components, 'part')?.properties).toEqual([{ name: 'tcf:origin', value: origin }]);
  },
);

test('an LLVM in three debs lies in the one with its library', () => {
  const packages = ['libllvm19', 'llvm-19-dev', 'llvm-19-tools'].map((name) => deb(name));
  const [library = yaml, headers = yaml, tools = yaml] = packages;
  const so = 'usr/lib/x86_64-linux-gnu/libLLVM.so.19.1';
  const header = 'usr/include/llvm-19/llvm/Config/llvm-config.h';
  const tool = 'usr/lib/llvm-19/bin/obj2yaml';
  const llvm: Component = {
    ...binary('llvm', header),
    evidence: { occurrences: [header, tool, so].map((location) => ({ location })) },
  };
  const bom = bomOf({
    os: catalog({ components: [debian] }),
    dpkg: catalog({
      components: packages,
      dependencies: packages.flatMap((each) => none(each)),
      owners: [owner(library, so), owner(headers, header), owner(tools, tool)],
    }),
    llvm: catalog({ components: [llvm] }),
  });
  expect(shape(bom.components)).toEqual(['debian', 'libllvm19 > llvm', 'llvm-19-dev', 'llvm-19-tools']);
});
