import { spawnSync } from 'node:child_process';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'rolldown';

/**
 * A folder that runs on any supported Node, with nothing to install beside it. Verbs load late (docs/decisions/0005), so each is a file of its own: as
 * one file, a start took six times as long (bench/start.ts). CommonJS, because an `import` of a built-in module evaluates every lazy part of it.
 */
await rm('dist', { recursive: true, force: true });
await build({
  input: { tcf: 'src/main.ts' },
  platform: 'node',
  output: { dir: 'dist', format: 'cjs', chunkFileNames: 'parts/[name]-[hash].js' },
  // The oldest Node of package.json's engines has no `using`.
  transform: { target: 'node22.22' },
  logLevel: 'warn',
});
await writeFile('dist/package.json', '{ "type": "commonjs" }\n');

// Compiled code is kept beside the code it was made of and nowhere else: whoever can write there could change the code as well.
const head = "#!/usr/bin/env node\nrequire('node:module').enableCompileCache(__dirname + '/compiled');\n";
const entry = await readFile('dist/tcf.js', 'utf8');
await writeFile('dist/tcf.js', head + entry.replace(/^#!.*\n/, ''));
await chmod('dist/tcf.js', 0o755);
for (const verb of ['verify', 'run', 'hook']) spawnSync(process.execPath, ['dist/tcf.js', verb, '--help']);
