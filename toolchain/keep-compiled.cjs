'use strict';

/* Runs the built program of the folder in the first argument with the others, and keeps what was compiled on the way beside what was kept before. */

const { mkdirSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setFlagsFromString } = require('node:v8');

const [node, , folder, ...args] = process.argv;
const program = join(folder, 'tcf.js');
process.argv = [node, program, ...args];
const { compiled, modules } = require(program);
process.on('exit', () => {
  // Scans ask for a small heap (src/app/scan.ts); code that was kept under other flags than those of the next start would be refused.
  for (const flag of ['--heap-growing-percent=0', '--semi-space-growth-factor=2']) {
    setFlagsFromString(flag);
  }
  mkdirSync(compiled, { recursive: true });
  for (const [name, { script }] of modules) {
    writeFileSync(join(compiled, `${name}.new`), script.createCachedData());
    renameSync(join(compiled, `${name}.new`), join(compiled, name));
  }
});
