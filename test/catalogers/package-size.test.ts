import { expect, test } from 'vitest';
import { apk } from '../../src/catalogers/apk.ts';
import { dpkg } from '../../src/catalogers/dpkg.ts';
import { python } from '../../src/catalogers/python.ts';
import { treeOf } from '../support/tree.ts';

/* deb-control(5): Installed-Size is in KiB. apk-v2: I is in bytes. RECORD: the third column, in bytes. */

const system = { 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n' };
const deb = (size: string) =>
  dpkg.catalog(
    treeOf(dpkg, {
      ...system,
      'var/lib/dpkg/status': `Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nInstalled-Size: ${size}\n`,
    }),
  );
const alpine = (size: string) =>
  apk.catalog(treeOf(apk, { ...system, 'lib/apk/db/installed': `P:a\nV:1-r0\nA:x86_64\nI:${size}\n\n` }));
const site = 'usr/lib/python3/site-packages';
const wheel = (record: string) =>
  python.catalog(
    treeOf(python, {
      [`${site}/a-1.dist-info/METADATA`]: 'Metadata-Version: 2.1\nName: a\nVersion: 1\n',
      [`${site}/a-1.dist-info/RECORD`]: record,
    }),
  );

test.for([
  ['dpkg', deb('17'), '17408'],
  ['apk', alpine('4096'), '4096'],
  ['python', wheel('a.py,sha256=x,10\n"b, c.py",sha256=y,30\na-1.dist-info/RECORD,,\n'), '40'],
  ['dpkg, nothing', deb('0'), undefined],
  ['dpkg, no number', deb('17 MB'), undefined],
  ['dpkg, below zero', deb('-17'), undefined],
  ['dpkg, more than there is', deb('999999999999999'), undefined],
  ['apk, a script', alpine('<b>'), undefined],
  ['python, no number', wheel('a.py,sha256=x,many\n'), undefined],
  ['python, no RECORD to speak of', wheel(''), undefined],
] as const)('%s', ([, { components, skipped }, size]) => {
  expect(components.map(({ name }) => name)).toEqual(['a']);
  expect(skipped).toEqual([]);
  expect(components[0]?.properties?.find(({ name }) => name === 'tcf:size')?.value).toBe(size);
});
