import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { askedWrongly } from '../../base/error.ts';
import type { Host } from '../../system/host.ts';
import { isForEverybody, whoElseWrites, whoElseWritesBelow } from '../../system/owners.ts';

/** The folder of a program that comes with files of its own, and what it loads from elsewhere. */
function programParts(program: readonly string[]): {
  readonly files: readonly string[];
  readonly folders: readonly string[];
} {
  const paths = program.filter((word) => word.startsWith('/'));
  const [node, main] = paths;
  if (main === undefined) {
    return { files: node === undefined ? [] : [node], folders: [] };
  }
  const folder = dirname(main);
  // Run from source: packages lie beside it.
  const packages = main.endsWith('.ts') ? [join(folder, '../node_modules')] : [];
  return { files: paths, folders: [folder, ...packages] };
}

/** Why somebody else could change the program of a hook. */
export function whoElseWritesProgram(program: readonly string[], uid: number): string | undefined {
  const { files, folders } = programParts(program);
  for (const path of files) {
    const why = whoElseWrites(path, uid);
    if (why !== undefined) {
      return why;
    }
  }
  for (const folder of folders) {
    const why = whoElseWritesBelow(folder, uid);
    if (why !== undefined) {
      return why;
    }
  }
  return undefined;
}

/**
 * @throws TcfError `hook.program` (exit 3): whoever can change the program decides what starts, and as root.
 */
export function refuseForeignProgram(host: Host): void {
  const why = whoElseWritesProgram(host.self, host.uid);
  if (why === undefined) {
    return;
  }
  throw askedWrongly(
    'hook.program',
    `the program of a hook must be ${host.uid === 0 ? "root's" : 'yours'} alone: ${why}`,
    {
      hint: 'install a release: copy it as root to /usr/local/lib/tcf, and call it there',
    },
  );
}

/** What other users cannot read of a hook of the machine; their containers would all be refused. */
export function closedToOthers(host: Host, flags: readonly string[]): string | undefined {
  const { files } = programParts(host.self);
  const needed = [...files, ...flags.filter((word) => word.startsWith('/'))];
  return needed.find(
    (path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined && !isForEverybody(path),
  );
}
