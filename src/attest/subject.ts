import { createHash } from 'node:crypto';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { refused } from './refusal.ts';

export interface StatementSubject {
  readonly name?: string;
  /** The `sha256` and `sha512` entries, by which an artifact is found. */
  readonly digests: readonly Digest[];
  /** Every entry by its algorithm, as `canonicalAlgorithm` spells it. */
  readonly digestSet: ReadonlyMap<string, string>;
  /** The entries whose value is a string; in-toto allows any JSON. */
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Hash of Node.js by its name in an in-toto DigestSet (in-toto/attestation `spec/v1/digest_set.md`). Every
 * digest of these can be computed from the artifact, so a wrong one contradicts it.
 */
const hashes: ReadonlyMap<string, string> = new Map([
  ['sha1', 'sha1'],
  ['sha224', 'sha224'],
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
  ['sha512_224', 'sha512-224'],
  ['sha512_256', 'sha512-256'],
  ['sha3_224', 'sha3-224'],
  ['sha3_256', 'sha3-256'],
  ['sha3_384', 'sha3-384'],
  ['sha3_512', 'sha3-512'],
  ['md5', 'md5'],
  ['blake2b', 'blake2b512'],
  ['blake2s', 'blake2s256'],
]);

/**
 * `SHA-256` and `sha256` are one algorithm to a reader, so they are one here: neither hides a contradiction.
 */
export function canonicalAlgorithm(name: string): string {
  const folded = name.toLowerCase().replaceAll(/[-_]/g, '');
  return [...hashes.keys()].find((known) => known.replaceAll('_', '') === folded) ?? name;
}

/**
 * Refuses a subject that has one right digest of the artifact and a wrong one: its signer, or the reader that
 * takes the other digest, was misled. Refused with `statement.contradiction`. Algorithms that are not in the
 * table (git objects, Go's dirhash) say nothing about the bytes.
 * @throws a refusal; call it inside `answer`.
 */
export function checkSubject({ digestSet }: StatementSubject, content: Uint8Array): void {
  for (const [algorithm, value] of digestSet) {
    const hash = hashes.get(algorithm);
    if (hash === undefined || createHash(hash).update(content).digest('hex') === value.toLowerCase()) {
      continue;
    }
    throw refused(
      'statement.contradiction',
      `the statement names the artifact and a wrong ${algorithm} of it: ${quoted(value)}`,
    );
  }
}

/** Two artifacts that share one of these do not exist; those that share an MD5, a SHA-1 or a commit do. */
const identifying = [...hashes.keys()].filter((name) => name !== 'md5' && name !== 'sha1');

/**
 * Refuses two subjects that give one artifact two digests of one algorithm, whichever artifact is asked for.
 * @throws a refusal as `checkSubject`.
 */
export function checkSubjects(subjects: readonly StatementSubject[]): void {
  const known = new Map<string, Map<string, string>>();
  for (const { digestSet } of subjects) {
    const own = [...digestSet].filter(([name]) => hashes.has(name));
    for (const [algorithm, value] of own.filter(([name]) => identifying.includes(name))) {
      const id = `${algorithm}:${value.toLowerCase()}`;
      const all = known.get(id) ?? new Map<string, string>();
      for (const [name, text] of own) {
        checkSame(algorithm, name, all.get(name), text);
      }
      known.set(id, new Map([...all, ...own]));
    }
  }
}

function checkSame(algorithm: string, name: string, before: string | undefined, now: string): void {
  if ((before ?? now).toLowerCase() === now.toLowerCase()) {
    return;
  }
  throw refused('statement.contradiction', `two subjects with the same ${algorithm} have different ${name}s`);
}
