import { chmod, readFile, writeFile } from 'node:fs/promises';
import { build } from 'rolldown';

/** One file that runs on any supported Node, with nothing to install beside it. */
await build({
  input: 'src/main.ts',
  platform: 'node',
  output: {
    file: 'dist/tcf.js',
    format: 'esm',
    codeSplitting: false,
  },
  // CommonJS packages ask for __dirname, which a module does not have.
  // The oldest Node of package.json's engines has no `using`.
  transform: { target: 'node22.22', define: { __dirname: 'import.meta.dirname' } },
  logLevel: 'warn',
});
const bundle = await readFile('dist/tcf.js', 'utf8');
if (!bundle.startsWith('#!')) await writeFile('dist/tcf.js', `#!/usr/bin/env node\n${bundle}`);
await chmod('dist/tcf.js', 0o755);
