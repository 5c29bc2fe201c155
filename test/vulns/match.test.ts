import { describe, expect, test } from 'vitest';
import { findVulnerabilities } from '../../src/vulns/match.ts';
import { affectedOf, doubtsOf } from '../../src/vulns/scan.ts';
import { type Described, dataOf, sbomOf } from './support.ts';

/* Ids, packages and bounds of real advisories; the texts are ours. */

const glibc = {
  id: 'DSA-5673-1',
  upstream: ['CVE-2024-2961'],
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: 'glibc' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.36-9+deb12u6' }] }],
      ecosystem_specific: { urgency: 'high' },
    },
  ],
};
const kernel = {
  id: 'DEBIAN-CVE-2024-1086',
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: 'linux' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '6.1.76-1' }] }],
    },
  ],
};
const requests = {
  id: 'PYSEC-2023-74',
  aliases: ['CVE-2023-32681', 'GHSA-j8r2-6x86-q33q'],
  published: '2023-05-22T00:00:00Z',
  affected: [
    {
      package: { ecosystem: 'PyPI', name: 'requests' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2.3.0' }, { fixed: '2.31.0' }] }],
      versions: ['2.28.1'],
    },
  ],
};
const requestsByGitHub = {
  ...requests,
  id: 'GHSA-j8r2-6x86-q33q',
  aliases: ['CVE-2023-32681'],
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N' }],
};
const stdlib = {
  id: 'GO-2024-2687',
  aliases: ['CVE-2023-45288'],
  affected: [
    {
      package: { ecosystem: 'Go', name: 'stdlib' },
      ranges: [
        {
          type: 'SEMVER',
          events: [{ introduced: '0' }, { fixed: '1.21.9' }, { introduced: '1.22.0-0' }, { fixed: '1.22.2' }],
        },
      ],
    },
  ],
};
const records = [glibc, kernel, requests, requestsByGitHub, stdlib];
const deb = (name: string, version: string, upstream?: string): string =>
  `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64&distro=debian-12${upstream === undefined ? '' : `&upstream=${encodeURIComponent(upstream)}`}`;

const scanOf = (...purls: readonly Described[]) => findVulnerabilities(sbomOf(...purls), dataOf({ records }));
const idsOf = (...purls: readonly Described[]) => affectedOf(scanOf(...purls)).map(({ id }) => id);

describe('who is affected', () => {
  test.for<[string, readonly Described[], readonly string[]]>([
    ['by source package', [deb('libc6', '2.36-9+deb12u4', 'glibc')], ['DSA-5673-1']],
    ['the fixed version', [deb('libc6', '2.36-9+deb12u6', 'glibc')], []],
    ['a rebuild of the fixed source', [deb('libc6', '2.36-9+deb12u6+b1', 'glibc@2.36-9+deb12u6')], []],
    ['a rebuild without its source version', [deb('glibc', '2.36-9+deb12u5+b9')], ['DSA-5673-1']],
    ['not by binary name', [deb('glibc', '2.36-9+deb12u4', 'other')], []],
    ['another release of Debian', ['pkg:deb/debian/glibc@2.36-9?distro=debian-13'], []],
    ['an image of Ubuntu', ['pkg:deb/ubuntu/glibc@2.35-0ubuntu3?distro=ubuntu-22.04'], []],
    ['PyPI, two sources and one finding', ['pkg:pypi/Requests@2.28.1'], ['CVE-2023-32681']],
    ['PyPI, a local version', ['pkg:pypi/requests@2.31.0%2Bcpu'], []],
    [
      'the same inside a deb',
      [
        [`pkg:pypi/requests@2.28.1`, deb('python3-requests', '2.28.1+dfsg-1')],
        deb('python3-requests', '2.28.1+dfsg-1'),
      ],
      [],
    ],
    ['a module inside a program', ['pkg:golang/stdlib@1.22.1'], ['CVE-2023-45288']],
    ['headers of the kernel', [deb('linux-libc-dev', '6.1.0-1', 'linux')], []],
    ['a kernel', [deb('linux-image-6.1.0-1-amd64', '6.1.0-1', 'linux')], ['DEBIAN-CVE-2024-1086']],
  ])('%s', ([, purls, ids]) => {
    expect(idsOf(...purls)).toEqual(ids);
  });

  test('headers are not affected, and the reason is stated', () => {
    const [finding] = scanOf(deb('linux-libc-dev', '6.1.0-1', 'linux')).findings;
    expect(finding).toMatchObject({ verdict: 'not-affected', justification: 'vulnerable_code_not_present' });
  });

  test('one finding names every component of the source, each answer and the severity', () => {
    const { findings } = scanOf('pkg:pypi/requests@2.28.1');
    expect(findings).toMatchObject([
      {
        id: 'CVE-2023-32681',
        aliases: ['GHSA-j8r2-6x86-q33q', 'PYSEC-2023-74'],
        fixedIn: '2.31.0',
        fixedSince: '2023-05-22T00:00:00Z',
        severity: { level: 'medium', score: 6.1 },
        differs: false,
        answers: [{ source: 'GHSA' }, { source: 'PYSEC' }],
      },
    ]);
    const two = scanOf(deb('libc6', '2.36-9', 'glibc'), deb('libc-bin', '2.36-9', 'glibc'));
    expect(two.findings).toHaveLength(1);
    expect(two.findings[0]?.components.map(({ name }) => name)).toEqual(['libc-bin', 'libc6']);
    expect(two.findings[0]?.urgency).toBe('high');
  });
});

describe('where sources differ', () => {
  const torch = (id: string, last: string) => ({
    id,
    aliases: ['CVE-2025-3000'],
    affected: [
      {
        package: { ecosystem: 'PyPI', name: 'torch' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { last_affected: last }] }],
      },
    ],
  });
  const gits = {
    id: 'PYSEC-2025-1',
    aliases: ['CVE-2025-3000'],
    affected: [
      {
        package: { ecosystem: 'PyPI', name: 'torch' },
        ranges: [{ type: 'GIT', events: [{ introduced: '0' }] }],
      },
    ],
  };
  const ask = (order: Parameters<typeof findVulnerabilities>[2], ...these: readonly object[]) =>
    findVulnerabilities(sbomOf('pkg:pypi/torch@2.7.0'), dataOf({ records: these }), order).findings[0];

  test('the worse of two of one weight', () => {
    expect(
      ask(undefined, torch('GHSA-rrmf-rvhw-rf47', '2.6.0'), torch('PYSEC-2025-9', '2.7.0')),
    ).toMatchObject({ verdict: 'affected', differs: true });
  });
  test('whose word the policy takes', () => {
    const both = [torch('GHSA-rrmf-rvhw-rf47', '2.6.0'), torch('PYSEC-2025-9', '2.7.0')];
    expect(ask([['GHSA'], ['PYSEC']], ...both)).toMatchObject({ verdict: 'fixed', differs: true });
    expect(ask([['PYSEC'], ['GHSA']], ...both)).toMatchObject({ verdict: 'affected' });
  });
  test('commits only flag nothing, and clear nothing', () => {
    expect(ask(undefined, gits)?.verdict).toBe('cannot-tell');
    expect(ask(undefined, gits, torch('GHSA-rrmf-rvhw-rf47', '2.6.0'))?.verdict).toBe('cannot-tell');
  });
});

describe('the programs of NVIDIA in wheels of Triton', () => {
  test.for<[string, string, number, number]>([
    ['2.2.0 to 2.3.1', '12.3.52', 28, 0],
    ['3.0.0 to 3.2.0', '12.4.99', 26, 2],
    ['3.3.1 to 3.6.0', '12.8.55', 9, 0],
    ['3.7.1 and later', '13.1.80', 0, 0],
  ])('Triton %s', ([, build, affected, doubts]) => {
    const wheel = 'pkg:pypi/triton@3';
    const scan = findVulnerabilities(
      sbomOf(
        wheel,
        [`pkg:generic/nvidia/cuobjdump@${build}`, wheel],
        [`pkg:generic/nvidia/nvdisasm@${build}`, wheel],
        [`pkg:generic/nvidia/ptxas@${build}`, wheel],
      ),
      dataOf({ records }),
    );
    const idsWith = (verdict: string) =>
      new Set(scan.findings.filter((one) => one.verdict === verdict).map(({ id }) => id)).size;
    expect([idsWith('affected'), idsWith('cannot-tell')]).toEqual([affected, doubts]);
    expect(doubtsOf(scan).unjudged).toBe(0);
  });

  test.for([
    ['the metapackage of PyPI', 'pkg:pypi/cuda-toolkit@12.8.0'],
    ['a program that no bulletin names', 'pkg:generic/nvidia/ptxas@12.0.76'],
    ['a library of PyPI that no bulletin names', 'pkg:pypi/nvidia-cuda-runtime-cu12@12.0.107'],
  ])('nothing for %s', ([, purl]) => {
    expect(scanOf(purl as string).findings).toEqual([]);
  });

  test('a build between two releases is of one of them', () => {
    // 12.6.0 has builds up to 37, 12.6.1 has 68: CVE-2024-0110 is in the one and not in the other.
    const verdict = (build: string) =>
      scanOf(`pkg:generic/nvidia/cuobjdump@${build}`).findings.find(({ id }) => id === 'CVE-2024-0110')
        ?.verdict;
    expect([verdict('12.6.37'), verdict('12.6.50'), verdict('12.6.68')]).toEqual([
      'affected',
      'cannot-tell',
      'fixed',
    ]);
  });

  test('nvjpeg by its own numbers', () => {
    const verdict = (version: string) =>
      scanOf(`pkg:pypi/nvidia-nvjpeg-cu12@${version}`).findings.find(({ id }) => id === 'CVE-2025-23272')
        ?.verdict;
    expect([verdict('12.4.0.16'), verdict('12.4.0.76')]).toEqual(['affected', 'fixed']);
  });

  test('a program without a version', () => {
    const { findings } = scanOf('pkg:generic/nvidia/cuobjdump');
    expect(new Set(findings.map(({ verdict }) => verdict))).toEqual(new Set(['cannot-tell']));
  });
});

test('LLVM: what is disputed is shown, and does not count', () => {
  const scan = scanOf('pkg:github/llvm/llvm-project@a0138390aa7ba7afdf4ab5a1d2ea6a8f5ae29c2c');
  expect(scan.findings.find(({ id }) => id === 'CVE-2023-26924')).toMatchObject({
    verdict: 'affected',
    disputed: true,
  });
  expect(affectedOf(scan)).toEqual([]);
  expect(doubtsOf(scan).findings).toBe(0);
});

describe('what nobody can tell', () => {
  test.for([
    [
      'a distribution without data',
      'pkg:rpm/centos/glibc@2.34-60.el9?distro=centos-9',
      'no source has advisories of the distribution centos',
    ],
    [
      'a release without data',
      'pkg:deb/debian/glibc@2.41-1?distro=debian-13',
      'the database has nothing about Debian:13',
    ],
    [
      'a release that nobody names',
      'pkg:deb/debian/glibc@2.36-9',
      'the release of debian is not known, and its advisories are about releases',
    ],
    ['an ecosystem without data', 'pkg:npm/lodash@4.17.20', 'the database has nothing about npm'],
    [
      'an ecosystem without advisories',
      'pkg:conda/numpy@1.0',
      'there are no advisories for purls of type conda',
    ],
  ])('%s', ([, purl, why]) => {
    const scan = scanOf(purl as string);
    expect(scan.unjudged).toMatchObject([{ why }]);
    expect(scan.judged).toBe(0);
  });

  test('a component of which only the name is known', () => {
    expect(scanOf('pkg:pypi/requests').findings).toMatchObject([
      { verdict: 'cannot-tell', why: 'the version of the component is not known' },
    ]);
  });
});

describe("Debian's archive, without any data about vulnerabilities", () => {
  const offer = (version: string, suite: string) => ({
    version,
    suite,
    label: suite.endsWith('-security') ? 'Debian-Security' : 'Debian',
    date: '2026-11-01T00:00:00Z',
  });
  const data = dataOf({
    whole: true,
    offered: {
      '12 libc6 amd64': [offer('2.36-9+deb12u9', 'bookworm'), offer('2.36-9+deb12u13', 'bookworm-security')],
      '12 curl amd64': [offer('7.88.1-10+deb12u8', 'bookworm')],
    },
  });
  const ask = (...purls: readonly Described[]) => findVulnerabilities(sbomOf(...purls), data);

  test('an update for security is missing', () => {
    expect(ask(deb('libc6', '2.36-9+deb12u9', 'glibc')).updates).toMatchObject([
      { name: 'libc6', isSecurity: true, offered: { version: '2.36-9+deb12u13' } },
    ]);
  });
  test('one for security that a newer one of another suite hides is missing all the same', () => {
    const hidden = dataOf({
      offered: {
        '12 curl amd64': [
          offer('7.88.1-10+deb12u9', 'bookworm-security'),
          offer('7.88.1-10+deb12u10', 'bookworm-updates'),
        ],
      },
    });
    const scan = findVulnerabilities(sbomOf(deb('curl', '7.88.1-10', 'curl')), hidden);
    expect(scan.updates).toMatchObject([{ isSecurity: true, offered: { version: '7.88.1-10+deb12u10' } }]);
  });
  test('nothing is missing', () => {
    expect(ask(deb('libc6', '2.36-9+deb12u13', 'glibc')).updates).toEqual([]);
  });
  test('a newer version of a point release is no update for security', () => {
    expect(ask(deb('curl', '7.88.1-10', 'curl')).updates).toMatchObject([{ isSecurity: false }]);
  });
  test('a deb of somebody else is not judged by Debian, nor what lies in it', () => {
    const docker = deb('docker-ce', '5:24.0.7');
    const scan = findVulnerabilities(
      sbomOf(docker, ['pkg:golang/stdlib@1.22.1', docker]),
      dataOf({ records: [stdlib, glibc], whole: true, offered: { '12 libc6 amd64': [] } }),
    );
    expect(affectedOf(scan).map(({ id }) => id)).toEqual(['CVE-2023-45288']);
    expect(scan.unjudged).toMatchObject([{ name: 'docker-ce' }]);
  });
});

test('aliases in a circle, and a long chain, end', () => {
  const many = Array.from({ length: 2000 }, (_, at) => ({
    ...requests,
    id: `A-${at}`,
    aliases: [`A-${(at + 1) % 2000}`],
  }));
  expect(
    findVulnerabilities(sbomOf('pkg:pypi/requests@2.28.1'), dataOf({ records: many })).findings,
  ).toHaveLength(1);
});

test('the order of components and records changes nothing', () => {
  const purls = [
    deb('libc6', '2.36-9', 'glibc'),
    'pkg:pypi/requests@2.28.1',
    'pkg:golang/stdlib@1.22.1',
    'pkg:conda/a@1',
  ];
  const one = findVulnerabilities(sbomOf(...purls), dataOf({ records }));
  const two = findVulnerabilities(sbomOf(...purls.toReversed()), dataOf({ records: records.toReversed() }));
  expect(JSON.stringify(two)).toBe(JSON.stringify(one));
});
