import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { parseRunArguments, type RunArguments } from '../../launch/arguments.ts';
import { composeLaunch, type DevLaunch } from '../../launch/dev/compose.ts';
import { type DevOptions, type DevSource, parseDevOptions, sources } from '../../launch/dev/options.ts';
import { type CheckoutPin, type PinTexts, pinFiles, readPin } from '../../launch/dev/pin.ts';
import { applyProfile, builtIn, type DevProfile, parseProfiles } from '../../launch/dev/profiles.ts';
import type { Engine } from '../../launch/engine.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import { cacheFolder, configFolder, openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { readMachine } from './machine.ts';

const maxProfiles = 256 * 1024;
const maxPin = 64 * 1024;

/**
 * Those that every user has, those of the machine and those of the user; a later one of the same name wins.
 */
export async function loadProfiles(host: Host): Promise<ReadonlyMap<string, DevProfile>> {
  let profiles = builtIn;
  for (const path of [
    join(host.machine.config, 'profiles.yaml'),
    join(configFolder(host), 'profiles.yaml'),
  ]) {
    if (!fileExists(host, path)) {
      continue;
    }
    const text = decodeUtf8(await readPlainFile(host, path, maxProfiles, 'the profiles'));
    if (text === undefined) {
      throw askedWrongly('profile.malformed', `${quoted(path)} is not UTF-8`);
    }
    profiles = parseProfiles(text, path, profiles);
  }
  return profiles;
}

export interface DevLine {
  /** tcf's own flags, wherever they stood. */
  readonly own: RunArguments['own'];
  readonly options: DevOptions;
  readonly help: boolean;
}

/**
 * Reads a command line that names a profile: flags of the engine before it, options of the launcher behind
 * it.
 */
export function readDevLine(
  line: RunArguments,
  profile: DevProfile,
  ownFlags: Readonly<Record<string, boolean>>,
): DevLine {
  const typed = parseDevOptions(line.command, ownFlags);
  const { own } = parseRunArguments([...typed.own, 'image'], ownFlags);
  const both = Object.keys(own).find((name) => Object.hasOwn(line.own, name));
  if (both !== undefined) {
    throw askedWrongly('run.flag', `--${both} stands twice`);
  }
  const options = applyProfile(profile, { ...typed.options, engineFlags: line.engineFlags });
  return { own: { ...line.own, ...own }, options, help: typed.help };
}

/**
 * The command line for this machine. Folders that it mounts as caches are made.
 *
 * @throws TcfError (exit 2 or 3).
 */
export async function composeForHost(host: Host, engine: Engine, options: DevOptions): Promise<DevLaunch> {
  const machine = await readMachine(host, engine, options.user);
  const paths = pathsOf(host, options);
  const pin = paths.TRITON === undefined ? undefined : await pinOf(host, paths.TRITON);
  const cacheRoot = join(cacheFolder(host), 'dev');
  const launch = composeLaunch(options, machine, compact({ paths, cacheRoot, pin }));
  // A build runs what lies there: whoever could put something in would be in the container, and in the
  // checkout.
  if (launch.folders.length > 0) {
    openPrivateFolder(host, cacheRoot);
  }
  for (const folder of launch.folders) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  return launch;
}

function pathsOf(host: Host, options: DevOptions): Readonly<Partial<Record<DevSource, string>>> {
  const named: Partial<Record<DevSource, string>> = {
    GITCONFIG: join(host.home, '.gitconfig'),
    ...options.sources,
  };
  const found: Partial<Record<DevSource, string>> = {};
  for (const source of sources) {
    const text = named[source];
    if (text === undefined) {
      continue;
    }
    // The shell leaves the tilde of NAME=~/path alone.
    const path = resolve(host.cwd, text.replace(/^~(?=\/|$)/, host.home));
    // A remote engine mounts folders of its own machine.
    if (fileExists(host, path) || (options.connection !== undefined && source !== 'GITCONFIG')) {
      found[source] = path;
    } else if (source !== 'GITCONFIG' || options.sources.GITCONFIG !== undefined) {
      throw askedWrongly('run.source', `there is no ${quoted(path)} to mount as ${source}`);
    }
  }
  return found;
}

async function pinOf(host: Host, checkout: string): Promise<CheckoutPin | undefined> {
  const texts: { -readonly [Name in keyof PinTexts]: PinTexts[Name] } = {};
  for (const [name, file] of Object.entries(pinFiles) as [keyof typeof pinFiles, string][]) {
    const path = join(checkout, file);
    if (!fileExists(host, path)) {
      continue;
    }
    texts[name] = decodeUtf8(await readPlainFile(host, path, maxPin, 'the pin')) ?? '';
  }
  return readPin(texts, checkout);
}
