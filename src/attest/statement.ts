import { encodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import type { Outcome } from '../base/outcome.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, type Digest, hexOf, isDigest } from '../oci/digest.ts';
import { answer, type Refusal, refused } from './refusal.ts';
import { canonicalAlgorithm, checkSubjects, type StatementSubject } from './subject.ts';

/** in-toto Statement v0.1 or v1, after the strict parser. */
export interface Statement {
  readonly type: string;
  readonly subjects: readonly StatementSubject[];
  readonly predicateType: string;
  /** Plain JSON; `undefined` where cosign before 3.0.5 left it out. */
  readonly predicate: unknown;
}

export const payloadType = 'application/vnd.in-toto+json';

export const predicateTypes = {
  signature: 'https://sigstore.dev/cosign/sign/v1',
  cyclonedx: 'https://cyclonedx.org/bom',
  spdx: 'https://spdx.dev/Document',
  provenance: 'https://slsa.dev/provenance/v1',
  summary: 'https://slsa.dev/verification_summary/v1',
  /** Our own: what tcf read in layers, for those who share a cache. */
  layerRecords: 'urn:tcf:layer-records:v1',
} as const;

const statementTypes = { v01: 'https://in-toto.io/Statement/v0.1', v1: 'https://in-toto.io/Statement/v1' };

/** GitHub's limit for the subjects of one attestation. */
const maxSubjects = 1024;

/**
 * Reads the payload of a DSSE envelope. Refused with `statement.malformed`: anything but strict JSON, another
 * `_type`, no subject, a subject without a digest, a sha256 or sha512 that is not lower-case hex of full
 * length, a missing predicate (allowed only for cosign's signature type, cosign#4634). Refused with
 * `statement.contradiction` as `checkSubjects` says.
 */
export function parseStatement(bytes: Uint8Array): Outcome<Statement, Refusal> {
  return answer('statement.malformed', () => {
    const shape = new Shape(parseJson(bytes, 'the statement', jsonLimits.bundle), 'statement');
    const type = shape.get('_type').string(200);
    if (!Object.values(statementTypes).includes(type)) {
      throw refused('statement.malformed', `statement._type is ${quoted(type)}, not an in-toto Statement`);
    }
    const subjects = shape.get('subject').list(maxSubjects).map(readSubject);
    // A statement about nothing would be a signature that fits any policy asking only "is it signed".
    if (subjects.length === 0) {
      throw shape.get('subject').wrong('is empty');
    }
    checkSubjects(subjects);
    const predicateType = shape.get('predicateType').string(2000);
    if (predicateType === '') {
      throw shape.get('predicateType').wrong('is empty');
    }
    return { type, subjects, predicateType, predicate: readPredicate(shape, predicateType) };
  });
}

function readPredicate(shape: Shape, predicateType: string): unknown {
  const predicate = shape.get('predicate');
  if (predicate.missing && predicateType === predicateTypes.signature) {
    return undefined;
  }
  return predicate.record();
}

function readSubject(shape: Shape): StatementSubject {
  const algorithms = Object.entries(shape.get('digest').record());
  if (algorithms.length === 0) {
    throw shape.get('digest').wrong('is empty');
  }
  if (algorithms.length > 32) {
    throw shape.get('digest').wrong('has more than 32 entries');
  }
  const digests = algorithms.flatMap(([algorithm, value]) => readDigestEntry(shape, algorithm, value));
  const name = shape.optional('name')?.string() ?? '';
  const annotations = shape.optional('annotations')?.record() ?? {};
  return {
    ...(name === '' ? {} : { name }),
    digests,
    digestSet: readDigestSet(shape, algorithms),
    annotations: Object.fromEntries(
      Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
  };
}

function readDigestSet(
  subject: Shape,
  entries: readonly (readonly [string, unknown])[],
): StatementSubject['digestSet'] {
  const set = new Map<string, string>();
  for (const [name, value] of entries) {
    const algorithm = canonicalAlgorithm(name);
    const text = new Shape(value, `${subject.path}.digest`).string(1000);
    if ((set.get(algorithm) ?? text).toLowerCase() !== text.toLowerCase()) {
      throw refused('statement.contradiction', `${subject.path}.digest has two values of ${algorithm}`);
    }
    set.set(algorithm, text);
  }
  return set;
}

/** The set of digests whose spelling is known to be right. */
export function digestSetOf(digests: readonly Digest[]): StatementSubject['digestSet'] {
  return new Map(digests.map((digest) => [algorithmOf(digest), hexOf(digest)]));
}

function readDigestEntry(subject: Shape, algorithm: string, value: unknown): readonly Digest[] {
  const entry = new Shape(value, `${subject.path}.digest`);
  const text = `${algorithm}:${entry.string(1000)}`;
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    return [];
  }
  if (!isDigest(text)) {
    throw entry.wrong(`has a malformed ${algorithm}: ${quoted(text)}`);
  }
  return [text];
}

export interface StatementParts {
  readonly subject: Digest;
  /** cosign: absent for a signature, the repository for an attestation. */
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** A Statement v1 about one image. */
export function toStatement(parts: StatementParts): Statement {
  return {
    type: statementTypes.v1,
    subjects: [
      compact({
        name: parts.name,
        digests: [parts.subject],
        digestSet: digestSetOf([parts.subject]),
        annotations: parts.annotations ?? {},
      }),
    ],
    predicateType: parts.predicateType,
    predicate: parts.predicate,
  };
}

/** What `cosign sign -a key=value` signs: no subject name, an empty predicate. */
export function toSignatureStatement(
  subject: Digest,
  annotations: Readonly<Record<string, string>> = {},
): Statement {
  return toStatement({ subject, annotations, predicateType: predicateTypes.signature, predicate: {} });
}

/** The JSON bytes to sign. `annotations` is written only where there are some, as cosign does. */
export function formatStatement(statement: Statement): Uint8Array {
  const subject = statement.subjects.map(({ name, digestSet, annotations }) => ({
    name,
    digest: Object.fromEntries(digestSet),
    annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
  }));
  const { type: _type, predicateType, predicate } = statement;
  return encodeUtf8(JSON.stringify({ _type, subject, predicateType, predicate }));
}
