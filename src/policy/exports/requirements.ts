import { toPredicateType } from '../../attest/predicate.ts';
import { predicateTypes } from '../../attest/statement.ts';
import type { Policy, Scope } from '../document.ts';
import { signerKey } from '../identity.ts';
import type { Mode, SigningTerms } from '../rule.ts';
import type { AttestedParams } from '../rules/attested.ts';
import type { ProvenanceParams } from '../rules/provenance.ts';
import type { SbomParams } from '../rules/sbom.ts';
import type { SignedParams } from '../rules/signed.ts';
import { spellingsOf } from '../scope.ts';
import type { TrustedSigner } from '../signer.ts';
import type { Objection } from './target.ts';

/** "A statement of one of these types about the image, signed by these": all that engines have in common. */
export interface Requirement {
  readonly rule: string;
  readonly place: string;
  readonly mode: Mode;
  /** Predicate types, any of which will do; one of them is that of signatures where the rule is `signed`. */
  readonly types: readonly string[];
  readonly signers: readonly TrustedSigner[];
  readonly threshold: number;
}

export interface PortableScope {
  readonly match: string;
  readonly multiArch: Scope['multiArch'];
  readonly place: string;
  readonly requirements: readonly Requirement[];
}

export interface Portable {
  readonly scopes: readonly PortableScope[];
  readonly notes: readonly string[];
  readonly objections: readonly Objection[];
}

/**
 * What of a policy can be said in those common words, and what stands against it. Rules and fields are taken
 * only where this module knows them: one that is added tomorrow is an objection until somebody has thought
 * about it.
 */
export function toPortable(policy: Policy): Portable {
  const scopes = policy.scopes.map((scope, index) => readScope(policy, scope, `scopes[${index}]`));
  const used = new Set(scopes.flatMap(({ scope }) => scope.requirements.flatMap(({ signers }) => signers)));
  return {
    // Under each of its names, for no engine knows that docker.io/ubuntu is docker.io/library/ubuntu.
    scopes: scopes.flatMap(({ scope }) => spellingsOf(scope.match).map((match) => ({ ...scope, match }))),
    notes: [...new Set(scopes.flatMap(({ notes }) => notes))],
    objections: [
      ...objectionsToPolicy(policy),
      ...[...used].flatMap((signer) => objectionsToSigner(signer, policy)),
      ...scopes.flatMap(({ objections }) => objections),
    ],
  };
}

const elsewhere = 'whom the target believes is set up there, not in its policies';

function objectionsToPolicy({ exceptions, scopes, trust }: Policy): readonly Objection[] {
  return [
    ...(trust.root === undefined ? [] : [{ place: 'trust.root', why: elsewhere }]),
    // What comes out names the public instance, whose statements a policy with others does not take.
    ...(trust.root !== undefined || trust.instances.join() === 'sigstore'
      ? []
      : [{ place: 'trust.instances', why: elsewhere }]),
    ...(trust.maxAge === undefined
      ? []
      : [{ place: 'trust.maxAge', why: 'the target does not ask how old its trusted root is' }]),
    ...(trust.experimental.length === 0
      ? []
      : [{ place: 'trust.experimental', why: 'the target has its own list of algorithms' }]),
    ...(exceptions.length === 0
      ? []
      : [{ place: 'exceptions', why: 'the target has no exceptions for one digest that end by themselves' }]),
    ...(scopes.every(({ require }) => require['deny'] === undefined)
      ? []
      : [{ place: 'deny', why: 'the target has no deny list' }]),
  ];
}

function objectionsToSigner(signer: TrustedSigner, { trust }: Policy): readonly Objection[] {
  const place = `signers.${signer.name}`;
  const logs = trust.logs[signer.kind];
  const right = signer.kind === 'key' ? logs <= 1 : logs === 1;
  return [
    ...(signer.validFor === undefined
      ? []
      : [{ place, why: 'the target has no time in which a signer counts' }]),
    ...(signer.kind === 'keyless' && Object.keys(signer.claims).length > 0
      ? [{ place: `${place}.claims`, why: 'the target looks at issuer and identity of a certificate only' }]
      : []),
    ...(signer.kind === 'keyless' && signer.github !== undefined
      ? [{ place: `${place}.github`, why: 'the target looks at issuer and identity of a certificate only' }]
      : []),
    ...(right
      ? []
      : [
          {
            place: `trust.logs.${signer.kind}`,
            why: `the target asks for one transparency log, not for ${logs}`,
          },
        ]),
  ];
}

interface ReadScope {
  readonly scope: PortableScope;
  readonly notes: readonly string[];
  readonly objections: readonly Objection[];
}

function readScope(policy: Policy, { match, multiArch, require }: Scope, place: string): ReadScope {
  const read = Object.entries(require)
    .filter(([rule]) => rule !== 'deny')
    .map(([rule, params]) => readRule(policy, rule, params, `${place}.require.${rule}`));
  return {
    scope: { match, multiArch, place, requirements: read.flatMap(({ requirements }) => requirements) },
    notes: read.flatMap(({ notes = [] }) => notes),
    objections: read.flatMap(({ objections = [] }) => objections),
  };
}

interface ReadRule {
  readonly requirements: readonly Requirement[];
  readonly notes?: readonly string[];
  readonly objections?: readonly Objection[];
}

const spdxTypes = [predicateTypes.spdx, `${predicateTypes.spdx}/v2.3`];
const provenanceTypes = [predicateTypes.provenance, 'https://slsa.dev/provenance/v0.2'];

function readRule(policy: Policy, rule: string, params: unknown, place: string): ReadRule {
  const require = (terms: SigningTerms & { readonly mode?: Mode | undefined }, types: readonly string[]) => ({
    rule,
    place,
    types,
    mode: terms.mode ?? 'enforce',
    signers: terms.by.flatMap((name) => policy.signers.get(name) ?? []),
    threshold: terms.threshold ?? 1,
  });
  switch (rule) {
    case 'signed': {
      const { annotations, ...terms } = params as SignedParams;
      return {
        requirements: [require(terms, [predicateTypes.signature])],
        objections: [...objectionsToTerms(terms, place), ...unsaid({ annotations }, place)],
      };
    }
    case 'sbom':
      return readSbom(params as SbomParams, place, require);
    case 'provenance': {
      const { buildType, builder, parameters, ref, sourceRepository, ...terms } = params as ProvenanceParams;
      const content = { buildType, builder, parameters, ref, sourceRepository };
      return {
        requirements: [require(terms, provenanceTypes)],
        objections: [...objectionsToTerms(terms, place), ...unsaid(content, place)],
      };
    }
    case 'attested': {
      const { mode, predicates } = params as AttestedParams;
      return {
        requirements: predicates.map((terms) =>
          require({ ...terms, mode }, [toPredicateType(terms.type) ?? terms.type]),
        ),
        objections: predicates.flatMap((terms, at) => objectionsToTerms(terms, `${place}.predicates[${at}]`)),
      };
    }
    default:
      return {
        requirements: [],
        objections: [{ place, why: 'the target does not look into what is attested' }],
      };
  }
}

function readSbom(
  { complete, formats = ['cyclonedx'], ...terms }: SbomParams,
  place: string,
  require: (terms: SbomParams, types: readonly string[]) => Requirement,
): ReadRule {
  if (!formats.includes('spdx')) {
    const why = 'the target does not look into a CycloneDX document, whether it describes this very image';
    return { requirements: [], objections: [{ place, why }] };
  }
  return {
    requirements: [require(terms, spdxTypes)],
    objections: [...objectionsToTerms(terms, place), ...unsaid({ complete }, place)],
    notes: formats.includes('cyclonedx')
      ? ['an SBOM has to be SPDX there: whether a CycloneDX document describes the image is not looked at']
      : [],
  };
}

/** Fields of a rule that have a value and that no target can say. */
function unsaid(fields: Readonly<Record<string, unknown>>, place: string): readonly Objection[] {
  return Object.entries(fields).flatMap(([field, value]) =>
    value === undefined
      ? []
      : [{ place: `${place}.${field}`, why: 'the target does not look into what is attested' }],
  );
}

function objectionsToTerms(
  { distinct, maxAge, notBefore }: SigningTerms,
  place: string,
): readonly Objection[] {
  return [
    ...(maxAge === undefined
      ? []
      : [{ place: `${place}.maxAge`, why: 'the target does not ask how old a signature is' }]),
    ...(notBefore === undefined
      ? []
      : [{ place: `${place}.notBefore`, why: 'the target does not ask when a signature was made' }]),
    ...(distinct === 'owners'
      ? [{ place: `${place}.distinct`, why: 'the target does not ask whose repositories the signers are' }]
      : []),
  ];
}

/**
 * For engines that ask for the digest a name leads to: stricter than `either`, and something else than
 * `platform`.
 */
export function indexOnly({ multiArch, place }: PortableScope): {
  readonly notes: readonly string[];
  readonly objections: readonly Objection[];
} {
  const why =
    'the target looks at what the name leads to, the index, and not at the manifest of the platform';
  return {
    notes:
      multiArch === 'either' ? ['of an image for several platforms the index has to be signed there'] : [],
    objections: multiArch === 'platform' ? [{ place: `${place}.multiArch`, why }] : [],
  };
}

/** For engines that count attestors one after the other: only distinct ones may be counted. */
export function countedTwice({ place, signers, threshold }: Requirement): readonly Objection[] {
  if (threshold === 1) return [];
  const isExact = signers.every((signer) => signer.kind === 'key' || !signer.identity.includes('*'));
  const keys = new Set(
    signers.map((signer) =>
      signer.kind === 'key' ? signer.fingerprint : signerKey({ ...signer, claims: {} }),
    ),
  );
  return isExact && keys.size === signers.length
    ? []
    : [{ place: `${place}.threshold`, why: 'one signer could count there as several' }];
}

/** There all types of a list are asked for, and one of several cannot be. */
export function firstTypeOnly({ types: [first, ...others] }: Requirement): readonly string[] {
  return others.length === 0 ? [] : [`only ${first} counts there, and not ${others.join(' or ')}`];
}

/** Scopes of the policy inside of this one: they decide there alone. */
export function scopesWithin(
  outer: PortableScope,
  scopes: readonly PortableScope[],
): readonly PortableScope[] {
  return scopes.filter(({ match }) => match !== outer.match && `${match}/`.startsWith(`${outer.match}/`));
}

/**
 * An identity as RE2 has it, for engines whose own patterns stop nowhere: anchored, and `*` stops at `/` and
 * `@`.
 */
export function toRegExp(identity: string): string {
  return `^${identity.split('*').map(escaped).join('[^/@]*')}$`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** A name for Kubernetes: lower-case letters, digits and "-". */
export function toName(...parts: readonly string[]): string {
  return parts
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 200);
}
