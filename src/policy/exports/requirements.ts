import { toPredicateType } from '../../attest/predicate.ts';
import { predicateTypes } from '../../attest/statement.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Policy, Scope } from '../document.ts';
import { signerKey } from '../identity.ts';
import type { Mode, SigningTerms } from '../rule.ts';
import type { AttestedParams } from '../rules/attested.ts';
import type { ProvenanceParams } from '../rules/provenance.ts';
import type { SbomParams } from '../rules/sbom.ts';
import type { SignedParams } from '../rules/signed.ts';
import { spellingsOf } from '../scope.ts';
import type { TrustedSigner } from '../signer.ts';
import { unsupported } from './target.ts';

/** "A statement of one of these types about the image, signed by these": all that engines have in common. */
export interface ExportRequirement {
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
  readonly requirements: readonly ExportRequirement[];
}

export interface Portable {
  readonly scopes: readonly PortableScope[];
  readonly notes: readonly string[];
  readonly problems: readonly Diagnostic[];
}

/**
 * What of a policy can be said in those common words, and what stands against it. Rules and fields are taken
 * only where this module knows them: one that is added tomorrow is refused until somebody has thought
 * about it.
 */
export function toPortable(policy: Policy): Portable {
  const scopes = policy.scopes.map((scope, index) => readScope(policy, scope, `scopes[${index}]`));
  const used = new Set(scopes.flatMap(({ scope }) => scope.requirements.flatMap(({ signers }) => signers)));
  return {
    // Under each of its names, for no engine knows that docker.io/ubuntu is docker.io/library/ubuntu.
    scopes: scopes.flatMap(({ scope }) => spellingsOf(scope.match).map((match) => ({ ...scope, match }))),
    notes: [...new Set(scopes.flatMap(({ notes }) => notes))],
    problems: [
      ...unsupportedInPolicy(policy),
      ...[...used].flatMap((signer) => unsupportedInSigner(signer, policy)),
      ...scopes.flatMap(({ problems }) => problems),
    ],
  };
}

/** As `toPortable`, for engines of clusters, where an image of several platforms is judged by its index. */
export function toClusterPortable(policy: Policy): Portable {
  const { notes, problems, scopes } = toPortable(policy);
  const platform = scopes.map(indexOnly);
  return {
    scopes,
    notes: [...new Set([...notes, ...platform.flatMap((one) => one.notes)])],
    problems: [...problems, ...platform.flatMap((one) => one.problems)],
  };
}

/**
 * As `toClusterPortable`, for Kyverno, which counts a signer once and reads the first type of a predicate.
 */
export function toKyvernoPortable(policy: Policy): Portable {
  const { notes, problems, scopes } = toClusterPortable(policy);
  const requirements = scopes.flatMap((scope) => scope.requirements);
  return {
    scopes,
    notes: [...new Set([...notes, ...requirements.flatMap(firstTypeOnly)])],
    problems: [...problems, ...requirements.flatMap(countedTwice)],
  };
}

const elsewhere = 'whom the target believes is set up there, not in its policies';

function unsupportedInPolicy({ exceptions, scopes, trust }: Policy): readonly Diagnostic[] {
  return [
    ...(trust.root === undefined ? [] : [unsupported('trust.root', elsewhere)]),
    // What comes out names the public instance, whose statements a policy with others does not take.
    ...(trust.root !== undefined || trust.instances.join() === 'sigstore'
      ? []
      : [unsupported('trust.instances', elsewhere)]),
    ...(trust.maxAge === undefined
      ? []
      : [unsupported('trust.maxAge', 'the target does not ask how old its trusted root is')]),
    ...(trust.experimental.length === 0
      ? []
      : [unsupported('trust.experimental', 'the target has its own list of algorithms')]),
    ...(exceptions.length === 0
      ? []
      : [unsupported('exceptions', 'the target has no exceptions for one digest that end by themselves')]),
    ...(scopes.every(({ require }) => require['deny'] === undefined)
      ? []
      : [unsupported('deny', 'the target has no deny list')]),
  ];
}

function unsupportedInSigner(signer: TrustedSigner, { trust }: Policy): readonly Diagnostic[] {
  const place = `signers.${signer.name}`;
  const logs = trust.logs[signer.kind];
  const right = signer.kind === 'key' ? logs <= 1 : logs === 1;
  return [
    ...(signer.validFor === undefined
      ? []
      : [unsupported(place, 'the target has no time in which a signer counts')]),
    ...(signer.kind === 'keyless' && Object.keys(signer.claims).length > 0
      ? [unsupported(`${place}.claims`, 'the target looks at issuer and identity of a certificate only')]
      : []),
    ...(signer.kind === 'keyless' && signer.github !== undefined
      ? [unsupported(`${place}.github`, 'the target looks at issuer and identity of a certificate only')]
      : []),
    ...(right
      ? []
      : [
          unsupported(
            `trust.logs.${signer.kind}`,
            `the target asks for one transparency log, not for ${logs}`,
          ),
        ]),
  ];
}

interface ReadScope {
  readonly scope: PortableScope;
  readonly notes: readonly string[];
  readonly problems: readonly Diagnostic[];
}

function readScope(policy: Policy, { match, multiArch, require }: Scope, place: string): ReadScope {
  const read = Object.entries(require)
    .filter(([rule]) => rule !== 'deny')
    .map(([rule, params]) => readRule(policy, rule, params, `${place}.require.${rule}`));
  return {
    scope: { match, multiArch, place, requirements: read.flatMap(({ requirements }) => requirements) },
    notes: read.flatMap(({ notes = [] }) => notes),
    problems: read.flatMap(({ problems = [] }) => problems),
  };
}

interface ReadRule {
  readonly requirements: readonly ExportRequirement[];
  readonly notes?: readonly string[];
  readonly problems?: readonly Diagnostic[];
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
        problems: [...unsupportedInTerms(terms, place), ...unsaid({ annotations }, place)],
      };
    }
    case 'sbom':
      return readSbom(params as SbomParams, place, require);
    case 'provenance': {
      const { buildType, builder, parameters, ref, sourceRepository, ...terms } = params as ProvenanceParams;
      const content = { buildType, builder, parameters, ref, sourceRepository };
      return {
        requirements: [require(terms, provenanceTypes)],
        problems: [...unsupportedInTerms(terms, place), ...unsaid(content, place)],
      };
    }
    case 'attested': {
      const { mode, predicates } = params as AttestedParams;
      return {
        requirements: predicates.map((terms) =>
          require({ ...terms, mode }, [toPredicateType(terms.type) ?? terms.type]),
        ),
        problems: predicates.flatMap((terms, at) => unsupportedInTerms(terms, `${place}.predicates[${at}]`)),
      };
    }
    default:
      return {
        requirements: [],
        problems: [unsupported(place, 'the target does not look into what is attested')],
      };
  }
}

function readSbom(
  { complete, formats = ['cyclonedx'], ...terms }: SbomParams,
  place: string,
  require: (terms: SbomParams, types: readonly string[]) => ExportRequirement,
): ReadRule {
  if (!formats.includes('spdx')) {
    const why = 'the target does not look into a CycloneDX document, whether it describes this very image';
    return { requirements: [], problems: [unsupported(place, why)] };
  }
  return {
    requirements: [require(terms, spdxTypes)],
    problems: [...unsupportedInTerms(terms, place), ...unsaid({ complete }, place)],
    notes: formats.includes('cyclonedx')
      ? ['an SBOM has to be SPDX there: whether a CycloneDX document describes the image is not looked at']
      : [],
  };
}

/** Fields of a rule that have a value and that no target can say. */
function unsaid(fields: Readonly<Record<string, unknown>>, place: string): readonly Diagnostic[] {
  return Object.entries(fields).flatMap(([field, value]) =>
    value === undefined
      ? []
      : [unsupported(`${place}.${field}`, 'the target does not look into what is attested')],
  );
}

function unsupportedInTerms(
  { distinct, maxAge, notBefore }: SigningTerms,
  place: string,
): readonly Diagnostic[] {
  return [
    ...(maxAge === undefined
      ? []
      : [unsupported(`${place}.maxAge`, 'the target does not ask how old a signature is')]),
    ...(notBefore === undefined
      ? []
      : [unsupported(`${place}.notBefore`, 'the target does not ask when a signature was made')]),
    ...(distinct === 'owners'
      ? [unsupported(`${place}.distinct`, 'the target does not ask whose repositories the signers are')]
      : []),
  ];
}

/**
 * For engines that ask for the digest a name leads to: stricter than `either`, and something else than
 * `platform`.
 */
function indexOnly({ multiArch, place }: PortableScope): {
  readonly notes: readonly string[];
  readonly problems: readonly Diagnostic[];
} {
  const why =
    'the target looks at what the name leads to, the index, and not at the manifest of the platform';
  return {
    notes:
      multiArch === 'either' ? ['of an image for several platforms the index has to be signed there'] : [],
    problems: multiArch === 'platform' ? [unsupported(`${place}.multiArch`, why)] : [],
  };
}

/** For engines that count attestors one after the other: only distinct ones may be counted. */
function countedTwice({ place, signers, threshold }: ExportRequirement): readonly Diagnostic[] {
  if (threshold === 1) {
    return [];
  }
  const isExact = signers.every((signer) => signer.kind === 'key' || !signer.identity.includes('*'));
  const keys = new Set(
    signers.map((signer) =>
      signer.kind === 'key' ? signer.fingerprint : signerKey({ ...signer, claims: {} }),
    ),
  );
  return isExact && keys.size === signers.length
    ? []
    : [unsupported(`${place}.threshold`, 'one signer could count there as several')];
}

/** There all types of a list are asked for, and one of several cannot be. */
function firstTypeOnly({ types: [first, ...others] }: ExportRequirement): readonly string[] {
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
