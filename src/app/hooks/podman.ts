import { accessSync, constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { broken, type Diagnostic, unknown } from '../../base/diagnostic.ts';
import { askedWrongly } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { lastLine, quoted } from '../../base/text.ts';
import { ociHookFile } from '../../launch/oci-hook.ts';
import { replaceFile } from '../../system/atomic.ts';
import { codeOf, isMissing } from '../../system/errors.ts';
import { userFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { withScratchFolder } from '../../system/scratch.ts';
import { dependencyFindings } from './dependencies.ts';
import { ownerFinding, programFinding, readHookFile, removeHookFile, writeHookFile } from './files.ts';
import { podmanGaps } from './gaps.ts';
import { imageToAllow, proveAllowance, proveRefusal } from './proof.ts';
import type { HookPlace, StatusRequest } from './request.ts';
import { type HookTarget, isProven } from './target.ts';

const again = 'tcf hook install podman';
const status = 'tcf hook status podman';
const verb = 'hook podman';

/** podman and CRI-O: a file in a `hooks.d` folder. */
export const podman: HookTarget = {
  name: 'podman',
  gaps: podmanGaps,

  async install(host, call, request) {
    const { config, folders, hook } = await placesOf(host, request);
    if (config !== undefined && host.uid !== 0) {
      await refuseOwnHooksDir(host);
    }
    await writeHookFile(host, hook, ociHookFile(call));
    if (config === undefined) {
      return [`wrote ${hook}`];
    }
    await writeHookFile(host, config, `[engine]\nhooks_dir = ${JSON.stringify(folders)}\n`);
    return [`wrote ${hook}`, `wrote ${config}`];
  },

  async status(host, request) {
    const places = await installedPlaces(host, request);
    if (places === undefined) {
      const { hook } = await placesOf(host, request);
      return [broken('hook.file', `there is no hook ${hook}`, again)];
    }
    const { config, hook } = places;
    const words = wordsOf((await readHookFile(host, hook)) ?? '', hook);
    const findings = [
      ownerFinding(host, hook),
      programFinding(words.slice(0, words.indexOf('hook')), again),
      ...(await dependencyFindings(host, words, again)),
      ...(await lookedAtFindings(host, request, places)),
    ];
    if (config !== undefined && (await readHookFile(host, config)) === undefined) {
      findings.push(
        broken('hook.config', `there is no ${config}, so podman does not look at the hook`, again),
      );
    }
    return findings.every(isProven) ? [...findings, ...(await prove(host, request))] : findings;
  },

  isInstalled: async (host, request) => (await installedPlaces(host, request)) !== undefined,

  async uninstall(host, request) {
    const { config, hook } = await placesOf(host, request);
    // An administrator may have named other folders since; that of the machine is not a user's to remove.
    const isOfMachine = host.uid === 0 && request.hooksDir === undefined;
    const found = isOfMachine ? (await installedPlaces(host, request))?.hook : undefined;
    const files = [hook, found, config, isOfMachine ? writable.config : undefined];
    const lines: string[] = [];
    for (const file of new Set(files)) {
      lines.push(...(file === undefined ? [] : await removeHookFile(host, file)));
    }
    return lines;
  },
};

/**
 * The one folder that podman looks into with and without a configuration; that in /etc has to be named in one
 * (tried with podman 4.3).
 */
const machineHooks = '/usr/share/containers/oci/hooks.d';
/** For machines whose /usr cannot be written (ostree, bootc). */
const writable = {
  folder: '/etc/containers/oci/hooks.d',
  config: '/etc/containers/containers.conf.d/tcf-hook.conf',
};

interface Places {
  readonly hook: string;
  /** Where podman is told of the folder, if it does not look there by itself, and of which folders. */
  readonly config?: string;
  readonly folders: readonly string[];
}

async function placesOf(host: Host, request: HookPlace): Promise<Places> {
  const given = request.hooksDir;
  if (given !== undefined) {
    const folder = resolve(host.cwd, given);
    return { hook: join(folder, 'tcf.json'), folders: [folder] };
  }
  const looked = await hookFolders(host);
  if (host.uid === 0) {
    return machinePlaces(looked);
  }
  const folder = join(userFolder(host, 'XDG_CONFIG_HOME'), 'containers');
  // Another name than the machine's, which it would replace.
  const hook = join(folder, 'oci/hooks.d/tcf-user.json');
  return {
    hook,
    config: join(folder, 'containers.conf.d/tcf-hook.conf'),
    folders: [...new Set([machineHooks, ...looked, dirname(hook)])],
  };
}

/**
 * Where podman looks on this machine, an administrator's `hooks_dir` included: it prints that as the default
 * of its flag.
 */
async function hookFolders(host: Host): Promise<readonly string[]> {
  const engine = host.find('podman');
  if (engine === undefined) {
    return [];
  }
  const { code, stdout } = await host.run(engine, ['--help']);
  const listed = /--hooks-dir\b.*\(default \[([^\]]*)\]\)/.exec(stdout)?.[1] ?? '';
  return code === 0 ? listed.split(/[\s,]+/).filter((path) => path.startsWith('/')) : [];
}

function machinePlaces(looked: readonly string[]): Places {
  const others = looked.filter((path) => path !== machineHooks);
  const candidates =
    looked.length === 0 || looked.includes(machineHooks) ? [machineHooks, ...others] : looked;
  const folder = candidates.find((path) => !isReadOnly(path));
  // Into that one podman looks because we told it so.
  if (folder !== undefined && folder !== writable.folder) {
    return { hook: join(folder, 'tcf.json'), folders: candidates };
  }
  return {
    hook: join(writable.folder, 'tcf.json'),
    config: writable.config,
    folders: [...new Set([...candidates, writable.folder])],
  };
}

/** Whether the file system of the nearest folder that exists takes no files, whoever writes. */
function isReadOnly(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    try {
      accessSync(at, constants.W_OK);
      return false;
    } catch (error) {
      if (!isMissing(error) || at === '/') {
        return codeOf(error) === 'EROFS';
      }
    }
  }
}

/**
 * The hook of this user, else that of the machine, which serves every user. A folder that podman no longer
 * looks into is looked into here.
 */
async function installedPlaces(host: Host, request: HookPlace): Promise<Places | undefined> {
  const own = await placesOf(host, request);
  if ((await readHookFile(host, own.hook)) !== undefined) {
    return own;
  }
  if (request.hooksDir !== undefined) {
    return undefined;
  }
  for (const folder of new Set([...(await hookFolders(host)), machineHooks, writable.folder])) {
    const hook = join(folder, 'tcf.json');
    if ((await readHookFile(host, hook)) !== undefined) {
      return { hook, folders: [folder] };
    }
  }
  return undefined;
}

/** A folder that podman was told not to look into holds a hook that is never asked. */
async function lookedAtFindings(
  host: Host,
  request: StatusRequest,
  { hook }: Places,
): Promise<readonly Diagnostic[]> {
  const looked = await hookFolders(host);
  if (request.hooksDir !== undefined || looked.length === 0 || looked.includes(dirname(hook))) {
    return [];
  }
  return [
    broken(
      'hook.config',
      `podman looks into ${looked.join(', ')} (hooks_dir in containers.conf), and not into ${dirname(hook)}`,
      `${again}, or name ${dirname(hook)} in that hooks_dir`,
    ),
  ];
}

/** Our setting would replace the user's, and take their hooks away. */
async function refuseOwnHooksDir(host: Host): Promise<void> {
  const path = join(userFolder(host, 'XDG_CONFIG_HOME'), 'containers/containers.conf');
  const text = await readHookFile(host, path);
  if (text === undefined || !/^\s*hooks_dir\s*=/m.test(text)) {
    return;
  }
  throw askedWrongly('hook.hooks-dir', `${quoted(path)} has a hooks_dir of its own`, {
    hint: 'name that folder: tcf hook install podman --hooks-dir DIR',
  });
}

/** The words after `sh -c SCRIPT`: the command line that the hook starts. */
function wordsOf(text: string, path: string): readonly string[] {
  const args = new Shape(parseJson(text, quoted(path)), path).get('hook').get('args').list(100);
  return args.slice(3).map((word) => word.string(4096));
}

/**
 * Starts an empty image that nobody signed, and one that is signed, with a program that neither has: a
 * container that passes the hook ends before its first instruction.
 */
async function prove(host: Host, request: StatusRequest): Promise<readonly Diagnostic[]> {
  const engine = host.find('podman');
  if (engine === undefined) {
    return [unknown('hook.runtime', 'there is no podman on PATH to ask', 'install podman')];
  }
  const hooks = request.hooksDir;
  const start = async (image: string, ...flags: readonly string[]) => {
    const ran = await host.run(engine, [
      ...(hooks === undefined ? [] : ['--hooks-dir', resolve(host.cwd, hooks)]),
      ...['run', '--rm', '--network=none', ...flags, '--entrypoint=/tcf-probe', image],
    ]);
    return { answered: true, started: ran.code === 0, said: `podman says: ${lastLine(ran.stderr)}` };
  };
  const nonce = crypto.randomUUID();
  const image = `localhost/tcf-probe:${nonce}`;
  const unsigned = await withEmptyImage(host, engine, image, async (problem) =>
    problem === undefined
      ? await proveRefusal(host, verb, nonce, again, () => start(image, '--pull=never'))
      : unknown('hook.refusal', `podman cannot make an image to try it: ${problem}`, 'podman info'),
  );
  if (!isProven(unsigned)) {
    return [unsigned];
  }
  const signed = await imageToAllow(host, verb, request);
  const allowance = proveAllowance(host, verb, signed, status, async (name) => {
    const there = await host.run(engine, ['image', 'exists', name]);
    if (there.code === 0) {
      return await start(name, '--pull=never');
    }
    return { answered: false, started: false, said: `podman does not have it (podman pull ${name})` };
  });
  return [unsigned, await allowance];
}

async function withEmptyImage<Result>(
  host: Host,
  engine: string,
  image: string,
  use: (problem: string | undefined) => Promise<Result>,
): Promise<Result> {
  return await withScratchFolder(async (folder) => {
    const archive = join(folder, 'empty.tar');
    await replaceFile(archive, new Uint8Array(1024));
    const made = await host.run(engine, ['import', '--quiet', archive, image]);
    const result = await use(made.code === 0 ? undefined : lastLine(made.stderr));
    await host.run(engine, ['image', 'rm', '--force', image]);
    return result;
  });
}
