import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folderOfPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

/** A package that a bundle has taken code from. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX; `undefined` where the package has only texts. */
  readonly license?: string;
  /** The texts of its licences. */
  readonly texts: readonly string[];
}

/**
 * The packages of which a bundle has code, by name. `modules` are absolute paths of files.
 *
 * @throws Error for a package that says nothing of its licence.
 */
export function bundledPackages(modules: readonly string[]): readonly BundledPackage[] {
  const folders = new Set(modules.flatMap((path) => folderOfPackage.exec(path)?.[0] ?? []));
  return [...folders].map(readPackage).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readPackage(folder: string): BundledPackage {
  const { license, name, version } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as BundledPackage;
  const texts = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (license === undefined && texts.length === 0) {
    throw new Error(`${name} does not say its licence`);
  }
  return { name, version, ...(license === undefined ? {} : { license }), texts };
}

/** The licences of packages, as they ask for: a section for each, with its texts. */
export function formatNotices(packages: readonly BundledPackage[]): string {
  return packages
    .map(({ license, name, texts, version }) => {
      const parts = [`${name} ${version}: ${license ?? 'see below'}`, ...texts];
      return `${'-'.repeat(80)}\n${parts.join('\n\n')}\n`;
    })
    .join('\n');
}
