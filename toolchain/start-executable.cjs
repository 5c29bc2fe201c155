'use strict';

/*
 * Where a single executable begins (toolchain/executable.ts), and each of its threads: the parts of the
 * program lie in it as assets. `require` knows the modules of Node here and nothing of the disk, so that no
 * file of the current folder is ever code of tcf.
 */

const { getAsset } = require('node:sea');
const { Script } = require('node:vm');
const { isMainThread, workerData } = require('node:worker_threads');

const wrapper = '(function (exports, require, module, __filename) {';
const modules = new Map();

function load(name) {
  const known = modules.get(name);
  if (known !== undefined) {
    return known.exports;
  }
  // Ends as a path, because errors name it; nothing is read there.
  const filename = `${process.execPath}/${name}`;
  const script = new Script(`${wrapper}${getAsset(name, 'utf8')}\n})`, {
    filename,
    columnOffset: -wrapper.length,
  });
  const module = { exports: {} };
  modules.set(name, module);
  script.runInThisContext()(
    module.exports,
    (id) => (id.startsWith('./') ? load(id.slice(2)) : process.getBuiltinModule(id)),
    module,
    filename,
  );
  return module.exports;
}

load(isMainThread ? 'main.js' : workerData);
