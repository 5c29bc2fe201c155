import { describe, expect, test } from 'vitest';
import { compareWithLock } from '../../../src/app/build/compare-lock.ts';
import { parseLock } from '../../../src/app/lock/parse-lock.ts';
import { parseSbom } from '../../../src/bom/read.ts';

const hash = 'ab'.repeat(32);
const commit = 'f6ded0be897e2878612dd903f7e8bb85448269e5';
const lock = parseLock(
  `version: 1
image: tool
platform: linux/amd64
epoch: "2026-11-30T00:00:00Z"
compression: zstd
base: { debootstrap: trixie }
llvm: [{ role: core, commit: ${commit}, in: wheel }]
python: { version: "3.13", wheels: [{ name: triton, version: "3.6.0", sha256: "${hash}", file: "triton-3.6.0-py3-none-any.whl" }] }
debian:
  suite: trixie
  packages: [{ name: git, version: "1:2.47.3-0+deb13u1", sha256: "${hash}", size: 1, path: pool/git.deb }]
`,
  'lock',
);
const git = {
  type: 'library',
  name: 'git',
  version: '1:2.47.3-0+deb13u1',
  purl: 'pkg:deb/debian/git@1%3A2.47.3-0%2Bdeb13u1?arch=amd64',
};
const triton = { type: 'library', name: 'triton', version: '3.6.0', purl: 'pkg:pypi/triton@3.6.0' };
const llvm = {
  type: 'library',
  name: 'llvm',
  version: '22.0.0git+f6ded0be',
  purl: `pkg:github/llvm/llvm-project@${commit}`,
  properties: [{ name: 'tcf:llvm:role', value: 'core' }],
};
const sbom = (...components: readonly object[]) =>
  parseSbom({ bomFormat: 'CycloneDX', specVersion: '1.6', components }, 'the SBOM');

describe('an SBOM and the lock of its image', () => {
  test('agree about an LLVM whose tarball says eight digits of its commit, and of no other', () => {
    const short = {
      ...lock,
      llvm: [{ role: 'core' as const, commit: commit.slice(0, 8), in: 'tarball' as const }],
    };
    expect(compareWithLock(sbom(git, triton, llvm), [short])).toEqual({ missing: [], unlocked: [], same: 3 });
    const other = { ...short, llvm: [{ role: 'core' as const, commit: 'aaaaaaaa', in: 'tarball' as const }] };
    expect(compareWithLock(sbom(git, triton, llvm), [other])).toMatchObject({
      missing: ['llvm core aaaaaaaa'],
      unlocked: [`llvm core ${commit}`],
    });
  });

  test('agree: a package, a wheel and the LLVM in it; a tool inside the wheel is explained by it', () => {
    const bundled = {
      ...llvm,
      purl: 'pkg:github/llvm/llvm-project@a832a5222e489298337fbb5876f8dcaf072c5cca',
      properties: [{ name: 'tcf:llvm:role', value: 'other' }],
    };
    expect(compareWithLock(sbom(git, triton, llvm, bundled), [lock])).toEqual({
      missing: [],
      unlocked: [],
      same: 3,
    });
  });

  test('agree where a locked wheel bundles others, and not where they lie beside it', () => {
    const inside = (owner: string) => ({
      ...{ type: 'library', name: 'zipp', version: '3.23.0', purl: 'pkg:pypi/zipp@3.23.0' },
      properties: [{ name: 'tcf:owned-by', value: owner }],
    });
    const owners = [
      { ...triton, 'bom-ref': 't' },
      { type: 'application', name: 'x', 'bom-ref': 'x' },
    ];
    expect(compareWithLock(sbom(git, llvm, ...owners, inside('t')), [lock]).unlocked).toEqual([]);
    expect(compareWithLock(sbom(git, llvm, ...owners, inside('x')), [lock]).unlocked).toEqual([
      'wheel zipp 3.23.0',
    ]);
    const other = {
      ...llvm,
      purl: `pkg:github/llvm/llvm-project@${'2'.repeat(40)}`,
      properties: [...llvm.properties, { name: 'tcf:owned-by', value: 't' }],
    };
    expect(compareWithLock(sbom(git, ...owners, other), [lock]).unlocked).toEqual([
      `llvm core ${'2'.repeat(40)}`,
    ]);
  });

  test('agree where a base by digest brings more, and where a release declares what its library does not say', () => {
    const bash = { ...git, name: 'bash', version: '5' };
    expect(compareWithLock(sbom(git, triton, llvm, bash), [lock], sbom(bash)).unlocked).toEqual([]);
    const said = [...llvm.properties, { name: 'tcf:llvm:declared', value: `${commit} by release-table` }];
    const declared = { ...llvm, purl: 'pkg:generic/llvm', properties: said };
    expect(compareWithLock(sbom(git, triton, declared), [lock])).toMatchObject({ missing: [], unlocked: [] });
  });

  test.for([
    [
      'a package of another version',
      [{ ...git, version: '1:2.47.3-0' }, triton, llvm],
      'deb git 1:2.47.3-0+deb13u1',
      'deb git 1:2.47.3-0',
    ],
    [
      'a package added by hand',
      [git, triton, llvm, { ...git, name: 'nano', version: '8' }],
      undefined,
      'deb nano 8',
    ],
    [
      'a wheel added by hand',
      [git, triton, llvm, { ...triton, name: 'Evil_Pkg', purl: 'pkg:pypi/evil-pkg@3.6.0' }],
      undefined,
      'wheel evil-pkg 3.6.0',
    ],
    [
      'another LLVM',
      [git, triton, { ...llvm, purl: `pkg:github/llvm/llvm-project@${'1'.repeat(40)}` }],
      `llvm core ${commit}`,
      `llvm core ${'1'.repeat(40)}`,
    ],
    [
      'an LLVM that nobody knows',
      [git, triton, { ...llvm, purl: 'pkg:generic/llvm' }],
      `llvm core ${commit}`,
      'llvm core unknown',
    ],
    [
      'a package of a distribution that is not locked',
      [git, triton, llvm, { type: 'library', name: 'bash', version: '5', purl: 'pkg:rpm/centos/bash@5' }],
      undefined,
      'rpm bash 5',
    ],
    [
      'a package that only the document says is elsewhere',
      [{ ...git, scope: 'excluded' }, triton, llvm],
      'deb git 1:2.47.3-0+deb13u1',
      undefined,
    ],
  ] as const)('%s is told', ([, components, missing, unlocked]) => {
    const compared = compareWithLock(sbom(...components), [lock]);
    expect(compared.missing).toEqual(missing === undefined ? [] : [missing]);
    expect(compared.unlocked).toEqual(unlocked === undefined ? [] : [unlocked]);
  });
});
