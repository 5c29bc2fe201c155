#!/usr/bin/env node
'use strict';

/** What package.json's `engines` says, by main version; an older Node reads this file this far and no further. */
const oldest = { 22: [22, 2], 24: [15, 0] };
const anyFrom = 26;
const [major, minor, patch] = process.versions.node.split('.').map(Number);
const from = major >= anyFrom ? [0, 0] : oldest[major];
if (from === undefined || minor < from[0] || (minor === from[0] && patch < from[1])) {
  const named = Object.keys(oldest).map((main) => `${main} (from ${main}.${oldest[main].join('.')})`);
  const needed = `${named.join(', ')}, or ${anyFrom} and newer`;
  process.stderr.write(`tcf: error: tcf needs Node ${needed}, and this is Node ${process.versions.node}\n`);
  // As src/cli.ts ends where nothing was started.
  process.exit(['run', 'up', 'exec'].includes(process.argv[2]) ? 125 : 2);
}

/*
 * Where the built program begins: `dist/tcf.js`. Compiling takes most of the time of a short program, so compiled code lies beside the code it was made of and nowhere
 * else: whoever can write there could change the code as well. Node's own compile cache keeps what a file needs to be loaded, this one also the functions that ran
 * when it was made (toolchain/compile.ts). It is made for one version of Node; for others Node's own takes its place.
 */

const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { basename, join } = require('node:path');
const { Script } = require('node:vm');

const parts = join(__dirname, 'parts');
const compiled = join(__dirname, 'compiled', `${process.version}-${process.platform}-${process.arch}`);
/** What V8 does not accept it compiles anew. */
const kept = new Set(existsSync(compiled) ? readdirSync(compiled) : []);
const wrapper = '(function (exports, require, module, __filename) {';
const modules = new Map();

function load(name) {
  const known = modules.get(name);
  if (known !== undefined) {
    return known.exports;
  }
  const filename = join(parts, name);
  const script = new Script(`${wrapper}${readFileSync(filename, 'utf8')}\n})`, {
    filename,
    columnOffset: -wrapper.length,
    cachedData: kept.has(name) ? readFileSync(join(compiled, name)) : undefined,
  });
  const module = { exports: {}, script };
  modules.set(name, module);
  script.runInThisContext()(
    module.exports,
    (id) => (id.startsWith('.') ? load(basename(id)) : require(id)),
    module,
    filename,
  );
  return module.exports;
}

// Whoever requires this file wants to keep what is compiled (toolchain/keep-compiled.cjs).
if (kept.size > 0 || require.main !== module) {
  load('main.js');
} else {
  enableCompileCache(join(__dirname, 'compiled'));
  require('./parts/main.js');
}

exports.compiled = compiled;
exports.modules = modules;
