import { isProvenance, type ProvenanceFacts, parseProvenance } from '../../attest/provenance.ts';
import { printable } from '../../base/text.ts';
import type { Digest } from '../../oci/digest.ts';
import {
  describeRest,
  describeWanted,
  distinctSigners,
  inForce,
  type Matched,
  matchCandidates,
} from '../attestations.ts';
import { type Evidence, manifestsOf } from '../evidence.ts';
import {
  asking,
  type Form,
  json,
  mapping,
  optional,
  readForm,
  such,
  table,
  text,
  textLike,
} from '../form.ts';
import { matchesIdentity } from '../glob.ts';
import {
  type CommonParams,
  mode,
  type Rule,
  type RuleContext,
  type SigningTerms,
  signingTerms,
} from '../rule.ts';
import { type Said, worstOf } from './worst.ts';

export interface ProvenanceParams extends CommonParams, SigningTerms {
  readonly builder?: string | undefined;
  readonly buildType?: string | undefined;
  readonly sourceRepository?: string | undefined;
  readonly ref?: string | undefined;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
}

const pattern = textLike(/^[!-~]+$/, 'holds blanks or characters beyond ASCII');
const repository = textLike(
  /^[a-z][a-z0-9+.-]*:\/\/[^\s*@#]+$/,
  'is not the URL of a repository, without git+, ref and pattern',
);

const params: Form<ProvenanceParams> = mapping({
  ...signingTerms,
  builder: optional(pattern, 'id of the builder, compared whole; * stands for any characters except / and @'),
  buildType: optional(pattern, 'type of the build, compared whole'),
  sourceRepository: optional(
    such(repository, (url) =>
      /(?:\.git|\/)$/.test(url) ? 'ends in .git or a slash; leave that out' : undefined,
    ),
    'URL of the repository that was built, compared whole: https://github.com/acme/app',
  ),
  ref: optional(
    textLike(/^refs\/[!-~]+$/, 'is not a whole ref, such as refs/heads/main'),
    'ref that was built; * stands for any characters except / and @',
  ),
  parameters: optional(
    asking(table(text, json)),
    'parameters of the build with the values they must have; others may have any',
  ),
  mode,
});

/** SLSA 1.x and 0.2. What the document says counts because of who has signed it. */
export const provenance: Rule<ProvenanceParams> = {
  name: 'provenance',
  summary: 'A trusted signer attests how the image was built, and it was built as the policy wants.',
  params,
  evaluate(terms, evidence, context) {
    const chosen = trustedProvenances(terms, evidence, context);
    const common = {
      rule: 'provenance',
      expected: describeDemands(terms, context),
      nearMisses: chosen.nearMisses,
    };
    const worst = worstOf(
      chosen.current.map(({ facts, why }) => (facts === undefined ? unreadable(why) : judge(facts, terms))),
    );
    if (worst === undefined) {
      return {
        ...common,
        outcome: 'fail',
        message: 'no provenance of this image is attested by a trusted signer',
        actual: describeRest(chosen),
        hint: `attest one as ${terms.by.join(' or ')}, with actions/attest-build-provenance or tcf sign --attest slsaprovenance1=FILE`,
      };
    }
    if (worst.outcome !== 'pass') {
      return { ...common, ...worst };
    }
    return {
      ...common,
      outcome: 'pass',
      message: `${worst.message}, attested by ${chosen.signers.join(' and ')}`,
    };
  },
};

function describeDemands(terms: ProvenanceParams, context: RuleContext): string {
  const demands = [
    ['built by', terms.builder],
    ['of type', terms.buildType],
    ['from', terms.sourceRepository],
    ['at', terms.ref],
  ].flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]));
  return [`a provenance attested ${describeWanted(terms, context)}`, ...demands].join(', ');
}

export function unreadable(why: string): Said {
  return { outcome: 'cannot-tell', message: `the attested provenance cannot be read: ${why}` };
}

/** Clause by clause; what the document does not say does not count. */
function judge(facts: ProvenanceFacts, wanted: ProvenanceParams): Said {
  const { buildType, builder, parameters, ref, sourceRepository } = wanted;
  if (builder !== undefined && !matchesIdentity(builder, facts.builder)) {
    return wrong('the image was built by another builder', facts.builder);
  }
  if (buildType !== undefined && facts.buildType !== buildType) {
    return wrong('the build was of another type', facts.buildType);
  }
  if ((sourceRepository !== undefined || ref !== undefined) && facts.sources.length === 0) {
    return {
      outcome: 'cannot-tell',
      message: 'the provenance does not say from which source the image was built',
    };
  }
  // All of them: a build that was asked for twice the source, and for two, is not a build of the one.
  for (const source of facts.sources) {
    if (sourceRepository !== undefined && source.repository !== sourceRepository) {
      return wrong('the image was built from another repository', source.repository);
    }
    if (ref !== undefined && source.ref === undefined) {
      return {
        outcome: 'cannot-tell',
        message: 'the provenance does not say at which ref the image was built',
      };
    }
    if (ref !== undefined && !matchesIdentity(ref, source.ref ?? '')) {
      return wrong('the image was built at another ref', source.ref ?? '');
    }
  }
  const difference =
    parameters === undefined ? undefined : differing(parameters, facts.parameters, 'parameters');
  if (difference !== undefined) {
    return wrong('the image was built with other parameters', difference);
  }
  const source = facts.sources[0];
  const from = source === undefined ? '' : ` from ${printable(source.repository)}`;
  return { outcome: 'pass', message: `built${from} by ${printable(facts.builder)}` };
}

function wrong(message: string, actual: string): Said {
  return { outcome: 'fail', message, actual: printable(actual) };
}

/**
 * The first place where `actual` is not what is wanted: mappings may hold more, everything else has to be
 * equal.
 */
function differing(wanted: unknown, actual: unknown, path: string): string | undefined {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual) || actual.length !== wanted.length) {
      return `${path} is ${show(actual)}`;
    }
    return firstOf(wanted.map((item, at) => () => differing(item, actual[at], `${path}[${at}]`)));
  }
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) {
      return `${path} is ${show(actual)}`;
    }
    const members = actual as Readonly<Record<string, unknown>>;
    return firstOf(
      Object.entries(wanted).map(([key, value]) => () => {
        const inner = Object.hasOwn(members, key) ? members[key] : undefined;
        return differing(value, inner, `${path}.${key}`);
      }),
    );
  }
  return wanted === actual ? undefined : `${path} is ${show(actual)}`;
}

function firstOf(questions: readonly (() => string | undefined)[]): string | undefined {
  for (const ask of questions) {
    const answer = ask();
    if (answer !== undefined) {
      return answer;
    }
  }
  return undefined;
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}

export interface ProvenanceChoice extends Matched {
  /** The provenances in force: all of them count, and one that denies is enough. */
  readonly current: readonly {
    readonly source: Digest;
    readonly facts: ProvenanceFacts | undefined;
    readonly why: string;
  }[];
  readonly signers: readonly string[];
}

function trustedProvenances(terms: SigningTerms, evidence: Evidence, context: RuleContext): ProvenanceChoice {
  const matched = matchCandidates(evidence, context, {
    isType: isProvenance,
    terms,
    about: manifestsOf(evidence),
  });
  const counting = inForce(matched.accepted, terms);
  const current = counting.map(({ candidate: { source }, verified: { statement } }) => {
    const parsed = parseProvenance(statement.predicateType, statement.predicate);
    return parsed.ok
      ? { source, facts: parsed.value, why: '' }
      : { source, facts: undefined, why: parsed.reason.message };
  });
  return { ...matched, current, signers: distinctSigners(counting) };
}

/** The provenances that the rule `provenance` of this scope accepts by their signers. */
export function provenancesInForce(evidence: Evidence, context: RuleContext): ProvenanceChoice {
  const parsed = readForm(params, context.require['provenance']);
  return trustedProvenances(parsed.ok ? parsed.value : { by: [] }, evidence, context);
}
