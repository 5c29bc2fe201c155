import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'rolldown';

/**
 * A folder that runs on any supported Node, with nothing to install beside it. Verbs load late (docs/decisions/0005), so each is a file of its own: as
 * one file, a start took six times as long (bench/start.ts).
 */
await rm('dist', { recursive: true, force: true });
await build({
  input: { tcf: 'src/main.ts' },
  platform: 'node',
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'parts/[name]-[hash].js' },
  // CommonJS packages ask for __dirname, which a module does not have.
  // The oldest Node of package.json's engines has no `using`.
  transform: { target: 'node22.22', define: { __dirname: 'import.meta.dirname' } },
  logLevel: 'warn',
});
const entry = await readFile('dist/tcf.js', 'utf8');
if (!entry.startsWith('#!')) await writeFile('dist/tcf.js', `#!/usr/bin/env node\n${entry}`);
await chmod('dist/tcf.js', 0o755);
