import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import type { Bom, Component, Composition } from '../../src/bom/model.ts';
import { checkBom } from '../../src/bom/validate.ts';
import type { Catalog } from '../../src/catalogers/contract.ts';
import { catalogers } from '../../src/catalogers/index.ts';
import { binary, bomOf, catalog, deb, wheel } from '../support/bom.ts';
import { elf } from '../support/elf.ts';
import { goProgram } from '../support/go.ts';
import { memoryImage } from '../support/image.ts';
import { runs } from '../support/runs.ts';
import { rustProgram } from '../support/rust.ts';
import { archive, file } from '../support/tar.ts';
import { treeOf } from '../support/tree.ts';

/* What holds for every cataloger, whatever it reads. */

/** One thing a cataloger finds: files of its own, or a part of a file that several share. */
type Record = readonly (readonly [path: string, content: string | Uint8Array])[];

interface Kind {
  /** What stands around shared files: between their parts. Absent where each record has its own files. */
  readonly separator?: string;
  /** Files that are no record and stay as they are. */
  readonly beside?: { readonly [path: string]: string };
  readonly records: readonly Record[];
  /** Components that follow from one record; 1 where nothing else stands here. */
  readonly each?: number;
}

const site = 'opt/venv/lib/python3.11/site-packages';
const dist = (name: string, version: string): Record => [
  [
    `${site}/${name}-${version}.dist-info/METADATA`,
    `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nLicense: MIT\n`,
  ],
];
const stanza = (name: string): Record => [
  [
    'var/lib/dpkg/status',
    `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\nDescription: x`,
  ],
];
const release = { 'etc/os-release': 'ID=debian\nVERSION_ID=12\n' };
const bitcode = Buffer.from('4243c0de0123456789', 'hex');
const commit = (digit: string) => digit.repeat(40);

/** Three records each, so that the one that is broken has neighbours on both sides. */
const kinds: { readonly [cataloger: string]: Kind } = {
  'amd-bitcode': {
    records: ['ockl', 'ocml', 'hip'].map((name): Record => [[`opt/rocm/amdgcn/bitcode/${name}.bc`, bitcode]]),
  },
  apk: {
    separator: '\n\n',
    beside: { 'etc/os-release': 'ID=alpine\nVERSION_ID=3.20\n' },
    records: ['musl', 'busybox', 'zlib'].map(
      (name): Record => [['lib/apk/db/installed', `P:${name}\nV:1.0-r0\nA:x86_64\nL:MIT\nT:x`]],
    ),
  },
  conda: {
    beside: { 'opt/conda/conda-meta/history': '' },
    records: ['zlib', 'xz', 'tk'].map(
      (name): Record => [
        [
          `opt/conda/conda-meta/${name}-1.0-h1_0.json`,
          JSON.stringify({
            name,
            version: '1.0',
            build: 'h1_0',
            channel: 'conda-forge',
            subdir: 'linux-64',
            depends: [],
          }),
        ],
      ],
    ),
  },
  'cuda-tools': {
    records: ['ptxas', 'nvdisasm', 'nvlink'].map(
      (name): Record => [
        [`usr/local/cuda/bin/${name}`, elf(['Cuda compilation tools, release 12.9, V12.9.86'])],
      ],
    ),
  },
  dpkg: { separator: '\n\n', beside: release, records: ['bash', 'nano', 'vim'].map(stanza) },
  // It makes no components: test/catalogers/elf.test.ts says what it reads.
  elf: { records: [] },
  // Nor this: test/catalogers/hidden.test.ts says what it sees.
  others: { records: [] },
  packed: { records: [] },
  'go-binary': {
    // The program and the standard library in it.
    each: 2,
    records: ['one', 'two', 'three'].map(
      (name): Record => [[`usr/local/bin/${name}`, goProgram({ modules: '' })]],
    ),
  },
  'gpu-headers': {
    records: [
      [['usr/include/cuda.h', '#define CUDA_VERSION 12080\n']],
      [['usr/include/nccl.h', '#define NCCL_MAJOR 2\n#define NCCL_MINOR 26\n#define NCCL_PATCH 2\n']],
      [
        [
          'opt/rocm/include/hip/hip_version.h',
          '#define HIP_VERSION_MAJOR 7\n#define HIP_VERSION_MINOR 1\n#define HIP_VERSION_PATCH 2\n',
        ],
      ],
    ],
  },
  'gpu-toolkits': {
    records: [
      [['usr/local/cuda-12.8/version.json', '{"cuda":{"version":"12.8.1"}}']],
      [['usr/local/cuda-13.0/version.json', '{"cuda":{"version":"13.0.0"}}']],
      [['opt/rocm-7.1.1/.info/version', '7.1.1-38\n']],
    ],
  },
  llvm: {
    records: [
      [[`${site}/triton/_C/libtriton.so`, elf([`22.0.0git ${commit('a')}`])]],
      [['opt/llvm/include/llvm/Support/VCSRevision.h', `#define LLVM_REVISION "${commit('b')}"\n`]],
      [['usr/lib64/libLLVM.so.20.1', elf(['LLVM20.1.8'])]],
    ],
  },
  npm: {
    records: ['left', 'middle', 'right'].map(
      (name): Record => [
        [
          `usr/local/lib/node_modules/${name}/package.json`,
          JSON.stringify({ name, version: '1.0.0', license: 'MIT' }),
        ],
      ],
    ),
  },
  'os-release': { records: [[['etc/os-release', release['etc/os-release']]]] },
  python: { records: [dist('torch', '2.0'), dist('six', '1.17.0'), dist('numpy', '2.3.5')] },
  // The databases stand in test/catalogers/rpm.test.ts; this is the text that containers carry in their
  // place.
  rpm: {
    separator: '\n',
    beside: { 'etc/os-release': 'ID=mariner\nVERSION_ID=2.0\n' },
    records: ['bash', 'zlib', 'glibc'].map(
      (name): Record => [
        [
          'var/lib/rpmmanifest/container-manifest-2',
          `${name}\t1.0-1.cm2\t1653816591\t1653628955\tMicrosoft\t(none)\t1000\tx86_64\t0\t${name}-1.0-1.cm2.src.rpm`,
        ],
      ],
    ),
  },
  'rust-binary': {
    records: ['one', 'two', 'three'].map(
      (name): Record => [
        [`usr/local/bin/${name}`, rustProgram([{ name, version: '1.0.0', source: 'local', root: true }])],
      ],
    ),
  },
  triton: {
    records: ['one', 'two', 'three'].map(
      (name): Record => [
        [`src/${name}/include/triton/Dialect/Triton/IR/Dialect.h`, ''],
        [`src/${name}/python/triton/__init__.py`, ''],
        [`src/${name}/.git/HEAD`, `${commit('c')}\n`],
      ],
    ),
  },
  'triton-kernels': {
    records: ['A', 'B', 'C'].map((letter): Record => {
      const folder = `root/.triton/cache/${letter.repeat(52)}`;
      return [
        [`${folder}/add.json`, '{"target":{"backend":"cuda","arch":90},"triton_version":"3.6.0"}'],
        [`${folder}/add.cubin`, `code ${letter}`],
      ];
    }),
  },
};

type Corrupt = (path: string, content: Uint8Array) => Uint8Array;

function filesOf({ beside = {}, records, separator }: Kind, corrupted?: number, corrupt?: Corrupt) {
  const parts = new Map<string, Uint8Array[]>(
    Object.entries(beside).map(([path, content]) => [path, [Buffer.from(content)]]),
  );
  for (const [index, record] of records.entries()) {
    for (const [path, content] of record) {
      const bytes = Buffer.from(content as string);
      const now = index === corrupted ? (corrupt?.(path, bytes) ?? bytes) : bytes;
      parts.set(path, [...(parts.get(path) ?? []), now]);
    }
  }
  const between = Buffer.from(separator ?? '');
  return Object.fromEntries(
    [...parts].map(([path, all]) => [
      path,
      separator === undefined || path in beside
        ? Buffer.concat(all)
        : Buffer.concat(all.flatMap((part) => [part, between])),
    ]),
  );
}

function run(name: string, files: { readonly [path: string]: Uint8Array }): Catalog {
  const cataloger = catalogers.find((candidate) => candidate.name === name);
  if (cataloger === undefined) {
    throw new Error(`no cataloger ${name}`);
  }
  return cataloger.catalog(treeOf(cataloger, files));
}

const refs = (components: readonly Component[]): readonly string[] =>
  components.flatMap(({ bomRef, components: nested = [] }) => [bomRef, ...refs(nested)]);

const damage = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(10_000), to: fc.nat(255) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(10_000) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(10_000),
    bytes: fc.uint8Array({ maxLength: 30 }),
  }),
  fc.record({ kind: fc.constant('replace' as const), bytes: fc.uint8Array({ maxLength: 200 }) }),
);

function damaged(
  content: Uint8Array,
  how: typeof damage extends fc.Arbitrary<infer T> ? T : never,
): Uint8Array {
  if (how.kind === 'replace') {
    return how.bytes;
  }
  const at = content.length === 0 ? 0 : how.at % content.length;
  const before = content.subarray(0, at);
  if (how.kind === 'cut') {
    return before;
  }
  if (how.kind === 'insert') {
    return Buffer.concat([before, how.bytes, content.subarray(at)]);
  }
  return Buffer.concat([before, Uint8Array.of(how.to), content.subarray(at + 1)]);
}

test('every cataloger has records to break', () => {
  expect(Object.keys(kinds).sort()).toEqual(catalogers.map(({ name }) => name).sort());
});

const breakable = Object.entries(kinds).filter(([, { records }]) => records.length > 1);

describe.for(breakable)('%s', ([name, kind]) => {
  const all = refs(run(name, filesOf(kind)).components);
  const withoutOne = kind.records.map((_, gone) =>
    refs(
      run(name, filesOf({ ...kind, records: kind.records.filter((__, index) => index !== gone) })).components,
    ),
  );

  test('finds each record, and without one of them the others', () => {
    const { each = 1 } = kind;
    expect(new Set(all).size).toBe(kind.records.length * each);
    for (const others of withoutOne) {
      expect(others).toHaveLength((kind.records.length - 1) * each);
      for (const ref of others) {
        expect(all).toContain(ref);
      }
    }
  });

  test('one record with any damage loses at most itself', () => {
    fc.assert(
      fc.property(fc.nat(kind.records.length - 1), damage, fc.nat(2), (broken, how, part) => {
        const [path] = kind.records[broken]?.[part % (kind.records[broken]?.length ?? 1)] ?? [''];
        const corrupt: Corrupt = (at, content) => (at === path ? damaged(content, how) : content);
        const found = refs(run(name, filesOf(kind, broken, corrupt)).components);
        for (const ref of withoutOne[broken] ?? []) {
          expect(found).toContain(ref);
        }
      }),
      { numRuns: runs(200) },
    );
  });
});

/** Every kind of find in one image, each file in one of three layers. */
const everything = Object.values(kinds).flatMap((kind) => Object.entries(filesOf(kind)));
const unique = [...new Map(everything)].filter(([path]) => path !== 'etc/os-release');
const content: readonly (readonly [string, Uint8Array])[] = [
  ['etc/os-release', Buffer.from(release['etc/os-release'])],
  ...unique,
];

/** Without digests of layers, which follow from the order of the files in them. */
function body({ components, compositions, dependencies, properties }: Bom): string {
  return JSON.stringify({ components, compositions, dependencies, properties }).replaceAll(
    /sha256:[0-9a-f]{64}/g,
    'DIGEST',
  );
}

test('the BOM does not depend on the order of files in a layer, nor on which layer arrives first', async () => {
  const layersOf = (files: typeof content) =>
    [0, 1, 2].map((layer) =>
      archive(
        ...files.filter(([path]) => path.length % 3 === layer).map(([path, bytes]) => file(path, bytes)),
      ),
    );
  const scan = async (files: typeof content, slow: readonly number[]) => {
    const image = memoryImage({ layers: layersOf(files) });
    const layers = image.layers.map((layer, index) => ({
      ...layer,
      stored: {
        ...layer.stored,
        async *open() {
          for (let turn = 0; turn < (slow[index] ?? 0); turn += 1) {
            await new Promise(setImmediate);
          }
          yield* layer.stored.open();
        },
      },
    }));
    return body(await makeBom({ ...image, layers }));
  };
  const expected = await scan(content, []);
  expect(JSON.parse(expected).components.length).toBeGreaterThan(20);
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...content], { minLength: content.length }),
      fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }),
      async (files, slow) => {
        expect(await scan(files, slow)).toBe(expected);
      },
    ),
    { numRuns: runs(25) },
  );
});

interface Scene {
  readonly skips: readonly boolean[];
  readonly unknown: readonly boolean[];
  readonly unowned: boolean;
  readonly unreadable: boolean;
}

const anyScene: fc.Arbitrary<Scene> = fc.record({
  skips: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  unknown: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  unowned: fc.boolean(),
  unreadable: fc.boolean(),
});

const actors = [deb('bash'), wheel('torch', 'opt/torch/METADATA'), binary('ptxas', 'opt/ptxas')] as const;

function bomOfScene({ skips, unknown, unowned, unreadable }: Scene): Bom {
  const runs = actors.map((component, index) => [
    `c${index}`,
    catalog({
      components: [component],
      dependencies: unknown[index] ? [] : [{ ref: component.bomRef, dependsOn: [] }],
      unknownDependencies: unknown[index] ? [component.bomRef] : [],
      skipped: skips[index] ? [{ path: 'db', reason: 'is broken' }] : [],
    }),
  ]);
  return bomOf(Object.fromEntries(runs), unreadable ? [{ path: 'huge', reason: 'is too large' }] : [], {
    unownedExecutables: unowned ? ['opt/tool'] : [],
  });
}

const said = (
  bom: Bom,
  aggregate: Composition['aggregate'],
  scope: 'assemblies' | 'dependencies',
  ref: string,
) => bom.compositions.some((entry) => entry.aggregate === aggregate && entry[scope]?.includes(ref) === true);

test('compositions are never more complete than the scan', () => {
  fc.assert(
    fc.property(anyScene, (scene) => {
      const bom = bomOfScene(scene);
      expect(checkBom(bom)).toEqual([]);
      const isWhole = !scene.unowned && !scene.unreadable && !scene.skips.includes(true);
      const global = bom.compositions.filter(({ assemblies, dependencies }) => !assemblies && !dependencies);
      expect(global.map(({ aggregate }) => aggregate)).toEqual([isWhole ? 'complete' : 'incomplete']);
      for (const [index, { bomRef }] of actors.entries()) {
        const isOpaque = index === 2;
        expect(said(bom, 'complete', 'assemblies', bomRef)).toBe(!isOpaque && !scene.skips[index]);
        expect(said(bom, 'complete', 'dependencies', bomRef)).toBe(
          !scene.unknown[index] && !scene.skips[index],
        );
        expect(said(bom, 'unknown', 'dependencies', bomRef)).toBe(scene.unknown[index]);
      }
    }),
  );
});

test('whatever is added to what is not known, nothing becomes more complete', () => {
  const completes = (scene: Scene) =>
    bomOfScene(scene).compositions.flatMap(({ aggregate, assemblies, dependencies }) => {
      if (aggregate !== 'complete') {
        return [];
      }
      if (assemblies === undefined && dependencies === undefined) {
        return ['the whole'];
      }
      return [
        ...(assemblies ?? []).map((ref) => `what is in ${ref}`),
        ...(dependencies ?? []).map((ref) => `what ${ref} needs`),
      ];
    });
  fc.assert(
    fc.property(anyScene, anyScene, (one, other) => {
      const either = (key: 'skips' | 'unknown') =>
        one[key].map((value, index) => value || other[key][index] === true);
      const both: Scene = {
        skips: either('skips'),
        unknown: either('unknown'),
        unowned: one.unowned || other.unowned,
        unreadable: one.unreadable || other.unreadable,
      };
      const before = completes(one);
      for (const ref of completes(both)) {
        expect(before).toContain(ref);
      }
    }),
  );
});
