import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import {
  asksByScript,
  type DevContainer,
  parseDevContainer,
  usualFiles,
} from '../../launch/devcontainer/document.ts';
import { projectPaths } from '../../launch/devcontainer/engine-words.ts';
import { type DevContainerFault, faultOf, faultsOf } from '../../launch/devcontainer/faults.ts';
import { formatCheckScript, parseCheckScript, scriptFile } from '../../launch/devcontainer/script.ts';
import { isMissing } from '../../system/errors.ts';
import { expectWritable, fileExists, makeFolder, readPlainFile, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { version } from '../../version.ts';
import { allowedWords } from './allowed-words.ts';

const maxFile = 1024 * 1024;

/** @throws TcfError `file.unreadable`, `devcontainer.malformed` (exit 3). */
export async function readDevContainer(host: Host, file: string): Promise<DevContainer> {
  return parseDevContainer(await readText(host, file, 'the configuration'), file);
}

async function readText(host: Host, file: string, what: string): Promise<string> {
  const text = decodeUtf8(await readPlainFile(host, file, maxFile, what));
  if (text === undefined) {
    throw askedWrongly('devcontainer.malformed', `${quoted(file)} is not UTF-8`);
  }
  return text;
}

/**
 * The usual file, else the only one of `.devcontainer/NAME/devcontainer.json`.
 *
 * @throws TcfError `devcontainer.file` (exit 3).
 */
export function findDevContainerFile(host: Host, given: string | undefined): string {
  if (given !== undefined) {
    return relative(host.cwd, resolve(host.cwd, given));
  }
  const usual = usualFiles.find((path) => fileExists(host, path));
  if (usual !== undefined) {
    return usual;
  }
  const found = inFolders(host).filter((path) => fileExists(host, path));
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) {
    return only;
  }
  throw askedWrongly(
    'devcontainer.file',
    only === undefined
      ? `there is no devcontainer.json in ${quoted(host.cwd)}`
      : `there are several: ${found.join(', ')}`,
    { hint: only === undefined ? 'tcf devcontainer init IMAGE writes one' : 'name one with --file' },
  );
}

function inFolders(host: Host): readonly string[] {
  try {
    return readdirSync(join(host.cwd, '.devcontainer'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join('.devcontainer', name, 'devcontainer.json'))
      .sort();
  } catch (error) {
    if (isMissing(error)) {
      return [];
    }
    throw error;
  }
}

/**
 * All that speaks against starting the file: what it says, what its script says, and where its paths lead.
 */
export async function examineDevContainer(
  host: Host,
  container: DevContainer,
  file: string,
): Promise<readonly DevContainerFault[]> {
  return [
    ...faultsOf(container, file, await allowedWords(host)),
    ...(asksByScript(container, file) ? await faultsOfScript(host, file) : []),
    ...faultsOfPaths(host, container, file),
  ];
}

async function faultsOfScript(host: Host, file: string): Promise<readonly DevContainerFault[]> {
  const path = scriptFile(file);
  const hint = 'tcf devcontainer pin';
  if (!fileExists(host, path)) {
    return [faultOf('script', file, `there is no ${quoted(path)}, which "initializeCommand" calls`, hint)];
  }
  if (parseCheckScript(await readText(host, path, 'the script')) !== undefined) {
    return [];
  }
  return [faultOf('script', file, `${quoted(path)} is not what tcf writes, so tcf may not be asked`, hint)];
}

/** The engine follows links: `cache -> /` in a project is the whole host. */
function faultsOfPaths(host: Host, container: DevContainer, file: string): readonly DevContainerFault[] {
  const project = realpathSync(host.cwd);
  const hint = 'leave it out';
  const paths = [...new Set(projectPaths(container))];
  if (paths.length > 0 && /[,:]/.test(project)) {
    return [
      faultOf(
        'path',
        file,
        `the path ${quoted(project)} has a comma or a colon, which ends a mount`,
        'move the project',
      ),
    ];
  }
  return paths
    .filter((path) => !isBelow(realPath(join(project, path)), project))
    .map((path) => faultOf('path', file, `${quoted(path)} leads out of the project through a link`, hint));
}

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The path without links; of what is not there yet, the nearest folder that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    // A link to nowhere is missing as well, and would be made by the engine.
    if (!isMissing(error)) {
      return '/';
    }
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()
      ? '/'
      : join(realPath(dirname(path)), 'new');
  }
}

/** What the script passes on to `tcf devcontainer check`. */
export interface CheckOptions {
  readonly policy?: string;
  readonly trustedRoot?: string;
  /** `os/architecture`. */
  readonly platform?: string;
  readonly allowHttp?: boolean;
}

/**
 * Writes the file and, beside it, the script that asks with the options that were used. Returns warnings of
 * what others cannot use.
 */
export async function writeDevContainer(
  host: Host,
  file: string,
  text: string,
  asks: CheckOptions,
  exclusive = false,
): Promise<readonly string[]> {
  const { call, warnings } = scriptCall(host, file, asks);
  await makeFolder(host, dirname(resolve(host.cwd, file)));
  await writeUserFile(host, file, text, { exclusive });
  await writeUserFile(host, scriptFile(file), formatCheckScript({ call, version }), { mode: 0o755 });
  return warnings;
}

/**
 * Refuses a new file before the image is asked about, where it could not be written in the end.
 *
 * @throws TcfError `file.exists`, `file.unwritable` (exit 3).
 */
export async function expectNewDevContainer(host: Host, file: string): Promise<void> {
  let path = file;
  // A folder that is still to be made is tried in the one that it will be in.
  while (!fileExists(host, dirname(path)) && dirname(path) !== path) {
    path = dirname(path);
  }
  await expectWritable(host, path, path === file ? 'exclusive' : 'replace');
}

function scriptCall(
  host: Host,
  file: string,
  asks: CheckOptions,
): { readonly call: readonly string[]; readonly warnings: readonly string[] } {
  const outside: string[] = [];
  const path = (name: string, given: string | undefined): readonly string[] => {
    if (given === undefined) {
      return [];
    }
    const inProject = relative(host.cwd, resolve(host.cwd, given));
    if (!inProject.startsWith('..') && inProject !== '') {
      return [name, inProject];
    }
    outside.push(given);
    return [];
  };
  const call = [
    'devcontainer',
    'check',
    ...(usualFiles.includes(file) ? [] : ['--file', file]),
    ...path('--policy', asks.policy),
    ...path('--trusted-root', asks.trustedRoot),
    ...(asks.platform === undefined ? [] : ['--platform', asks.platform]),
    ...(asks.allowHttp ? ['--allow-http'] : []),
  ];
  const warnings = outside.map(
    (path) =>
      `${quoted(path)} is not in the project, so everyone who opens the project needs a policy in /etc/tcf or ~/.config/tcf`,
  );
  return { call, warnings };
}
