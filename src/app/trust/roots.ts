import { lintTrustedRoot } from '../../attest/lint-root.ts';
import { listRoot } from '../../attest/root-entries.ts';
import type { State } from '../../attest/tuf/state.ts';
import { TcfError } from '../../base/error.ts';
import type { ShownRoot, ShownSigning, ShownTuf } from '../../report/trust.ts';
import { chooseServices, parseSigningConfig } from '../../sigstore/signing-config.ts';
import { fileExists, readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { describeServices } from '../sign/services.ts';
import {
  type InstanceSigningConfig,
  loadInstance,
  loadSigningConfigs,
  trustStore,
  type Whose,
} from './instances.ts';
import { loadFileRoot, loadInstanceRoot, maxTrustedRoot } from './trust.ts';
/**
 * What is trusted, since when, and what is suspicious about it.
 *
 * @param what The name of an instance, or a file. Default: every instance that is kept, and `sigstore`.
 * @throws TcfError `trust.*` (exit 2 and 3), `file.unreadable` (exit 3).
 */
export async function showRoots(
  host: Host,
  what: string | undefined,
  whose: Whose,
): Promise<readonly ShownRoot[]> {
  if (what !== undefined && fileExists(host, what)) {
    return [await showFile(host, what)];
  }
  const names = what === undefined ? ['sigstore', ...(await trustStore(host, whose).names())] : [what];
  return await Promise.all([...new Set(names)].map((name) => showInstance(host, name, whose)));
}

async function showFile(host: Host, file: string): Promise<ShownRoot> {
  const { dated } = await loadFileRoot(host, file);
  return describe(host, dated, await readUserFile(host, file, maxTrustedRoot, 'the trusted root'));
}

async function showInstance(host: Host, name: string, whose: Whose): Promise<ShownRoot> {
  const { dated } = await loadInstanceRoot(host, name, whose);
  const { bytes, origin } = await loadInstance(host, name, [whose]);
  const state = origin === 'tcf trust update' ? await trustStore(host, whose).state(name) : undefined;
  const signing = (await loadSigningConfigs(host, name, whose)).map((config) => showSigning(host, config));
  const shown = { ...describe(host, dated, bytes), signing };
  return state === undefined ? shown : { ...shown, tuf: toShownTuf(state) };
}

function describe(host: Host, root: ShownRoot['root'], bytes: Uint8Array): ShownRoot {
  return { root, entries: listRoot(bytes), problems: lintTrustedRoot(bytes, host.now()), signing: [] };
}

function showSigning(host: Host, { asOf, bytes, file, name, origin }: InstanceSigningConfig): ShownSigning {
  const shown = { file, origin, asOf };
  try {
    const services = chooseServices(parseSigningConfig(bytes, `the ${file} of ${name}`), host.now());
    return { ...shown, services: describeServices(services) };
  } catch (error) {
    // One whose services have all ended is still what is kept, and says something.
    if (error instanceof TcfError && error.exit === 2) {
      return { ...shown, services: [], problem: error.message };
    }
    throw error;
  }
}

function toShownTuf({ mirror, repository }: State): ShownTuf {
  const { root, snapshot, targets, timestamp } = repository;
  return {
    mirror,
    root: root.version,
    ...(timestamp === undefined ? {} : { timestamp: timestamp.version, expires: timestamp.expires }),
    ...(snapshot === undefined ? {} : { snapshot: snapshot.version }),
    ...(targets === undefined ? {} : { targets: targets.version }),
  };
}
