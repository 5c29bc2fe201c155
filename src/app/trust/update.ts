import { parseTrustedRoot } from '../../attest/trusted-root.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { digestOf } from '../../oci/digest.ts';
import type { UpdatedRoot } from '../../report/updated-root.ts';
import { parseInstanceName, type TrustStore } from '../../sigstore/trust/store.ts';
import type { Host } from '../../system/host.ts';
import { type Network, openUserServices } from '../network.ts';
import { trustStore, type Updated, type UpdateRequest, updateInstance } from './instances.ts';
/** Which instances to bring up to date, and from where. */
export interface UpdateTrustRequest extends Omit<UpdateRequest, 'name'> {
  /** Default: every one that was updated before, and `sigstore`. */
  readonly name?: string;
  readonly network?: Network;
}

/** What became of one instance. */
export type UpdatedInstance =
  | (UpdatedRoot & { readonly warnings: readonly string[] })
  | { readonly name: string; readonly error: TcfError };

/**
 * Asks the TUF mirrors, one instance after the other. One mirror that is down does not keep the others from
 * being asked.
 *
 * @throws TcfError `trust.name` (exit 3) where it is not clear which instance is meant.
 */
export async function updateInstances(
  host: Host,
  request: UpdateTrustRequest,
): Promise<readonly UpdatedInstance[]> {
  const { name: asked, network, ...how } = request;
  const services = await openUserServices(host, network);
  const updated: UpdatedInstance[] = [];
  for (const name of await namesToUpdate(trustStore(host, request.whose), asked, how)) {
    try {
      updated.push(toUpdatedRoot(name, await updateInstance(host, services, { ...how, name })));
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
      updated.push({ name, error });
    }
  }
  return updated;
}

function toUpdatedRoot(
  name: string,
  { before, state, warning }: Updated,
): UpdatedRoot & { readonly warnings: readonly string[] } {
  const { root, timestamp, trustedRoot } = state.repository;
  if (trustedRoot === undefined) {
    throw cannotTell('trust.corrupt', `there is no trusted root of ${name}`);
  }
  const digest = digestOf(trustedRoot.bytes);
  const old = before?.repository.trustedRoot;
  const skipped = parseTrustedRoot(trustedRoot.bytes).skipped.map(
    ({ path, reason }) => `${path}: does not count: ${reason}`,
  );
  return compact({
    name,
    digest,
    isNew: old === undefined || digestOf(old.bytes) !== digest,
    root: root.version,
    timestamp: timestamp?.version,
    signingConfigs: Object.keys(trustedRoot.signingConfigs).length,
    warnings: warning === undefined ? skipped : [warning, ...skipped],
  });
}

async function namesToUpdate(
  store: TrustStore,
  what: string | undefined,
  { mirror, root }: Pick<UpdateRequest, 'mirror' | 'root'>,
): Promise<readonly string[]> {
  if (what !== undefined) {
    return [what];
  }
  // An instance that is new to tcf is called as its mirror is.
  if (root !== undefined && mirror !== undefined && URL.canParse(mirror)) {
    return [parseInstanceName(new URL(mirror).hostname)];
  }
  if (root !== undefined || mirror !== undefined) {
    throw askedWrongly('trust.name', 'it is not clear which instance is meant', {
      hint: 'tcf trust update NAME --mirror URL, and --root FILE for an instance that tcf does not know',
    });
  }
  const kept = await store.names();
  const followed = await Promise.all(
    kept.map(async (name) => ((await isFollowed(store, name)) ? [name] : [])),
  );
  return [...new Set(['sigstore', ...followed.flat()])];
}

/** An instance that was only ever imported has no mirror; one whose state is corrupt has, and is mended. */
async function isFollowed(store: TrustStore, name: string): Promise<boolean> {
  try {
    return (await store.state(name)) !== undefined;
  } catch (error) {
    if (error instanceof TcfError && error.code === 'trust.corrupt') {
      return true;
    }
    throw error;
  }
}
