import { join } from 'node:path';
import { parseBundle } from '../../attest/bundle.ts';
import { isWithin, parsePublicKey } from '../../attest/trusted-key.ts';
import type { Trust } from '../../attest/trusted-root.ts';
import { verifyBlob } from '../../attest/verify-blob.ts';
import { decodeUtf8 } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { jsonLimits } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import { builtInPins, builtInRows, type PinTable, toPinTable } from '../../catalogers/llvm/pins.ts';
import { type PinsFile, parsePinsFile } from '../../catalogers/llvm/pins-file.ts';
import type { Policy } from '../../policy/document.ts';
import { mismatch } from '../../policy/signer.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import { configFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import type { Whose } from '../trust/instances.ts';
import { loadPolicy } from '../trust/policies.ts';
import { loadTrust, machinePolicy, maxKey } from '../trust/trust.ts';
import { type PinsPlace, pinsPlace } from './place.ts';

export interface KeptPins extends PinsFile {
  readonly place: PinsPlace;
  /** Who signed: the file of the key, or the name in a policy. */
  readonly by: string;
}

/** 10,000 rows of 500 bytes. */
export const maxPinsFile: number = 8 * 1024 * 1024;

/**
 * The pins that count here: those that tcf brings along, then the machine's, then the user's. A file that is
 * there and whose signature does not count stops everything: what it says may be what the image wants to
 * hear, and what it no longer says too.
 *
 * @throws TcfError `pins.untrusted`, `pins.unsigned`, `document.malformed` (exit 2), and as policies do.
 */
export async function loadPins(host: Host): Promise<PinTable> {
  const kept = [await readPins(host, 'machine'), await readPins(host, 'user')];
  const added = kept.flatMap((pins) => pins?.pins ?? []).map((pin) => ({ ...pin, isAdded: true as const }));
  return added.length === 0 ? builtInPins : toPinTable([...builtInRows, ...added]);
}

/** The pins of one place, verified; `undefined` where there are none. */
export async function readPins(host: Host, whose: Whose): Promise<KeptPins | undefined> {
  const place = pinsPlace(host, whose);
  if (!fileExists(host, place.file)) {
    return undefined;
  }
  const bytes = await readPlainFile(host, place.file, maxPinsFile, 'the pins');
  if (!fileExists(host, place.bundle)) {
    throw cannotTell('pins.unsigned', `the pins ${quoted(place.file)} have no signature`, {
      hint: `put its bundle into ${place.bundle}, or remove the file`,
    });
  }
  const bundle = await readPlainFile(host, place.bundle, jsonLimits.bundle.maxBytes, 'the bundle');
  const by = await signerOf(host, place, bytes, bundle);
  return { ...parsePinsFile(bytes), place, by };
}

/**
 * Who signed a file of pins, if that counts at this place: the key beside it, or a signer that `trust.pins`
 * of the machine's policy or, for the user's pins, of the user's policy names. The user's key and policy say
 * nothing about the machine's pins.
 *
 * @throws TcfError `pins.untrusted` (exit 2).
 */
export async function signerOf(
  host: Host,
  place: PinsPlace,
  bytes: Uint8Array,
  bundleBytes: Uint8Array,
): Promise<string> {
  const bundle = parseBundle(bundleBytes);
  const reasons: string[] = bundle.ok ? [] : [bundle.reason.message];
  const places = place.whose === 'machine' ? [place] : [place, pinsPlace(host, 'machine')];
  for (const { key } of bundle.ok ? places : []) {
    if (!bundle.ok || !fileExists(host, key)) {
      continue;
    }
    const outcome = verifyBlob(bundle.value, await trustInKey(host, key), bytes, host.now());
    if (outcome.ok && outcome.value.signer.kind === 'key') {
      return key;
    }
    reasons.push(outcome.ok ? 'signed with an identity' : outcome.reason.message);
  }
  for (const policy of bundle.ok ? await policiesFor(host, place.whose) : []) {
    if (!bundle.ok) {
      continue;
    }
    const trust = await trustOf(host, policy);
    const outcome = verifyBlob(bundle.value, trust, bytes, host.now());
    if (!outcome.ok) {
      reasons.push(outcome.reason.message);
      continue;
    }
    const { signer, times } = outcome.value;
    const name = policy.trust.pins.find((each) => {
      const trusted = policy.signers.get(each);
      const when = times.length > 0 ? times : [host.now()];
      return (
        trusted !== undefined &&
        mismatch(trusted, signer) === undefined &&
        when.every((time) => isWithin(trusted.validFor, time))
      );
    });
    if (name !== undefined) {
      return `${name} of ${policy.name}`;
    }
    reasons.push(`${quoted(policy.name)} does not name its signer under trust.pins`);
  }
  const why = reasons.length === 0 ? 'no signer is trusted with pins' : [...new Set(reasons)].join('; ');
  throw cannotTell(
    'pins.untrusted',
    `the signature of the pins ${quoted(place.file)} does not count: ${why}`,
    {
      hint: `put the public key of the signer into ${place.key}, or name the signer under trust.pins of the policy`,
    },
  );
}

async function trustInKey(host: Host, path: string): Promise<Trust> {
  const pem = decodeUtf8(await readPlainFile(host, path, maxKey, 'the key')) ?? '';
  return { roots: [], keys: [parsePublicKey(pem, path)] };
}

async function trustOf(host: Host, policy: Policy): Promise<Trust> {
  const trust = await loadTrust(host, policy, undefined);
  return { roots: trust.roots, keys: trust.keys, keyThreshold: { logs: policy.trust.logs.key, times: 0 } };
}

/** Never the project's: what comes with an image must not say which LLVM is right. */
async function policiesFor(host: Host, whose: Whose): Promise<readonly Policy[]> {
  const places = [
    { origin: 'machine', path: machinePolicy(host) } as const,
    ...(whose === 'user' ? [{ origin: 'user', path: join(configFolder(host), 'policy.yaml') } as const] : []),
  ];
  const policies = await Promise.all(
    places
      .filter(({ path }) => fileExists(host, path))
      .map(({ origin, path }) => loadPolicy(host, path, { origin, read: readPlainFile })),
  );
  return policies.filter(({ trust }) => trust.pins.length > 0);
}
