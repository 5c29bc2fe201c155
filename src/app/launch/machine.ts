import { readdirSync, statSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { cannotTell, TcfError } from '../../base/error.ts';
import { Shape } from '../../base/shape.ts';
import { type CdiFile, cdiFolders, viewCdi } from '../../launch/dev/cdi.ts';
import type { Machine } from '../../launch/dev/machine.ts';
import type { Engine } from '../../launch/engine.ts';
import { parseStrictYaml } from '../../policy/yaml.ts';
import { isSystemError } from '../../system/errors.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';

const limit = 1024 * 1024;

/**
 * Looks at the machine, as far as a container of a developer depends on it.
 *
 * @throws TcfError `run.user` (exit 2).
 */
export async function readMachine(host: Host, engine: Engine, user: string | undefined): Promise<Machine> {
  return {
    engine: engine.name,
    isRootless: host.uid !== 0,
    user: await readUser(host, user),
    cores: availableParallelism(),
    memory: Math.min(totalmem(), await groupMemory(host)),
    isTerminal: host.stdout.isTerminal,
    hasSelinux: await readSelinux(host),
    cdi: viewCdi(await readCdi(host)).devices,
    amdGroups: amdGroups(),
    hasKfd: fileExists(host, '/dev/kfd'),
    env: host.env,
  };
}

/** Whether SELinux enforces, so that mounts need a label. */
export async function readSelinux(host: Host): Promise<boolean> {
  return (await textOf(host, '/sys/fs/selinux/enforce'))?.trim() === '1';
}

/**
 * The user who is meant. One that this machine does not have is made inside, with the ids of the caller:
 * files of the checkout stay the caller's.
 */
async function readUser(host: Host, name: string | undefined): Promise<Machine['user']> {
  const id = host.find('id') ?? '/usr/bin/id';
  const ask = async (...args: readonly string[]) => {
    const ran = await host.run(id, args);
    return ran.code === 0 ? ran.stdout.trim() : undefined;
  };
  const known = name !== undefined && (await ask('-u', '--', name)) !== undefined;
  const who = known ? ['--', name] : [];
  const [uid, gid, own] = [await ask('-u', ...who), await ask('-g', ...who), await ask('-un')];
  if (uid === undefined || gid === undefined || own === undefined) {
    throw cannotTell('run.user', `${id} does not know who you are`);
  }
  return { name: name ?? own, uid: Number(uid), gid: Number(gid) };
}

/** The memory limit of our control group (version 2), or of one above it. */
async function groupMemory(host: Host): Promise<number> {
  const group = /^0::(\/.*)$/m.exec((await textOf(host, '/proc/self/cgroup')) ?? '')?.[1] ?? '/';
  const parts = group.split('/').filter((part) => part !== '');
  let least = Number.POSITIVE_INFINITY;
  for (let depth = 0; depth <= parts.length; depth += 1) {
    const path = join('/sys/fs/cgroup', ...parts.slice(0, depth), 'memory.max');
    const bytes = Number((await textOf(host, path))?.trim());
    if (bytes > 0) {
      least = Math.min(least, bytes);
    }
  }
  return least;
}

/** The CDI files of the machine, in the order of `cdiFolders`. */
export async function readCdi(host: Host): Promise<readonly CdiFile[]> {
  const found: CdiFile[] = [];
  for (const folder of cdiFolders) {
    for (const name of listOf(folder)
      .filter((file) => /\.(?:json|yaml)$/.test(file))
      .sort()) {
      found.push(await readCdiFile(host, join(folder, name)));
    }
  }
  return found;
}

async function readCdiFile(host: Host, path: string): Promise<CdiFile> {
  try {
    const document = new Shape(
      parseStrictYaml((await textOf(host, path)) ?? '', path, 'CDI file').value,
      path,
    );
    const kind = document.get('kind').string(200);
    const devices = document.get('devices').list(1000);
    const edits = [document, ...devices].flatMap((shape) => shape.optional('containerEdits') ?? []);
    const nodes = edits.flatMap((edit) => edit.optional('deviceNodes')?.list(10_000) ?? []);
    const mounts = edits.flatMap((edit) => edit.optional('mounts')?.list(10_000) ?? []);
    const named = [
      ...nodes.map((node) => node.optional('hostPath') ?? node.get('path')),
      ...mounts.map((mount) => mount.get('hostPath')),
    ].map((shape) => shape.string(4096));
    return {
      path,
      devices: devices.map((device) => `${kind}=${device.get('name').string(200)}`),
      missing: [...new Set(named)].filter((file) => !fileExists(host, file)),
    };
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    return { path, devices: [], missing: [], problem: error.message };
  }
}

function amdGroups(): readonly number[] {
  const nodes = [
    '/dev/kfd',
    ...listOf('/dev/dri')
      .filter((name) => name.startsWith('renderD'))
      .map((name) => join('/dev/dri', name)),
  ];
  const groups = nodes.flatMap((path) => statSync(path, { throwIfNoEntry: false })?.gid ?? []);
  return [...new Set(groups)].sort((a, b) => a - b);
}

function listOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isSystemError(error)) {
      return [];
    }
    throw error;
  }
}

async function textOf(host: Host, path: string): Promise<string | undefined> {
  try {
    if (!fileExists(host, path)) {
      return undefined;
    }
    return decodeUtf8(await readPlainFile(host, path, limit, 'the file'));
  } catch (error) {
    if (error instanceof TcfError || isSystemError(error)) {
      return undefined;
    }
    throw error;
  }
}
