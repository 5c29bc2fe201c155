import { decodeBase64, toHex } from '../base/bytes.ts';
import { quoted } from '../base/text.ts';
import type { InclusionProof } from './log-entry.ts';
import { refused } from './refusal.ts';

const signatureLine = /^\u2014 (\S+) (\S+)$/;

/**
 * Reads a checkpoint (C2SP tlog-checkpoint, a signed note) and checks that it speaks of this log and this
 * proof. Whether the log's signature is good is for @sigstore/verify, which compares neither the origin nor
 * the size, and takes any part of the log's address for its name.
 *
 * Refused with `log.checkpoint`. @throws a refusal; call it inside `answer`.
 */
export function checkCheckpoint(
  note: string,
  proof: InclusionProof,
  log: { readonly baseURL: string; readonly logID: Buffer },
): void {
  const end = note.indexOf('\n\n');
  const lines = note.slice(0, Math.max(end, 0)).split('\n');
  const signatures = note.slice(end + 2).split('\n');
  // Without a blank line, or with fewer lines before it, there is no origin, size or root hash that could fit
  // below.
  if (signatures.pop() !== '') {
    throw wrong('it is not a signed note');
  }
  // A second note behind the first would be one document with two meanings.
  if (!signatures.every((line) => signatureLine.test(line))) {
    throw wrong('a line among its signatures is not a signature');
  }
  const [origin = '', size = '', root = ''] = lines;
  const names = namesOf(log.baseURL);
  // Rekor v1 appends its tree: `rekor.sigstore.dev - 1193050959916656506`.
  const name = names.find(
    (name) => origin === name || (/^ - \d+$/.test(origin.slice(name.length)) && origin.startsWith(name)),
  );
  if (name === undefined) {
    throw wrong(`its origin ${quoted(origin)} is not ${names.map(quoted).join(' or ')}`);
  }
  if (size !== proof.treeSize) {
    throw wrong('its tree size differs from that of the inclusion proof');
  }
  const rootHash = decodeBase64(root);
  if (rootHash === undefined || toHex(rootHash) !== toHex(proof.rootHash)) {
    throw wrong('its root hash differs from that of the inclusion proof');
  }
  // Co-signatures (C2SP tlog-witness) come in any order; lines that are not the log's own prove nothing here.
  if (!signatures.some((line) => isOwnLine(line, names, log.logID))) {
    throw wrong('it carries no signature under the name and key of the log');
  }
}

function isOwnLine(line: string, names: readonly string[], logId: Buffer): boolean {
  const [, name = '', text = ''] = signatureLine.exec(line) ?? [];
  const bytes = decodeBase64(text);
  return (
    names.includes(name) && bytes !== undefined && toHex(bytes.subarray(0, 4)) === toHex(logId.subarray(0, 4))
  );
}

/**
 * How a log may call itself: its host, with the port if there is one, or its whole address without the
 * scheme.
 */
export function namesOf(baseUrl: string): readonly string[] {
  const address = baseUrl.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const [authority = ''] = address.split('/');
  return [...new Set([address, authority, authority.replace(/:\d+$/, '')])];
}

function wrong(why: string): Error {
  return refused('log.checkpoint', `the checkpoint of the log is wrong: ${why}`);
}
