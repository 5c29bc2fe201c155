import { chmod, mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { draftPolicy } from '../../policy/document.ts';
import { formatYaml, parseStrictYaml } from '../../policy/yaml.ts';
import { fileExists, readPlainFile, readUserFile, writeUserFile } from '../../system/files.ts';
import { configFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { whoElseWrites } from '../../system/owners.ts';
import { loadPolicies } from '../trust/policies.ts';
import { machinePolicy, maxKey, maxPolicy, maxTrustedRoot } from '../trust/trust.ts';
import type { HookAsks } from './request.ts';

/** Files that a hook decides by, as flags for it, and what was done so that it can. */
export interface HookFiles {
  readonly flags: readonly string[];
  readonly lines: readonly string[];
}

/** Where the copies of a hook of the machine lie. */
export const copiesFolder = (host: Host, target: string): string =>
  join(host.machine.config, 'hooks', target);

/**
 * Makes sure that what a hook will decide by is there, and that nobody else can change it. For a hook of the
 * machine (installed by root) the policy that was named, its keys and its trusted root are copied to a place
 * of the machine; for the hook of a user they stay where they are.
 *
 * @throws TcfError `policy.none`, `policy.malformed`, `hook.policy` (exit 3).
 */
export async function settleFiles(host: Host, target: string, request: HookAsks): Promise<HookFiles> {
  const asked = askedPolicy(host, request);
  const trustedRoot = request.trustedRoot;
  const root = trustedRoot === undefined ? undefined : resolve(host.cwd, trustedRoot);
  // A hook without a policy would stop every container of the machine, the reason hidden in a log.
  for (const { name } of await loadPolicies({ ...host, cwd: '/' }, asked)) {
    for (const path of await filesOfPolicy(host, name)) {
      refuseForeign(host, path);
    }
  }
  if (root !== undefined) {
    refuseForeign(host, root);
  }
  if (host.uid !== 0) {
    return {
      flags: [
        ...(asked === undefined ? [] : ['--policy', asked]),
        ...(root === undefined ? [] : ['--trusted-root', root]),
      ],
      lines: [],
    };
  }
  return await copyFiles(host, target, policyToCopy(host, asked), root);
}

/** `--policy`, else `TCF_POLICY`, in full: a hook is called from anywhere, and without our environment. */
function askedPolicy(host: Host, request: HookAsks): string | undefined {
  const asked = request.policy ?? (host.env['TCF_POLICY'] || undefined);
  return asked === undefined ? undefined : resolve(host.cwd, asked);
}

/** The policy in root's home counts for what root starts; a hook of the machine is asked by everybody. */
function policyToCopy(host: Host, asked: string | undefined): string | undefined {
  const own = join(configFolder(host), 'policy.yaml');
  if (!fileExists(host, own)) {
    return asked;
  }
  if (asked === undefined) {
    return own;
  }
  throw askedWrongly(
    'hook.policy',
    `there is ${quoted(own)} beside ${quoted(asked)}, and the hook has room for one`,
    {
      hint: `move ${own} to ${machinePolicy(host)}, which counts for everybody`,
    },
  );
}

/** A policy with the key files and the trusted root that it names, in full. */
export async function filesOfPolicy(host: Host, path: string): Promise<readonly string[]> {
  const full = resolve(host.cwd, path);
  const { text } = await readPolicy(host, full);
  const { root } = shapeOf(text, full);
  return [
    full,
    ...draftPolicy(text, full).keyFiles.map((name) => resolve(dirname(full), name)),
    ...(root === undefined ? [] : [resolve(dirname(full), root)]),
  ];
}

async function readPolicy(host: Host, path: string): Promise<{ readonly text: string }> {
  const text = decodeUtf8(await readUserFile(host, path, maxPolicy, 'the policy'));
  if (text === undefined) {
    throw askedWrongly('policy.malformed', `${quoted(path)} is not UTF-8`);
  }
  return { text };
}

interface PolicyShape {
  readonly signers?: Readonly<Record<string, { readonly keyFile?: string }>>;
  readonly trust?: { readonly root?: string };
}

/** Of a policy whose form was checked before. */
function shapeOf(text: string, path: string): { readonly value: PolicyShape; readonly root?: string } {
  const value = parseStrictYaml(text, path).value as PolicyShape;
  const root = value.trust?.root;
  return compact({ value, root });
}

function refuseForeign(host: Host, path: string): void {
  const why = whoElseWrites(path, host.uid);
  if (why === undefined) {
    return;
  }
  throw askedWrongly('hook.policy', `what a hook decides by must be yours alone: ${why}`, {
    hint: `chown it to ${host.uid === 0 ? 'root' : 'yourself'} and chmod go-w, with the folders above it; or put the policy into ${machinePolicy(host)}`,
  });
}

async function copyFiles(
  host: Host,
  target: string,
  policy: string | undefined,
  root: string | undefined,
): Promise<HookFiles> {
  const folder = copiesFolder(host, target);
  const lines: string[] = [];
  const copy = async (from: string, name: string, limit: number) => {
    await writeCopy(host, join(folder, name), await readPlainFile(host, from, limit, 'the file'));
    return name;
  };
  const flags: string[] = [];
  if (policy !== undefined) {
    const path = join(folder, 'policy.yaml');
    await writeCopy(host, path, await copiedPolicy(host, policy, copy));
    flags.push('--policy', path);
    lines.push(`copied ${policy} with its keys to ${path}: install again after a change`);
  }
  if (root !== undefined) {
    await copy(root, 'trusted_root.json', maxTrustedRoot);
    flags.push('--trusted-root', join(folder, 'trusted_root.json'));
    lines.push(`copied ${root} to ${join(folder, 'trusted_root.json')}`);
  }
  return { flags, lines };
}

/** The text of a policy that names copies of its files beside it. */
async function copiedPolicy(
  host: Host,
  policy: string,
  copy: (from: string, name: string, limit: number) => Promise<string>,
): Promise<string> {
  const { text } = await readPolicy(host, policy);
  const { root, value } = shapeOf(text, policy);
  const from = (name: string) => resolve(dirname(policy), name);
  const signers = await Promise.all(
    Object.entries(value.signers ?? {}).map(async ([name, signer], index) => {
      const { keyFile } = signer;
      if (keyFile === undefined) {
        return [name, signer] as const;
      }
      return [
        name,
        { ...signer, keyFile: await copy(from(keyFile), `${index}-${basename(keyFile)}`, maxKey) },
      ] as const;
    }),
  );
  return formatYaml({
    ...value,
    signers: Object.fromEntries(signers),
    ...(root === undefined
      ? {}
      : { trust: { ...value.trust, root: await copy(from(root), 'policy-root.json', maxTrustedRoot) } }),
  });
}

async function writeCopy(host: Host, path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  // Whatever the umask is: other users' hooks read it too.
  await chmod(dirname(path), 0o755);
  await writeUserFile(host, path, content);
  await chmod(path, 0o644);
}
