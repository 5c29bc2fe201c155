import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import manifest from '../package.json' with { type: 'json' };
import { writeChecksums } from './checksums.ts';
import { makeExecutable } from './executable.ts';
import { makeNpmPackage } from './npm-package.ts';
import { formatNotices } from './packages.ts';
import { bringNode, type ExecutablePlatform, executablePlatforms } from './platforms.ts';
import { formatReleaseSbom } from './release-sbom.ts';

/*
 * Everything of a release that is not signed: `node toolchain/release.ts OUT [PLATFORM...]`. The same commit
 * gives the same bytes in every folder (docs/install.md).
 */

const [to = 'dist/release', ...asked] = process.argv.slice(2);
const out = resolve(to);
const platforms = executablePlatforms.filter(({ name }) => asked.length === 0 || asked.includes(name));
if (platforms.length === 0) {
  throw new Error(`the platforms are ${executablePlatforms.map(({ name }) => name).join(', ')}`);
}
const work = await mkdtemp(join(tmpdir(), 'tcf-release-'));
try {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { packages, tarball } = await makeNpmPackage(work);
  await copyFile(join(work, tarball), join(out, tarball));
  for (const platform of platforms) {
    await release(platform);
  }
  const nodes = platforms.map(({ nodePackage }) => nodePackage);
  await writeFile(join(out, `tcf-${manifest.version}.cdx.json`), formatReleaseSbom(packages, nodes));
  const node = await readFile(join(dirname(process.execPath), '../LICENSE'), 'utf8');
  const notices = `${formatNotices(packages)}\n${'-'.repeat(80)}\nNode ${process.version}\n\n${node}`;
  await writeFile(join(out, 'THIRD-PARTY.txt'), notices);
  const script = await readFile(join(import.meta.dirname, 'install.sh'), 'utf8');
  await writeFile(join(out, 'install.sh'), script.replace('VERSION_OF_RELEASE', manifest.version));
  await writeChecksums(out, await readdir(out));
} finally {
  await rm(work, { recursive: true, force: true });
}

/** The executable of a platform, packed twice: whoever has no zstd has gzip. */
async function release(platform: ExecutablePlatform): Promise<void> {
  const folder = join(work, platform.name);
  await mkdir(folder);
  const executable = join(folder, 'tcf');
  await makeExecutable(join(work, 'package/dist/parts'), await bringNode(platform, folder), executable);
  const bytes = await readFile(executable);
  const name = join(out, `tcf-${manifest.version}-${platform.name}`);
  await writeFile(`${name}.gz`, gzipSync(bytes, { level: 9 }));
  const params = { [constants.ZSTD_c_compressionLevel]: 19 };
  await writeFile(`${name}.zst`, zstdCompressSync(bytes, { params }));
  await rm(folder, { recursive: true });
}
