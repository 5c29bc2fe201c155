import { expect, test } from 'vitest';
import { toOsCpe } from '../../src/catalogers/os/cpe.ts';
import { osRelease, osReleaseOf, parseOsRelease } from '../../src/catalogers/os-release.ts';
import { treeOf } from '../support/tree.ts';

test.for([
  ['A=b', 'b'],
  ['A="b c"', 'b c'],
  ["A='b \\$c'", 'b \\$c'],
  ['A="b \\"c\\" \\$d"', 'b "c" $d'],
  ['A=$(reboot)', '$(reboot)'],
  ['A=first\nA=second', 'second'],
  ['# A=no\nA=b\r', 'b'],
  ['A="open', '"open'],
  ['A="', '"'],
] as const)('the line %s', ([text, expected]) => {
  expect(parseOsRelease(text).get('A')).toBe(expected);
});

test.for([
  ['an ID with a slash', 'ID=a/b\n'],
  ['an ID with an escape', 'ID="\u001b[31m"\n'],
  ['no ID', 'NAME=x\n'],
] as const)('os-release with %s names no system', ([, text]) => {
  const found = osRelease.catalog(treeOf(osRelease, { 'etc/os-release': text }));
  expect(found.components).toEqual([]);
  expect(found.skipped).toEqual([{ path: 'etc/os-release', reason: 'has no ID' }]);
});

test('the file in /etc wins over the one of the vendor', () => {
  const tree = treeOf(osRelease, { 'etc/os-release': 'ID=mine', 'usr/lib/os-release': 'ID=theirs' });
  expect(osReleaseOf(tree)?.id).toBe('mine');
});

test('a link that leads nowhere is no reason to miss the other file', () => {
  const tree = treeOf(osRelease, {
    'etc/os-release': { link: '/nowhere' },
    'usr/lib/os-release': 'ID=theirs',
  });
  expect(osReleaseOf(tree)?.id).toBe('theirs');
});

const older = (files: Readonly<Record<string, string>>) => {
  const { components, skipped } = osRelease.catalog(treeOf(osRelease, files));
  return [...components.map(({ bomRef, cpe }) => [bomRef, cpe]), ...skipped.map(({ reason }) => reason)];
};
const oldDebian = 'cpe:2.3:o:debian:debian_linux:6.0.10:*:*:*:*:*:*:*';

test.for([
  ['CentOS 6', { 'etc/redhat-release': 'CentOS release 6.10 (Final)\n' }, 'os:centos-6.10', undefined],
  ['CentOS Stream', { 'etc/centos-release': 'CentOS Stream release 8\n' }, 'os:centos-8', undefined],
  [
    'RHEL 6',
    { 'etc/redhat-release': 'Red Hat Enterprise Linux Server release 6.10 (Santiago)' },
    'os:rhel-6.10',
    undefined,
  ],
  [
    'AlmaLinux',
    { 'etc/redhat-release': 'AlmaLinux release 8.4 (Electric Cheetah)' },
    'os:almalinux-8.4',
    undefined,
  ],
  ['Rocky', { 'etc/rocky-release': 'Rocky Linux release 8.4 (Green Obsidian)' }, 'os:rocky-8.4', undefined],
  [
    'Scientific Linux',
    { 'etc/redhat-release': 'Scientific Linux release 6.10 (Carbon)' },
    'os:scientific-6.10',
    undefined,
  ],
  ['Fedora', { 'etc/fedora-release': 'Fedora release 34 (Thirty Four)' }, 'os:fedora-34', undefined],
  [
    'Amazon Linux 1',
    { 'etc/system-release': 'Amazon Linux AMI release 2018.03' },
    'os:amzn-2018.03',
    undefined,
  ],
  ['Amazon Linux 2', { 'etc/system-release': 'Amazon Linux release 2 (Karoo)' }, 'os:amzn-2', undefined],
  [
    'Oracle, which keeps redhat-release',
    {
      'etc/redhat-release': 'Red Hat Enterprise Linux Server release 6.10 (Santiago)',
      'etc/oracle-release': 'Oracle Linux Server release 6.10',
    },
    'os:ol-6.10',
    undefined,
  ],
  [
    'a CPE',
    {
      'etc/system-release-cpe': 'cpe:/o:centos:linux:6:GA\n',
      'etc/redhat-release': 'CentOS release 6.10 (Final)',
    },
    'os:centos-6',
    'cpe:2.3:o:centos:linux:6:ga:*:*:*:*:*:*',
  ],
  ['Debian', { 'etc/debian_version': '6.0.10\n' }, 'os:debian-6.0.10', oldDebian],
  ['Debian testing', { 'etc/debian_version': 'trixie/sid\n' }, 'os:debian', undefined],
  [
    'Ubuntu, which keeps debian_version',
    { 'etc/debian_version': 'wheezy/sid', 'etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\n' },
    'os:ubuntu-12.04',
    'cpe:2.3:o:canonical:ubuntu_linux:12.04:*:*:*:*:*:*:*',
  ],
  [
    'Alpine',
    { 'etc/alpine-release': '3.2.3\n' },
    'os:alpine-3.2.3',
    'cpe:2.3:o:alpinelinux:alpine_linux:3.2.3:*:*:*:*:*:*:*',
  ],
  [
    'SLES 11',
    { 'etc/SuSE-release': 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n' },
    'os:sles-11.4',
    undefined,
  ],
  [
    'Photon',
    { 'etc/photon-release': 'VMware Photon OS 4.0\nPHOTON_BUILD_NUMBER=1\n' },
    'os:photon-4.0',
    undefined,
  ],
  ['Mariner', { 'etc/mariner-release': 'CBL-Mariner 2.0.20220226\n' }, 'os:mariner-2.0', undefined],
  [
    'an os-release without an ID, and Alpine',
    { 'etc/os-release': 'NAME=x\n', 'etc/alpine-release': '3.2.3\n' },
    'os:alpine-3.2.3',
    'cpe:2.3:o:alpinelinux:alpine_linux:3.2.3:*:*:*:*:*:*:*',
  ],
  [
    'an os-release without a version',
    { 'etc/os-release': 'ID=debian\n', 'etc/debian_version': '12.5\n' },
    'os:debian-12.5',
    'cpe:2.3:o:debian:debian_linux:12.5:*:*:*:*:*:*:*',
  ],
  [
    'an os-release with a version, which is the one',
    { 'etc/os-release': 'ID=debian\nVERSION_ID=12\n', 'etc/debian_version': '12.5\n' },
    'os:debian-12',
    'cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*',
  ],
  [
    'a version of another distribution, which says nothing',
    { 'etc/os-release': 'ID=kali\n', 'etc/debian_version': '12.5\n' },
    'os:kali',
    undefined,
  ],
] as const)('without a whole os-release: %s', ([, files, ref, cpe]) => {
  expect(older(files)).toEqual([[ref, cpe]]);
});

test.for([
  ['a name that is not known', { 'etc/redhat-release': 'EulerOS release 2.0 (SP8)' }],
  ['no release', { 'etc/redhat-release': 'CentOS Linux' }],
  ['a version with more behind it', { 'etc/redhat-release': 'CentOS release 6.10x' }],
  ['the lsb-release of another', { 'etc/lsb-release': 'DISTRIB_ID=LinuxMint\nDISTRIB_RELEASE=21.1\n' }],
  ['words', { 'etc/debian_version': 'not a version' }],
  ['an escape', { 'etc/alpine-release': '3.2.3\u001b[31m' }],
  ['the CPE of a browser', { 'etc/system-release-cpe': 'cpe:/a:centos:linux:6:GA' }],
] as const)('%s names no distribution, and that is told', ([, files]) => {
  expect(older(files)).toEqual(['names no distribution that tcf knows']);
});

test('where nothing says what the image is, nothing is skipped', () => {
  expect(older({})).toEqual([]);
  expect(older({ 'etc/redhat-release': ' \n' })).toEqual([]);
});

test('what older files say has less confidence, and both files are told', () => {
  const { components } = osRelease.catalog(
    treeOf(osRelease, { 'etc/os-release': 'ID=debian\n', 'etc/debian_version': '12.5\n' }),
  );
  expect(components[0]?.evidence).toMatchObject({
    identity: [
      { field: 'name', confidence: 1, concludedValue: 'debian' },
      { field: 'version', confidence: 0.8, concludedValue: '12.5' },
    ],
    occurrences: [{ location: 'etc/os-release' }, { location: 'etc/debian_version' }],
  });
});

/** Names as distributions write them, and what CPE 2.3 makes of them (NISTIR 7695, 6.1 and 6.2). */
test.for([
  ['cpe:/o:suse:sles:15:sp2', 'cpe:2.3:o:suse:sles:15:sp2:*:*:*:*:*:*'],
  ['cpe:/o:redhat:enterprise_linux:8::baseos', 'cpe:2.3:o:redhat:enterprise_linux:8:*:baseos:*:*:*:*:*'],
  ['cpe:/o:opensuse:leap:15.5', 'cpe:2.3:o:opensuse:leap:15.5:*:*:*:*:*:*:*'],
  ['cpe:/o:fedoraproject:fedora:38', 'cpe:2.3:o:fedoraproject:fedora:38:*:*:*:*:*:*:*'],
  ['cpe:/o:suse:sle-micro:5.5', String.raw`cpe:2.3:o:suse:sle\-micro:5.5:*:*:*:*:*:*:*`],
  ['cpe:/o:x:y:1:-:~~pro~linux~x64~', 'cpe:2.3:o:x:y:1:-:*:*:pro:linux:x64:*'],
  ['cpe:2.3:o:amazon:amazon_linux:2023', 'cpe:2.3:o:amazon:amazon_linux:2023:*:*:*:*:*:*:*'],
  ['cpe:2.3:o:x:y:1:*:*:*:*:*:*:*', 'cpe:2.3:o:x:y:1:*:*:*:*:*:*:*'],
  [String.raw`cpe:2.3:o:x:y\:z:1:*:*:*:*:*:*:*`, String.raw`cpe:2.3:o:x:y\:z:1:*:*:*:*:*:*:*`],
  ['cpe:2.3:o:x:y:1:*:*:*:*:*:*:*:*', undefined],
  ['cpe:2.3:a:x:y:1', undefined],
  ['cpe:2.3:o:x y:z:1', undefined],
  ['cpe:2.3:o:x', undefined],
  ['cpe:/o:x', undefined],
  ['cpe:/o:x:y:%zz', undefined],
  ['cpe:/o:x:y:1:2:3:4:5', undefined],
  ['', undefined],
] as const)('the CPE name %s', ([text, expected]) => {
  expect(toOsCpe(text)).toBe(expected);
});
