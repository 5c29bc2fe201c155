import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The main file, and how a thread asks for it (src/system/executable.ts). */
const threadStart = 'start.js';

/**
 * Writes one file that is Node and the program of `parts` (toolchain/bundle.ts): Node's own single executable
 * application. `node` is an official Node of the version that runs this, of any platform: Node writes what it
 * adds in the same bytes everywhere, as long as no code is compiled ahead (docs/decisions/0040).
 */
export async function makeExecutable(parts: string, node: string, output: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tcf-executable-'));
  try {
    // Its name as it stands here goes into the executable, so there is no folder in it.
    const start = threadStart;
    await copyFile(join(import.meta.dirname, 'start-executable.cjs'), join(folder, start));
    const names = (await readdir(parts)).sort();
    const config = {
      main: start,
      executable: resolve(node),
      output: resolve(output),
      disableExperimentalSEAWarning: true,
      // What a Node of the user is told (NODE_OPTIONS=--require ./x.js) is not meant for tcf.
      execArgvExtension: 'none',
      assets: Object.fromEntries([
        [threadStart, start],
        ...names.map((name) => [name, resolve(parts, name)]),
      ]),
    };
    const file = join(folder, 'executable.json');
    await writeFile(file, JSON.stringify(config));
    await promisify(execFile)(process.execPath, ['--build-sea', file], { cwd: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
