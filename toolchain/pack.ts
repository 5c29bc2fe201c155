import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeChecksums } from './checksums.ts';
import { makeNpmPackage } from './npm-package.ts';

/*
 * The npm package alone: `node toolchain/pack.ts OUT` makes OUT/package, the tarball of it, and SHA256SUMS.
 */

const out = resolve(process.argv[2] ?? 'dist/npm');
await rm(out, { recursive: true, force: true });
const { tarball } = await makeNpmPackage(out);
await writeChecksums(out, [tarball]);
process.stdout.write(`${join(out, tarball)}\n`);
