#!/usr/bin/env node
'use strict';

/*
 * Where the built program begins: `dist/tcf.js`. Compiling takes most of the time of a short program, so compiled code lies beside the code it was made of and nowhere
 * else: whoever can write there could change the code as well. Node's own compile cache keeps what a file needs to be loaded, this one also the functions that ran
 * when it was made (toolchain/compile.ts). It is made for one version of Node; for others Node's own takes its place.
 */

const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { basename, join } = require('node:path');
const { constants, Script } = require('node:vm');

const parts = join(__dirname, 'parts');
const compiled = join(__dirname, 'compiled', `${process.version}-${process.platform}-${process.arch}`);
/** What V8 does not accept it compiles anew. */
const kept = new Set(existsSync(compiled) ? readdirSync(compiled) : []);
const wrapper = '(function (exports, require, module, __filename) {';
const modules = new Map();

function load(name) {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const filename = join(parts, name);
  const script = new Script(`${wrapper}${readFileSync(filename, 'utf8')}\n})`, {
    filename,
    columnOffset: -wrapper.length,
    cachedData: kept.has(name) ? readFileSync(join(compiled, name)) : undefined,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
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
