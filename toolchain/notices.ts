import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folderOfPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

/**
 * The licences of the packages that a bundle has taken code from, as they ask for: a section for each, with
 * name, version, SPDX licence and the texts that the package has. `modules` are absolute paths of files.
 * @throws Error for a package that says nothing of its licence.
 */
export function formatNotices(modules: readonly string[]): string {
  const folders = modules.flatMap((path) => folderOfPackage.exec(path)?.[0] ?? []);
  return [...new Set(folders)].map(noticeOf).sort().join('\n');
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

function noticeOf(folder: string): string {
  const { license, name, version } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Manifest;
  const texts = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (license === undefined && texts.length === 0) {
    throw new Error(`${name} does not say its licence`);
  }
  return `${'-'.repeat(80)}\n${[`${name} ${version}: ${license ?? 'see below'}`, ...texts].join('\n\n')}\n`;
}
