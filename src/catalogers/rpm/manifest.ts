import { printable } from '../../base/text.ts';
import type { Skipped, Tree } from '../contract.ts';
import { toSize } from '../package-size.ts';
import { isWord, type Rpm } from './packages.ts';
import { maxRows } from './row.ts';

/** What ubi-micro and Azure Linux distroless keep instead of a database. */
export const manifestFile = 'var/lib/rpmmanifest/container-manifest-2';

/** One package on a line, ten fields between tabs; the last line may lack its end. */
export function packagesInManifest(tree: Tree, skipped: Skipped[]): readonly Rpm[] {
  const file = tree.file(manifestFile);
  if (file === undefined) {
    return [];
  }
  const path = printable(file.path);
  const content = file.content();
  if (content === undefined) {
    skipped.push({ path, reason: 'is too large to read' });
  }
  const rpms: Rpm[] = [];
  for (const [at, line] of Buffer.from(content ?? [])
    .toString('utf8')
    .split('\n', maxRows)
    .entries()) {
    if (at === maxRows - 1) {
      skipped.push({ path, reason: `is not read after line ${maxRows}` });
    }
    if (line.trim() === '') {
      continue;
    }
    const [name = '', evr = '', , , vendor = '', , size, arch = '', epoch = '', sourceRpm = ''] = line
      .trimEnd()
      .split('\t');
    if (name === 'gpg-pubkey') {
      continue;
    }
    const [, version = '', release = ''] = /^([!-,.-~]{1,255})-([!-,.-~]{1,255})$/.exec(evr) ?? [];
    if (!isWord(name) || name.includes('/') || version === '' || !/^[A-Za-z0-9_]{1,64}$/.test(arch)) {
      skipped.push({ path, reason: `line ${at + 1} names no package` });
      continue;
    }
    rpms.push({
      name,
      version,
      release,
      epoch: /^\d{1,10}$/.test(epoch) ? Number(epoch) : 0,
      arch,
      summary: '',
      license: '',
      vendor: vendor === '(none)' ? '' : vendor,
      packager: '',
      url: '',
      vcs: '',
      sourceRpm: sourceRpm === '(none)' ? '' : sourceRpm,
      modularityLabel: '',
      sha256Header: '',
      keyId: '',
      provides: [],
      requires: [],
      size: toSize(size),
      database: file,
      isWhole: false,
    });
  }
  return rpms;
}
