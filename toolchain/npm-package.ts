import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import manifest from '../package.json' with { type: 'json' };
import { completionFiles } from '../src/report/completion/index.ts';
import { bundleProgram } from './bundle.ts';
import { manualPages } from './man.ts';
import type { BundledPackage } from './packages.ts';

const root = join(import.meta.dirname, '..');

/**
 * Not all of package.json: what is published needs nothing beside it, and runs nothing when it is installed.
 */
const published = {
  name: '@triton-container-first/tcf',
  version: manifest.version,
  description: manifest.description,
  license: manifest.license,
  bin: manifest.bin,
  engines: manifest.engines,
  files: ['dist/', 'policies/', 'completions/', 'images/', 'man/', 'CHANGELOG.md'],
};

export interface NpmPackage {
  /** Name of the tarball, in the folder that was asked for. */
  readonly tarball: string;
  /** The packages whose code is in it. */
  readonly packages: readonly BundledPackage[];
}

/**
 * Makes the npm package in the folder `out`: `package/` and the tarball of it. The pinned Node writes the
 * tarball and npm does not, so that the same sources give the same bytes. Without what V8 compiled: that
 * differs from build to build and fits one version of Node, and the Node of the user makes its own
 * (start.cjs).
 */
export async function makeNpmPackage(out: string): Promise<NpmPackage> {
  const stage = join(out, 'package');
  await mkdir(join(stage, 'completions'), { recursive: true });
  for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'images', 'policies']) {
    await cp(join(root, name), join(stage, name), { recursive: true });
  }
  const packages = await bundleProgram(join(stage, 'dist'));
  // The packed program would leave a compile cache.
  const program = join(root, 'src/main.ts');
  for (const [shell, file] of Object.entries(completionFiles)) {
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'completion', shell]);
    await writeFile(join(stage, 'completions', file), stdout);
  }
  await mkdir(join(stage, 'man'));
  const pages = await manualPages();
  for (const [name, page] of pages) {
    await writeFile(join(stage, 'man', name), page);
  }
  const man = [...pages.keys()].map((name) => `man/${name}`);
  await writeFile(join(stage, 'package.json'), `${JSON.stringify({ ...published, man }, undefined, 2)}\n`);
  const tarball = `${published.name.slice(1).replace('/', '-')}-${manifest.version}.tgz`;
  await writeFile(join(out, tarball), gzipSync(await tarOf(out), { level: 9 }));
  return { tarball, packages };
}

/** `package/` of the folder, with sorted names, fixed modes and times. */
async function tarOf(out: string): Promise<Uint8Array> {
  const names = (await readdir(join(out, 'package'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1))
    .sort();
  const entries = await Promise.all(
    names.map(async (name) => {
      const body = await readFile(join(out, name));
      const mode = name === 'package/dist/tcf.js' ? 0o755 : 0o644;
      return { header: { name, mode, size: body.length, mtime: new Date(0), type: 'file' as const }, body };
    }),
  );
  return await packTar(entries);
}
