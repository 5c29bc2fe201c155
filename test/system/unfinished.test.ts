import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { folder } from '../support/host.ts';

const atomic = join(import.meta.dirname, '../../src/system/atomic.ts');
const scratch = join(import.meta.dirname, '../../src/system/scratch.ts');
const unfinished = join(import.meta.dirname, '../../src/system/unfinished.ts');

/** A process that writes a file for ever, beside a folder of its own. */
const writer = `import { watchEndOf } from '${unfinished}';
import { replaceFile } from '${atomic}';
import { withScratchFolder } from '${scratch}';
watchEndOf(process);
const endless = async function* () { for (;;) { yield Buffer.alloc(10); process.stdout.write('.'); await new Promise((done) => setTimeout(done, 20)); } };
if (process.argv[2] === 'listens') { process.on('SIGINT', () => process.exit(7)); }
await withScratchFolder(() => replaceFile('out.json', endless()));`;

test.for([
  ['SIGINT', 'SIGINT', null],
  ['SIGTERM', 'SIGTERM', null],
  ['SIGHUP', 'SIGHUP', null],
  ['SIGINT', null, 7],
] as const)('%s leaves no temporary file: %j, %j', async ([sent, signal, code]) => {
  using place = folder();
  writeFileSync(join(place.path, 'writer.ts'), writer);
  writeFileSync(join(place.path, 'out.json'), 'old');
  const child = spawn(process.execPath, ['writer.ts', code === null ? '' : 'listens'], {
    cwd: place.path,
    env: { ...process.env, TMPDIR: place.path },
  });
  const ended = new Promise((resolve) => child.on('close', (...how) => resolve(how)));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await sleep(50);
  const during = readdirSync(place.path);
  expect(during.some((name) => name.endsWith('.tmp')) && during.some((name) => name.startsWith('tcf-'))).toBe(
    true,
  );
  child.kill(sent);
  expect(await ended).toEqual([code, signal]);
  expect(readdirSync(place.path).sort()).toEqual(['out.json', 'writer.ts']);
});
