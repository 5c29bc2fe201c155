import { generateKeyPairSync } from 'node:crypto';
import { digestSetOf, predicateTypes } from '../../src/attest/statement.ts';
import type { StatementSubject } from '../../src/attest/subject.ts';
import type { ProvenSigner, Verified } from '../../src/attest/verified.ts';
import { no, yes } from '../../src/base/outcome.ts';
import { parseSbom } from '../../src/bom/read.ts';
import { type Digest, digestOf, parseDigest } from '../../src/oci/digest.ts';
import { parseImageRef, pin } from '../../src/oci/reference.ts';
import type { DatedRoot } from '../../src/policy/dated-root.ts';
import { decideAll, type Verdict } from '../../src/policy/decide.ts';
import type { Policy } from '../../src/policy/document.ts';
import { type Candidate, type Evidence, toCandidate } from '../../src/policy/evidence.ts';

import { dataOf, type MemoryOptions } from '../vulns/support.ts';

/** A Verified that nobody verified: for tests of what comes after verification, and for nothing else. */
export function unsafeVerified(parts: {
  readonly type: string;
  readonly about: readonly Digest[];
  readonly signer: ProvenSigner;
  readonly predicate?: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly times?: readonly Date[];
  readonly logs?: readonly string[];
}): Verified {
  const subjects: StatementSubject[] = parts.about.map((digest) => ({
    digests: [digest],
    digestSet: digestSetOf([digest]),
    annotations: parts.annotations ?? {},
  }));
  const plain = {
    statement: {
      type: 'https://in-toto.io/Statement/v1',
      subjects,
      predicateType: parts.type,
      predicate: parts.predicate,
    },
    signer: parts.signer,
    times: parts.times ?? [new Date('2026-11-20T00:00:00Z')],
    logs: (parts.logs ?? ['rekor']).map((logId) => ({ logId, logIndex: '1' })),
  };
  return plain as unknown as Verified;
}

export const digestFor = (digit: string): Digest => parseDigest(`sha256:${digit.repeat(64)}`);
export const digests: Readonly<Record<string, Digest>> = {
  image: digestFor('1'),
  platform: digestFor('2'),
  config: digestFor('3'),
  other: digestFor('4'),
};

export const issuer = 'https://token.actions.githubusercontent.com';
const workflows = 'https://github.com/redhat-et/triton-dev-containers/.github/workflows';
const keyless = (identity: string, from = issuer): ProvenSigner => ({
  kind: 'keyless',
  issuer: from,
  identity,
  claims: { sourceRepositoryRef: 'refs/heads/main' },
});

/** Real keys, for what reads them. */
export const teamKeys: readonly { readonly pem: string; readonly fingerprint: Digest }[] = [1, 2].map(() => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    fingerprint: digestOf(publicKey.export({ type: 'spki', format: 'der' })),
  };
});
const holder = (name: string, at: number): ProvenSigner => ({
  kind: 'key',
  name,
  fingerprint: teamKeys[at]?.fingerprint ?? digestFor('0'),
});

/** Who signs in tests. */
const people: Readonly<Record<string, ProvenSigner>> = {
  release: keyless(`${workflows}/image-build.yml@refs/heads/main`),
  sbom: keyless(`${workflows}/image-sbom.yml@refs/heads/main`),
  lookalike: keyless(`${workflows}/image-build.yml-evil@refs/heads/main`),
  elsewhere: keyless(`${workflows}/image-build.yml@refs/heads/main`, 'https://issuer.example'),
  stranger: keyless('https://github.com/mallory/evil/.github/workflows/image-build.yml@refs/heads/main'),
  pullRequest: {
    ...keyless(`${workflows}/image-build.yml@refs/heads/main`),
    kind: 'keyless',
    claims: { sourceRepositoryRef: 'refs/pull/7/merge' },
  } as ProvenSigner,
  tagged: keyless(`${workflows}/image-build.yml@refs/tags/v1`),
  taggedAgain: keyless(`${workflows}/image-build.yml@refs/tags/v2`),
  team: { kind: 'key', name: 'cosign.pub', fingerprint: digestFor('a') },
  ada: holder('ada.pub', 0),
  bob: holder('bob.pub', 1),
  lender: { kind: 'key', name: 'lent.pub', fingerprint: digestFor('b') },
};

const types: Readonly<Record<string, string>> = { ...predicateTypes };

/** A candidate as a fixture spells it. */
export interface CandidateSpec {
  readonly refused?: string;
  /** A key of `predicateTypes`, or a type in full. */
  readonly type?: string;
  readonly by?: string;
  /** Somebody who is not among `people`. */
  readonly signer?: ProvenSigner;
  readonly about?: readonly string[];
  readonly time?: string | null;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly logs?: readonly string[];
  /** Predicate as it is. */
  readonly predicate?: unknown;
  /** Shorthand for a CycloneDX predicate. */
  readonly sbom?: {
    readonly describes?: string;
    readonly components?: readonly unknown[];
    /** What the document says of its own completeness. */
    readonly aggregate?: string;
    /** Names of the programs that wrote it. */
    readonly tools?: readonly string[];
    /** What it says the image was made from. */
    readonly ancestors?: readonly unknown[];
    /** Of what it says the SHA-256 of the image is, by name. */
    readonly hash?: string;
  };
}

export interface EvidenceSpec {
  /** Days since the trusted root was known to be current. */
  readonly rootAge?: number;
  readonly image?: string;
  readonly platform?: boolean;
  /** Other digests for the names; only what the image itself is called, not what candidates are about. */
  readonly digests?: { readonly image?: string; readonly config?: string };
  readonly now?: string;
  readonly candidates?: readonly CandidateSpec[];
  /** Records of OSV in the database of the machine; absent: it has none. */
  readonly advisories?: readonly object[];
  /** Components of the SBOM that was there before. */
  readonly baseline?: {
    readonly attested: boolean;
    readonly components: readonly unknown[];
    /** It is about the very image in question. */
    readonly itself?: true;
  };
  /** When the database was taken. */
  readonly taken?: string;
  /** What Debian's archive offers, as `dataOf` takes it. */
  readonly offered?: MemoryOptions['offered'];
}

/** The trusted root of such an age, in days; none where the spec says nothing. */
export function toRoots({ now = '2026-11-23T12:00:00Z', rootAge }: EvidenceSpec): readonly DatedRoot[] {
  if (rootAge === undefined) {
    return [];
  }
  const asOf = new Date(Number(new Date(now)) - rootAge * 24 * 3_600_000);
  return [{ source: 'sigstore', digest: digestFor('f'), origin: 'tcf trust update', asOf, newest: asOf }];
}

export function toEvidence(spec: EvidenceSpec): Evidence {
  const image = pin(
    parseImageRef(spec.image ?? 'quay.io/triton-dev-containers/triton'),
    parseDigest(spec.digests?.image ?? digestNamed('image')),
  );
  return {
    image,
    ...(spec.platform === true ? { platform: digestNamed('platform') } : {}),
    config: parseDigest(spec.digests?.config ?? digestNamed('config')),
    candidates: (spec.candidates ?? []).map(candidateOf),
    now: new Date(spec.now ?? '2026-11-23T12:00:00Z'),
    ...(spec.baseline === undefined
      ? {}
      : {
          baseline: {
            name: 'what was there before',
            isAttested: spec.baseline.attested,
            digests: [spec.baseline.itself === true ? image.digest : digestFor('9')],
            sbom: parseSbom(toSbom({ components: spec.baseline.components }), 'the baseline'),
          },
        }),
    ...(spec.advisories === undefined
      ? {}
      : {
          vulnerabilities: yes({
            data: dataOf({ records: spec.advisories, offered: spec.offered }),
            ...(spec.taken === undefined ? {} : { taken: spec.taken }),
          }),
        }),
  };
}

function candidateOf(spec: CandidateSpec, index: number): Candidate {
  const source = digestFor((index + 5).toString(16));
  if (spec.refused !== undefined) {
    return toCandidate(source, no({ code: spec.refused, message: `refused as ${spec.refused}` }));
  }
  const signer = spec.signer ?? people[spec.by ?? 'release'];
  if (signer === undefined) {
    throw new Error(`nobody is called ${spec.by}`);
  }
  const verified = unsafeVerified({
    type: types[spec.type ?? (spec.sbom === undefined ? 'signature' : 'cyclonedx')] ?? spec.type ?? '',
    about: (spec.about ?? ['image']).map(digestNamed),
    signer,
    predicate: spec.sbom === undefined ? spec.predicate : toSbom(spec.sbom),
    ...(spec.time === undefined ? {} : { times: spec.time === null ? [] : [new Date(spec.time)] }),
    ...(spec.annotations === undefined ? {} : { annotations: spec.annotations }),
    ...(spec.logs === undefined ? {} : { logs: spec.logs }),
  });
  return toCandidate(source, yes(verified));
}

function toSbom({
  aggregate,
  ancestors,
  components = [],
  describes = 'config',
  hash,
  tools,
}: NonNullable<CandidateSpec['sbom']>): unknown {
  const version = digests[describes];
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: {
      ...(tools === undefined
        ? {}
        : { tools: { components: tools.map((name) => ({ type: 'application', name })) } }),
      component: {
        type: 'container',
        name: 'triton',
        ...(version === undefined ? {} : { version }),
        ...(hash === undefined ? {} : { hashes: [{ alg: 'SHA-256', content: digestNamed(hash).slice(7) }] }),
        ...(ancestors === undefined ? {} : { pedigree: { ancestors } }),
      },
    },
    components,
    ...(aggregate === undefined ? {} : { compositions: [{ aggregate }] }),
  };
}

function digestNamed(name: string): Digest {
  const digest = digests[name];
  if (digest === undefined) {
    throw new Error(`no digest is called ${name}`);
  }
  return digest;
}

/** All policies with one and the same trust. */
export function judge(policies: readonly Policy[], evidence: Evidence): Verdict {
  return decideAll(policies, evidence, () => evidence.candidates);
}
