import { resolve } from 'node:path';
import { bundleProgram } from './bundle.ts';
import { compileParts } from './compile.ts';

/** Where to; `dist` where nothing is said. */
const folder = resolve(process.argv[2] ?? 'dist');

await bundleProgram(folder);
await compileParts(folder);
