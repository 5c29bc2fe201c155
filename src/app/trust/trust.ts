import { join } from 'node:path';
import { publicGoodRoot } from '../../attest/public-good.ts';
import type { ExperimentalAlgorithm } from '../../attest/root-material.ts';
import { parsePublicKey } from '../../attest/trusted-key.ts';
import { parseTrustedRoot, type Trust, type TrustedRoot } from '../../attest/trusted-root.ts';
import { maxTarget } from '../../attest/tuf/limits.ts';
import type { DatedRoot } from '../../policy/dated-root.ts';
import type { Policy } from '../../policy/document.ts';
import { usesRoots } from '../../policy/root-age.ts';
import { readPlainFile, readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { InstanceRoot, Whose } from './instances.ts';

/** A PEM key of RSA 4096 has 3 KiB, an encrypted one of cosign 1 KiB. */
export const maxKey: number = 64 * 1024;
/** A policy is written by hand; one with hundreds of scopes has some ten KiB. */
export const maxPolicy: number = 1024 * 1024;
/** As much as from a TUF mirror. */
export const maxTrustedRoot: number = maxTarget;

/** Whom a policy believes, and how old that belief is. */
export interface DatedTrust extends Trust {
  readonly dates: readonly DatedRoot[];
}

/**
 * Whom one policy believes: the trusted root that was named on the command line, else its own, else those of
 * its instances, from this machine alone; and its keys. Each policy is judged with its own trust only, or the
 * root that a project brings along would speak for the user's policy too. For the same reason a
 * command line does not speak for the policy of the machine.
 */
export async function loadTrust(host: Host, policy: Policy, given: string | undefined): Promise<DatedTrust> {
  const keys = [...policy.signers.values()].flatMap((signer) =>
    signer.kind === 'key' ? [parsePublicKey(signer.pem, signer.name)] : [],
  );
  const { experimental, root } = policy.trust;
  const isGiven = given !== undefined && !isOfMachine(policy);
  if (!isGiven && root === undefined && !usesRoots(policy)) {
    return explaining(keys);
  }
  const own = isGiven ? given : root;
  const read = isGiven ? readUserFile : readPlainFile;
  const loaded =
    own === undefined
      ? await loadInstances(host, policy)
      : [await loadFileRoot(host, own, read, experimental)];
  return { roots: loaded.map(({ root }) => root), dates: loaded.map(({ dated }) => dated), keys };
}

/** The policy of the machine's administrator, which nobody who runs tcf may loosen. */
export const machinePolicy = (host: Host): string => join(host.machine.config, 'policy.yaml');

export const isOfMachine = ({ origin }: Policy): boolean => origin === 'machine';

/**
 * A policy that asks for nothing a root proves is not stopped by one that cannot be read; the carried one
 * explains what was found, and is read once there is something to explain.
 */
function explaining(keys: DatedTrust['keys']): DatedTrust {
  let roots: DatedTrust['roots'] | undefined;
  return {
    keys,
    dates: [],
    get roots() {
      roots ??= [parseTrustedRoot(publicGoodRoot())];
      return roots;
    },
  };
}

/**
 * What a user keeps, at a place that the environment names, proves nothing for the machine's policy, unless
 * that user is its administrator.
 */
async function loadInstances(host: Host, policy: Policy): Promise<readonly Loaded[]> {
  const { loadInstance } = await import('./instances.ts');
  const { experimental, instances } = policy.trust;
  const isForeign = isOfMachine(policy) && host.uid !== 0;
  const stores: readonly Whose[] = isOfMachine(policy)
    ? ['machine', ...(isForeign ? [] : (['user'] as const))]
    : ['user'];
  const loaded = await Promise.all(
    instances.map((name) => readInstance(name, loadInstance(host, name, stores), experimental)),
  );
  return isForeign
    ? loaded.map(({ dated, root }) => ({ root, dated: { ...dated, isOfMachine: true } }))
    : loaded;
}

export interface Loaded {
  readonly root: TrustedRoot;
  readonly dated: DatedRoot;
}

/** @param read how: a file that a policy names is not one that the user typed. */
export async function loadFileRoot(
  host: Host,
  file: string,
  read: typeof readUserFile = readUserFile,
  experimental: readonly ExperimentalAlgorithm[] = [],
): Promise<Loaded> {
  const bytes = await read(host, file, maxTrustedRoot, 'the trusted root');
  const root = parseTrustedRoot(bytes, { what: file, experimental });
  return { root, dated: { source: file, ...datesOf(root), origin: 'a file' } };
}

export async function loadInstanceRoot(host: Host, name: string, whose: Whose): Promise<Loaded> {
  const { loadInstance } = await import('./instances.ts');
  return await readInstance(name, loadInstance(host, name, [whose]));
}

async function readInstance(
  name: string,
  loading: Promise<InstanceRoot>,
  experimental: readonly ExperimentalAlgorithm[] = [],
): Promise<Loaded> {
  const { asOf, bytes, origin } = await loading;
  const root = parseTrustedRoot(bytes, { what: `the trusted root of ${name}`, experimental });
  return { root, dated: { source: name, ...datesOf(root), origin, asOf } };
}

function datesOf({ digest, newest, skipped }: TrustedRoot): Pick<DatedRoot, 'digest' | 'newest' | 'skipped'> {
  return { digest, newest, ...(skipped.length === 0 ? {} : { skipped: skipped.length }) };
}
