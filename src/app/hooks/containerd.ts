import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { printable } from '../../base/text.ts';
import { containerdVerifier } from '../../launch/containerd-hook.ts';
import { isSystemError } from '../../system/errors.ts';
import type { Host } from '../../system/host.ts';
import { type Options, textOption } from '../options.ts';
import { ownerFinding, programFinding, readHookFile, removeHookFile, writeHookFile } from './files.ts';
import { broken, fine, type HookFinding, type HookTarget } from './target.ts';

const again = 'tcf hook install containerd';
/** containerd's defaults (docs/image-verification.md). */
const defaults = { binDir: '/opt/containerd/image-verifier/bin', maxVerifiers: 10 };

/** containerd: a program in the folder of the image verifier plugin, asked at each pull of the transfer service. */
export const containerd: HookTarget = {
  name: 'containerd',
  gaps: [
    'other platforms of an index than that of this machine, which are pulled with it (--all-platforms)',
    'images that are there already: the plugin is asked when they are pulled, not when they run',
    'ctr image pull --local, ctr image import, and CRI with use_local_image_pull',
    'a bin_dir that containerd is configured to look for elsewhere (name it with --bin-dir)',
  ],

  async install(host, call, options) {
    const path = placeOf(host, options);
    await writeHookFile(host, path, containerdVerifier(call), 0o755);
    return [`wrote ${path}`, 'containerd asks it from the next pull on; a restart is not needed'];
  },

  async status(host, options) {
    const path = placeOf(host, options);
    const text = await readHookFile(host, path);
    if (text === undefined)
      return [broken(`there is no verifier ${path}, and containerd allows everything`, again)];
    const program = /^exec (.*) hook enter containerd/m.exec(text)?.[1]?.split(' ') ?? [];
    const findings = [
      ownerFinding(host, path),
      programFinding(program, again),
      countFinding(join(path, '..')),
    ];
    return findings.every(({ ok }) => ok) ? [...findings, await probe(host, path)] : findings;
  },

  uninstall: (host, options) => removeHookFile(host, placeOf(host, options)),
};

function placeOf(host: Host, options: Options): string {
  return join(resolve(host.cwd, textOption(options, 'binDir') ?? defaults.binDir), 'tcf');
}

/** Files are called in the order of their names, and those beyond the limit not at all. */
function countFinding(folder: string): HookFinding {
  try {
    const before = readdirSync(folder).filter((name) => name < 'tcf').length;
    if (before < defaults.maxVerifiers) return fine(`${before} other verifiers are asked before it`);
    return broken(
      `${before} other verifiers stand before it, and containerd asks ${defaults.maxVerifiers}`,
      'raise max_verifiers in the configuration of containerd, or remove some',
    );
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return broken(`cannot list ${folder}: ${error.message}`, again);
  }
}

/** Asks about a name on no registry and a digest of nothing, as containerd would. */
async function probe(host: Host, path: string): Promise<HookFinding> {
  const name = `tcf-probe.invalid/${crypto.randomUUID()}:1`;
  const digest = `sha256:${'0'.repeat(64)}`;
  const type = 'application/vnd.oci.descriptor.v1+json';
  const asked = await host.run(path, ['-name', name, '-digest', digest, '-stdin-media-type', type]);
  if (asked.code !== 0 && asked.stdout.includes('tcf')) return fine('it denied an image that nobody signed');
  return broken(
    `it did not deny an image that nobody signed: exit ${asked.code}, ${printable(asked.stdout)}`,
    again,
  );
}
