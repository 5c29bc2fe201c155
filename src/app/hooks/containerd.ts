import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { broken, type Diagnostic, ok, unknown } from '../../base/diagnostic.ts';
import { lastLine, printable } from '../../base/text.ts';
import { containerdVerifier } from '../../launch/containerd-hook.ts';
import { serveProbe } from '../../launch/probe-registry.ts';
import { isSystemError } from '../../system/errors.ts';
import { fileExists } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { dependencyFindings } from './dependencies.ts';
import { ownerFinding, programFinding, readHookFile, removeHookFile, writeHookFile } from './files.ts';
import { containerdGaps } from './gaps.ts';
import { type Attempt, imageToAllow, proveAllowance, proveRefusal } from './proof.ts';
import type { HookPlace, StatusRequest } from './request.ts';
import { type HookTarget, isProven } from './target.ts';

const again = 'tcf hook install containerd';
const status = 'tcf hook status containerd';
const verb = 'hook containerd';
/** containerd's defaults (docs/image-verification.md). */
const defaults = {
  binDir: '/opt/containerd/image-verifier/bin',
  maxVerifiers: 10,
  socket: '/run/containerd/containerd.sock',
};

/**
 * containerd: a program in the folder of the image verifier plugin, asked at each pull of the transfer
 * service.
 */
export const containerd: HookTarget = {
  name: 'containerd',
  gaps: containerdGaps,

  async install(host, call, request) {
    const path = placeOf(host, request);
    await writeHookFile(host, path, containerdVerifier(call), 0o755);
    return [`wrote ${path}`, 'containerd asks it from the next pull on; a restart is not needed'];
  },

  async status(host, request) {
    const path = placeOf(host, request);
    const text = await readHookFile(host, path);
    if (text === undefined) {
      return [broken('hook.file', `there is no verifier ${path}, and containerd allows everything`, again)];
    }
    const words = wordsOf(text);
    const findings = [
      ownerFinding(host, path),
      programFinding(words.slice(0, words.indexOf('hook')), again),
      ...(await dependencyFindings(host, words, again)),
      countFinding(join(path, '..')),
    ];
    return findings.every(isProven) ? [...findings, ...(await prove(host, request))] : findings;
  },

  isInstalled: async (host, request) => fileExists(host, placeOf(host, request)),

  uninstall: (host, request) => removeHookFile(host, placeOf(host, request)),
};

function placeOf(host: Host, request: HookPlace): string {
  return join(resolve(host.cwd, request.binDir ?? defaults.binDir), 'tcf');
}

/** The command line that the script starts, without what containerd adds. */
function wordsOf(script: string): readonly string[] {
  const line = /^exec (.*) -- "\$@"$/m.exec(script)?.[1] ?? '';
  return [...line.matchAll(/'((?:[^']|'\\'')*)'|[^\s']+/g)].map(([word, quoted]) =>
    quoted === undefined ? word : quoted.replaceAll(`'\\''`, "'"),
  );
}

/** Files are called in the order of their names, and those beyond the limit not at all. */
function countFinding(folder: string): Diagnostic {
  try {
    const before = readdirSync(folder).filter((name) => name < 'tcf').length;
    if (before < defaults.maxVerifiers) {
      return ok('hook.order', `${before} other verifiers are asked before it`);
    }
    return broken(
      'hook.order',
      `${before} other verifiers stand before it, and containerd asks ${defaults.maxVerifiers}`,
      'raise max_verifiers in the configuration of containerd, or remove some',
    );
  } catch (error) {
    if (!isSystemError(error)) {
      throw error;
    }
    return broken('hook.order', `cannot list ${folder}: ${error.message}`, again);
  }
}

/** Asks containerd itself: whether it has the plugin, and by two pulls whether it asks. */
async function prove(host: Host, request: StatusRequest): Promise<readonly Diagnostic[]> {
  const ctr = host.find('ctr');
  if (ctr === undefined) {
    return [unknown('hook.runtime', 'there is no ctr on PATH to ask containerd with', status)];
  }
  const run = (...args: readonly string[]) =>
    host.run(ctr, ['--address', request.address ?? defaults.socket, ...args]);
  const version = await run('version');
  const plugins = await run('plugins', 'ls');
  if (version.code !== 0 || plugins.code !== 0) {
    return [
      unknown(
        'hook.runtime',
        `containerd does not answer: ${lastLine(version.stderr + plugins.stderr)}`,
        `${status} --address SOCKET`,
      ),
    ];
  }
  const server = /Server:\s+Version:\s+(\S+)/.exec(version.stdout)?.[1] ?? 'of an unknown version';
  const plugin = /^io\.containerd\.image-verifier\.v1\s+bindir\s.*?(\S+)\s*$/m.exec(plugins.stdout)?.[1];
  if (plugin !== 'ok') {
    return [
      broken(
        'hook.loaded',
        `containerd ${printable(server, 100)} has no image verifiers${plugin === undefined ? '' : ` (${printable(plugin, 100)})`}, so it asks no verifier`,
        'containerd 2.0 and newer has them',
      ),
    ];
  }
  const loaded = ok('hook.loaded', `containerd ${printable(server, 100)} has loaded its image verifiers`);

  const pull = async (image: string, ...flags: readonly string[]): Promise<Attempt> => {
    const pulled = await run('--namespace', 'tcf-probe', 'image', 'pull', ...flags, image);
    await run('--namespace', 'tcf-probe', 'image', 'rm', image);
    const said = `ctr says: ${lastLine(pulled.stderr || pulled.stdout)}`;
    return { answered: true, started: pulled.code === 0, said };
  };
  const nonce = crypto.randomUUID();
  await using probe = await serveProbe(nonce);
  const unsigned = await proveRefusal(host, verb, nonce, again, () => pull(probe.image, '--plain-http'));
  if (!isProven(unsigned)) {
    return [loaded, unsigned];
  }
  const signed = await imageToAllow(host, verb, request);
  const plain = request.allowHttp ? ['--plain-http'] : [];
  return [loaded, unsigned, await proveAllowance(host, verb, signed, status, (name) => pull(name, ...plain))];
}
