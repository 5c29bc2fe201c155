import { join } from 'node:path';
import { bundleProgram } from './bundle.ts';

/* What npm runs before it packs the repository: `npx git+https://...`, `npm install -g git+https://...`. */

await bundleProgram(join(import.meta.dirname, '../dist'));
