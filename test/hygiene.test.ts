import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly license?: string;
}

const root = join(import.meta.dirname, '..');
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>;
};
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>;
const allowed = readFileSync(join(root, 'test/allowed-packages.txt'), 'utf8').trim().split('\n');
const installed = Object.entries(lock.packages).filter(
  ([path, entry]) => path.startsWith('node_modules/') && !entry.link,
);
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

test('every package of the lock file is one we have looked at', () => {
  const names = [...new Set(installed.map(([path]) => nameOf(path)))].sort();
  expect(names).toEqual(allowed);
});

test.for(installed.map(([path, entry]) => [path, entry] as const))(
  '%s is pinned by hash, from a registry, and runs nothing when installed',
  ([, entry]) => {
    expect(entry.integrity).toMatch(/^sha512-/);
    expect(entry.resolved ?? 'https://').toMatch(/^https:\/\//);
    expect(entry.hasInstallScript ?? false).toBe(false);
  },
);

test('what we ask for is an exact version', () => {
  const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});
