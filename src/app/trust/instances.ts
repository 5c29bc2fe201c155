import { join } from 'node:path';
import { publicGoodDate, publicGoodRoot, publicGoodSigningConfigs } from '../../attest/public-good.ts';
import { parseTrustedRoot } from '../../attest/trusted-root.ts';
import { knownRepositories } from '../../attest/tuf/anchors.ts';
import type { State } from '../../attest/tuf/state.ts';
import {
  type SigningConfigFiles,
  type SigningConfigName,
  signingConfigNames,
} from '../../attest/tuf/update.ts';
import { trustRoot } from '../../attest/tuf/workflow.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly, TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { Services } from '../../sigstore/services.ts';
import { isServiceUrl, parseSigningConfig } from '../../sigstore/signing-config.ts';
import { refreshTrust } from '../../sigstore/trust/refresh.ts';
import { anchorOf, openTrustStore, parseInstanceName, type TrustStore } from '../../sigstore/trust/store.ts';
import { readUserFile } from '../../system/files.ts';
import { stateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';

/** What is known of a Sigstore instance, before it is read. */
export interface InstanceRoot {
  readonly name: string;
  /** The trusted root. */
  readonly bytes: Uint8Array;
  readonly signingConfigs: SigningConfigFiles;
  readonly origin: 'carried by tcf' | 'tcf trust import' | 'tcf trust update';
  /** When it was known to be the current one. */
  readonly asOf: Date;
}

/** Roots of TUF have 6 KiB. */
const maxAnchor = 512 * 1024;

/** Whose knowledge of instances: the user's own, or the machine's, which its policy is judged with. */
export type Whose = 'machine' | 'user';

export function trustStore(host: Host, whose: Whose = 'user'): TrustStore {
  return whose === 'user'
    ? openTrustStore(join(stateFolder(host), 'trust'))
    : openTrustStore(join(host.machine.state, 'trust'), 'everyone');
}

/**
 * The trusted root of an instance, from this machine alone: of what tcf carries, what `tcf trust update`
 * fetched and what `tcf trust import` brought, the one that was known to be current last.
 *
 * @throws TcfError `trust.unknown`, `trust.name` (exit 3); `trust.corrupt`, `trust.unsafe`,
 *   `trust.unreadable` (exit 2).
 */
export async function loadInstance(
  host: Host,
  name: string,
  stores: readonly Whose[] = ['user'],
): Promise<InstanceRoot> {
  const latest = latestOf([...carriedOf(name), ...(await storedRoots(host, name, stores))]);
  if (latest !== undefined) {
    return latest;
  }
  const isKnown = anchorOf(name) !== undefined;
  const where = stores.includes('user') ? '' : ' --machine';
  throw askedWrongly('trust.unknown', `there is no trusted root of ${quoted(name)} on this machine`, {
    hint: isKnown
      ? `tcf trust update ${name}${where}`
      : `tcf trust update ${name} --mirror URL --root FILE${where}, or tcf trust import FILE --as ${name}${where}`,
  });
}

/** How a signing config of an instance came here, and its bytes. */
export type InstanceSigningConfig = Pick<InstanceRoot, 'asOf' | 'bytes' | 'name' | 'origin'> & {
  readonly file: SigningConfigName;
};

/**
 * The signing configs of an instance, the default one first: those that are kept, the latest of each; then
 * those that tcf carries.
 *
 * @throws TcfError `trust.name` (exit 3); `trust.corrupt`, `trust.unsafe`, `trust.unreadable` (exit 2).
 */
export async function loadSigningConfigs(
  host: Host,
  name: string,
  whose: Whose = 'user',
): Promise<readonly InstanceSigningConfig[]> {
  const stored = await storedRoots(host, name, [whose]);
  return signingConfigNames.flatMap((file) => {
    const have = (root: InstanceRoot) => root.signingConfigs[file] !== undefined;
    const { asOf, origin, signingConfigs } = latestOf(stored.filter(have)) ?? carriedOf(name)[0] ?? {};
    const bytes = signingConfigs?.[file];
    if (bytes === undefined || asOf === undefined || origin === undefined) {
      return [];
    }
    return [{ name, file, bytes, origin, asOf }];
  });
}

function latestOf(roots: readonly InstanceRoot[]): InstanceRoot | undefined {
  const [first, ...others] = roots;
  return first && others.reduce((best, root) => (root.asOf > best.asOf ? root : best), first);
}

/** The root of the public Sigstore instance is part of tcf. */
function carriedOf(name: string): readonly InstanceRoot[] {
  if (name !== 'sigstore') {
    return [];
  }
  const signingConfigs = publicGoodSigningConfigs();
  return [{ name, bytes: publicGoodRoot(), signingConfigs, origin: 'carried by tcf', asOf: publicGoodDate }];
}

async function storedRoots(
  host: Host,
  name: string,
  stores: readonly Whose[],
): Promise<readonly InstanceRoot[]> {
  const roots: InstanceRoot[] = [];
  for (const whose of stores) {
    const store = trustStore(host, whose);
    roots.push(...fetched(name, await store.state(name)), ...(await imported(store, name)));
  }
  return roots;
}

/** The mirror's own signature says until when its word is good, whatever time this machine wrote down. */
function fetched(name: string, state: State | undefined): readonly InstanceRoot[] {
  const { timestamp, trustedRoot } = state?.repository ?? {};
  if (trustedRoot === undefined) {
    return [];
  }
  const { bytes, refreshedAt, signingConfigs } = trustedRoot;
  const expires = timestamp?.expires ?? refreshedAt;
  const asOf = expires < refreshedAt ? expires : refreshedAt;
  return [{ name, bytes, signingConfigs, origin: 'tcf trust update', asOf }];
}

async function imported(store: TrustStore, name: string): Promise<readonly InstanceRoot[]> {
  const root = await store.imported(name);
  if (root === undefined) {
    return [];
  }
  const { bytes, importedAt: asOf, signingConfig } = root;
  const signingConfigs = signingConfig === undefined ? {} : { [signingConfigNames[0]]: signingConfig };
  return [{ name, bytes, signingConfigs, origin: 'tcf trust import', asOf }];
}

export interface UpdateRequest {
  readonly name: string;
  /** In place of the address that was used last, or that tcf knows. */
  readonly mirror?: string;
  /** File with the TUF root to begin with. */
  readonly root?: string;
  /** Default: the user's. */
  readonly whose?: Whose;
}

export interface Updated {
  readonly state: State;
  /** What was kept before. */
  readonly before?: State;
  /** Why what was kept before could not be used. */
  readonly warning?: string;
}

/**
 * Brings one instance up to date from its mirror. What is kept and cannot be used is replaced.
 *
 * @throws TcfError `trust.mirror`, `trust.anchor`, `trust.name` (exit 3), and as `refreshTrust` does.
 */
export async function updateInstance(
  host: Host,
  services: Services,
  { mirror, name, root, whose }: UpdateRequest,
): Promise<Updated> {
  const store = trustStore(host, whose);
  const { known, warning } = await knownState(store, parseInstanceName(name));
  const carriedAnchor = anchorOf(name);
  const given = root === undefined ? undefined : await readUserFile(host, root, maxAnchor, 'the TUF root');
  if (given !== undefined) {
    refuseOtherAnchor(name, given, carriedAnchor ?? known?.anchor);
  }
  const anchor = carriedAnchor ?? known?.anchor ?? given;
  if (anchor === undefined) {
    throw askedWrongly('trust.anchor', `tcf has no TUF root of ${quoted(name)} to begin with`, {
      hint: 'get root.json from the operator of the instance, over a channel you trust, and name it with --root',
    });
  }
  const state = await refreshTrust({
    store,
    name,
    mirror: mirrorOf(name, mirror ?? known?.mirror),
    anchor,
    isOwn: carriedAnchor === undefined,
    known,
    services,
    now: host.now(),
    accept: ({ bytes, signingConfigs }) => {
      parseTrustedRoot(bytes, { what: `the new trusted root of ${name}` });
      for (const [file, config] of Object.entries(signingConfigs)) {
        parseSigningConfig(config, `the new ${file} of ${name}`);
      }
    },
  });
  return compact({
    state,
    before: known,
    warning,
  });
}

async function knownState(
  store: TrustStore,
  name: string,
): Promise<{ readonly known?: State; readonly warning?: string }> {
  try {
    const known = await store.state(name);
    return known === undefined ? {} : { known };
  } catch (error) {
    if (!(error instanceof TcfError) || error.code !== 'trust.corrupt') {
      throw error;
    }
    return { warning: `${error.message}; it is made again, and what it remembered against rollback is lost` };
  }
}

/** Where trust begins is decided once: a second file must not move it. */
function refuseOtherAnchor(name: string, given: Uint8Array, known: Uint8Array | undefined): void {
  const root = trustRoot(given);
  if (known === undefined || Buffer.compare(root.signed, trustRoot(known).signed) === 0) {
    return;
  }
  throw askedWrongly('trust.anchor', `${quoted(name)} begins with another TUF root than this one`, {
    hint: 'leave --root out, or give the instance another name',
  });
}

function mirrorOf(name: string, asked: string | undefined): URL {
  const known = Object.hasOwn(knownRepositories, name)
    ? knownRepositories[name as keyof typeof knownRepositories].mirror
    : undefined;
  const text = asked ?? known;
  if (text === undefined) {
    throw askedWrongly('trust.mirror', `tcf does not know where the TUF mirror of ${quoted(name)} is`, {
      hint: 'name it with --mirror URL',
    });
  }
  if (!isServiceUrl(text)) {
    throw askedWrongly('trust.mirror', `the mirror is not an http or https address: ${quoted(text)}`);
  }
  return new URL(text);
}
