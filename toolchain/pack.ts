import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import manifest from '../package.json' with { type: 'json' };
import { completionFiles } from '../src/report/completion/index.ts';
import { bundleProgram } from './bundle.ts';

/*
 * The npm package: `node toolchain/pack.ts OUT` makes OUT/package, the tarball of it, and SHA256SUMS. The
 * pinned Node writes the tarball and npm does not, so that the same sources give the same bytes. Without what
 * V8 compiled: that differs from build to build and fits one version of Node, and the Node of the user makes
 * its own (start.cjs).
 */

const out = resolve(process.argv[2] ?? 'dist/npm');
const root = join(import.meta.dirname, '..');
const stage = join(out, 'package');

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
  files: ['dist/', 'policies/', 'completions/', 'CHANGELOG.md'],
};

await rm(out, { recursive: true, force: true });
await mkdir(join(stage, 'completions'), { recursive: true });
for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'policies']) {
  await cp(join(root, name), join(stage, name), { recursive: true });
}
await bundleProgram(join(stage, 'dist'));
await writeFile(join(stage, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`);
// The packed program would leave a compile cache.
const program = join(root, 'src/main.ts');
for (const [shell, file] of Object.entries(completionFiles)) {
  const { stdout } = await promisify(execFile)(process.execPath, [program, 'completion', shell]);
  await writeFile(join(stage, 'completions', file), stdout);
}

const names = (await readdir(stage, { recursive: true, withFileTypes: true }))
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
const tarball = gzipSync(await packTar(entries), { level: 9 });
const name = `${published.name.slice(1).replace('/', '-')}-${manifest.version}.tgz`;
await writeFile(join(out, name), tarball);
const digest = createHash('sha256').update(tarball).digest('hex');
await writeFile(join(out, 'SHA256SUMS'), `${digest}  ${name}\n`);
process.stdout.write(`${join(out, name)}\n`);
