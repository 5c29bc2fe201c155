import { lintTrustedRoot } from '../../attest/lint-root.ts';
import { listRoot } from '../../attest/root-entries.ts';
import { parseTrustedRoot } from '../../attest/trusted-root.ts';
import { compact } from '../../base/compact.ts';
import { type Diagnostic, hasErrors } from '../../base/diagnostic.ts';
import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { jsonLimits } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseSigningConfig } from '../../sigstore/signing-config.ts';
import { parseInstanceName } from '../../sigstore/trust/store.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { loadInstance, trustStore, type Whose } from './instances.ts';
import { maxTrustedRoot } from './trust.ts';

export interface ImportRequest {
  /** `trusted_root.json`. */
  readonly file: string;
  /** The instance whose root it is. Default: `sigstore`. */
  readonly as?: string;
  /** File of the signing config of the instance, for `tcf sign`. */
  readonly signingConfig?: string;
  readonly whose: Whose;
}

export interface Imported {
  readonly name: string;
  readonly digest: Digest;
  readonly problems: readonly Diagnostic[];
  /** False where a problem is an error: nothing was kept. */
  readonly isKept: boolean;
}

/**
 * A root that the user brings along. What has errors is not taken; nor is one that is older than what is
 * known, or that has nothing in common with it: that is another instance, and needs a name of its own.
 */
export async function importRoot(host: Host, request: ImportRequest): Promise<Imported> {
  const { file, whose } = request;
  const name = parseInstanceName(request.as ?? 'sigstore');
  const bytes = await readUserFile(host, file, maxTrustedRoot, 'the trusted root');
  const { digest, newest } = parseTrustedRoot(bytes, { what: file });
  const problems = lintTrustedRoot(bytes, host.now());
  if (hasErrors(problems)) {
    return { name, digest, problems, isKept: false };
  }
  await refuseStranger(host, name, whose, bytes, newest);
  const signingConfig = await readConfig(host, request.signingConfig);
  await trustStore(host, whose).import(name, compact({ bytes, importedAt: host.now(), signingConfig }));
  return { name, digest, problems, isKept: true };
}

/** What cannot be read now could not be read when somebody signs. */
async function readConfig(host: Host, file: string | undefined): Promise<Uint8Array | undefined> {
  if (file === undefined) {
    return undefined;
  }
  const bytes = await readUserFile(host, file, jsonLimits.small.maxBytes, 'the signing config');
  parseSigningConfig(bytes, quoted(file));
  return bytes;
}

async function refuseStranger(
  host: Host,
  name: string,
  whose: Whose,
  bytes: Uint8Array,
  newest: Date,
): Promise<void> {
  const known = await knownInstance(host, name, whose);
  if (known === undefined) {
    return;
  }
  const before = parseTrustedRoot(known, { what: name });
  if (newest < before.newest) {
    throw cannotTell('trust.rollback', `this root of ${name} is older than the one that is known`, {
      hint: `its newest entry is of ${newest.toISOString()}, and ${before.newest.toISOString()} is known; --trusted-root FILE uses it all the same, once`,
    });
  }
  const uris = new Set(listRoot(known).map(({ uri }) => uri));
  if (listRoot(bytes).some(({ uri }) => uris.has(uri))) {
    return;
  }
  throw askedWrongly('trust.stranger', `this root has nothing in common with that of ${name}`, {
    hint: 'give it a name of its own with --as NAME, and name that in the policy: trust: { instances: [NAME] }',
  });
}

async function knownInstance(host: Host, name: string, whose: Whose): Promise<Uint8Array | undefined> {
  try {
    return (await loadInstance(host, name, [whose])).bytes;
  } catch (error) {
    if (error instanceof TcfError && error.code === 'trust.unknown') {
      return undefined;
    }
    throw error;
  }
}
