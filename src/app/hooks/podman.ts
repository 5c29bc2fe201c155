import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { askedWrongly, TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { printable, quoted } from '../../base/text.ts';
import { ociHookFile } from '../../launch/oci-hook.ts';
import { userFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { entryNumbers, readEntry } from '../decision-log.ts';
import { type Options, textOption } from '../options.ts';
import { ownerFinding, programFinding, readHookFile, removeHookFile, writeHookFile } from './files.ts';
import { broken, fine, type HookFinding, type HookTarget } from './target.ts';

const again = 'tcf hook install podman';

/** podman and CRI-O: a file in a `hooks.d` folder. */
export const podman: HookTarget = {
  name: 'podman',
  gaps: [
    'RUN steps of podman build and buildah with --allow-builds (without it they are denied, since they run what nothing has verified)',
    'podman --remote, and podman of another user',
    'containers that are running already, and restored checkpoints',
    'podman run --hooks-dir with another folder, or a runtime that runs no hooks',
    'layers that were changed on disk, and --root or --rootfs in a store that somebody made up: a store is believed by its lists',
  ],

  async install(host, call, options) {
    const { config, hook } = placesOf(host, options);
    if (config !== undefined) await refuseOwnHooksDir(host);
    await writeHookFile(host, hook, ociHookFile(call));
    if (config === undefined) return [`wrote ${hook}`];
    const folders = JSON.stringify([machineHooks, dirname(hook)]);
    await writeHookFile(host, config, `[engine]\nhooks_dir = ${folders}\n`);
    return [`wrote ${hook}`, `wrote ${config}`];
  },

  async status(host, options) {
    const { config, hook } = placesOf(host, options);
    const text = await readHookFile(host, hook);
    if (text === undefined) return [broken(`there is no hook ${hook}`, again)];
    const findings = [ownerFinding(host, hook), programFinding(programOf(text, hook), again)];
    if (config !== undefined && (await readHookFile(host, config)) === undefined)
      findings.push(broken(`there is no ${config}, so podman does not look at the hook`, again));
    return findings.every(({ ok }) => ok) ? [...findings, await probe(host, options)] : findings;
  },

  async uninstall(host, options) {
    const { config, hook } = placesOf(host, options);
    return [
      ...(await removeHookFile(host, hook)),
      ...(config === undefined ? [] : await removeHookFile(host, config)),
    ];
  },
};

/** The one folder that podman looks into with and without a configuration; that in /etc has to be named in one (tried with podman 4.3). */
const machineHooks = '/usr/share/containers/oci/hooks.d';

interface Places {
  readonly hook: string;
  /** Where podman is told of the folder, if it does not look there by itself. */
  readonly config?: string;
}

function placesOf(host: Host, options: Options): Places {
  const given = textOption(options, 'hooksDir');
  if (given !== undefined) return { hook: join(resolve(host.cwd, given), 'tcf.json') };
  if (host.uid === 0) return { hook: join(machineHooks, 'tcf.json') };
  const folder = join(userFolder(host, 'XDG_CONFIG_HOME'), 'containers');
  return {
    // Another name than the machine's, which it would replace.
    hook: join(folder, 'oci/hooks.d/tcf-user.json'),
    config: join(folder, 'containers.conf.d/tcf-hook.conf'),
  };
}

/** Our setting would replace the user's, and take their hooks away. */
async function refuseOwnHooksDir(host: Host): Promise<void> {
  const path = join(userFolder(host, 'XDG_CONFIG_HOME'), 'containers/containers.conf');
  const text = await readHookFile(host, path);
  if (text === undefined || !/^\s*hooks_dir\s*=/m.test(text)) return;
  throw askedWrongly('hook.hooks-dir', `${quoted(path)} has a hooks_dir of its own`, {
    hint: 'name that folder: tcf hook install podman --hooks-dir DIR',
  });
}

/** The words after `sh -c SCRIPT`: what the hook starts. */
function programOf(text: string, path: string): readonly string[] {
  const args = new Shape(parseJson(text, quoted(path)), path).get('hook').get('args').list(100);
  const words = args.slice(3).map((word) => word.string(4096));
  return words.slice(0, words.indexOf('hook'));
}

/**
 * Starts an empty image that nobody signed. The hook is proven if its own log has the refusal of exactly this image; the container could have
 * done nothing anyway, for there is no program in it.
 */
async function probe(host: Host, options: Options): Promise<HookFinding> {
  const engine = host.find('podman');
  if (engine === undefined) return broken('there is no podman on PATH', 'install podman');
  const nonce = crypto.randomUUID();
  const image = `localhost/tcf-probe:${nonce}`;
  const folder = await mkdtemp(join(tmpdir(), 'tcf-probe-'));
  try {
    const archive = join(folder, 'empty.tar');
    await writeFile(archive, new Uint8Array(1024));
    const made = await host.run(engine, ['import', '--quiet', archive, image]);
    if (made.code !== 0)
      return broken(`podman cannot make an image to try it: ${lastLine(made.stderr)}`, 'podman info');
    const before = entryNumbers(host).length;
    const hooks = textOption(options, 'hooksDir');
    const ran = await host.run(engine, [
      ...(hooks === undefined ? [] : ['--hooks-dir', resolve(host.cwd, hooks)]),
      ...['run', '--rm', '--pull=never', '--network=none', image, '/tcf-probe'],
    ]);
    await host.run(engine, ['image', 'rm', '--force', image]);
    if (ran.code !== 0 && (await isRefused(host, nonce, before)))
      return fine('it denied an image that nobody signed');
    return broken(
      `it was not asked about an image that nobody signed; podman says: ${lastLine(ran.stderr)}`,
      again,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isRefused(host: Host, nonce: string, before: number): Promise<boolean> {
  for (const number of entryNumbers(host).slice(before)) {
    try {
      const { logged } = await readEntry(host, number);
      if (
        logged.kind === 'decision' &&
        logged.entry.asked.endsWith(nonce) &&
        logged.entry.verdict !== 'allow'
      )
        return true;
    } catch (error) {
      if (!(error instanceof TcfError)) throw error;
    }
  }
  return false;
}

const lastLine = (text: string): string => printable(text.trim().split('\n').at(-1) ?? '');
