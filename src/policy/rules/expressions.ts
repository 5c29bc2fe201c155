import { predicateTypes } from '../../attest/statement.ts';
import { plural, printable } from '../../base/text.ts';
import { type Accepted, type ChosenSbom, inForce, matchCandidates } from '../attestations.ts';
import { type Evidence, manifestsOf } from '../evidence.ts';
import type { AbsentType, Expression, Variables } from '../expression.ts';
import { described, type Form, list, mapping, text } from '../form.ts';
import { type CommonParams, mode, type Rule, type RuleContext, signerNames } from '../rule.ts';
import { line } from '../words.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, worstOf } from './worst.ts';

export interface ExpressionsParams extends CommonParams {
  readonly by: readonly string[];
  readonly all: readonly WantedExpression[];
}

export interface WantedExpression {
  readonly that: string;
  readonly because: string;
}

const expression: Form<WantedExpression> = mapping({
  that: described(text, 'CEL, which has to be true; it knows image, now, signatures, attestations and sbom'),
  because: described(line, 'what is wrong where it is false, as one sentence'),
});

/** For what the other rules have no words for. False denies, and so does everything but true. */
export const expressions: Rule<ExpressionsParams> = {
  name: 'expressions',
  summary: 'Every CEL expression is true.',
  params: mapping({
    by: described(signerNames, 'names from signers; signatures and attestations hold what they have signed'),
    all: list(expression, 50),
    mode,
  }),
  evaluate({ all, by }, evidence, context) {
    const worst = worstOf(
      variablesOf(by, evidence, context).flatMap((each) => all.map((one) => ask(one, each, context))),
    );
    const failed = worst ?? { outcome: 'cannot-tell', message: 'there was nothing to ask' };
    return failed.outcome === 'pass'
      ? {
          rule: 'expressions',
          outcome: 'pass',
          message: `${plural(all.length, 'expression')} asked, each is true`,
        }
      : { rule: 'expressions', ...failed };
  },
};

function ask({ because, that }: WantedExpression, variables: Variables, context: RuleContext): Said {
  const expression = context.expressions.get(that);
  if (expression === undefined) {
    return { outcome: 'cannot-tell', message: 'the policy was read without an engine for CEL', actual: that };
  }
  const answer = expression(variables);
  switch (answer.kind) {
    case 'true': {
      const missing = missingEvidence(expression, variables, answer.absentTypes);
      return missing === undefined
        ? { outcome: 'pass', message: because }
        : { outcome: 'cannot-tell', message: `an expression is true only because ${missing}`, actual: that };
    }
    case 'false':
      return { outcome: 'fail', message: because, actual: `false: ${that}` };
    case 'cannot-tell':
      return { outcome: 'cannot-tell', message: `an expression has no answer: ${answer.why}`, actual: that };
  }
}

/**
 * The evidence whose absence makes an expression true; `undefined` where it is true without that. A registry
 * can always leave out what is attached to an image, so an answer that rests on nothing being there is not an
 * answer. The expression is asked again: without the lists that are empty, and with an attestation of each
 * type that it looked for in vain, of which nothing else is known.
 */
function missingEvidence(
  expression: Expression,
  variables: Variables,
  absentTypes: readonly AbsentType[],
): string | undefined {
  const { attestations, sbom, signatures } = variables;
  const present: Variables = {
    ...variables,
    signatures: unlessEmpty(signatures),
    attestations: unlessEmpty(attestations),
    sbom: withoutEmptyLists(sbom),
  };
  if (expression(present).kind !== 'true') {
    return 'nothing of what it looks into is there';
  }
  const absent = absentTypes.find(({ isPattern, wanted }) => {
    const more = [...(attestations ?? []), isPattern ? {} : { type: wanted }];
    return expression({ ...present, attestations: more }).kind !== 'true';
  });
  return absent === undefined ? undefined : `no attestation has the type ${printable(absent.wanted)}`;
}

function unlessEmpty(list: readonly unknown[] | undefined): readonly unknown[] | undefined {
  return list?.length === 0 ? undefined : list;
}

/**
 * An SBOM without any component proves no absence, and one that names no ancestor does not say what the image
 * was made from.
 */
function withoutEmptyLists(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      Array.isArray(inner) && inner.length === 0 ? [] : [[key, withoutEmptyLists(inner)]],
    ),
  );
}

/** What there is to ask about, once for each SBOM in force. */
function variablesOf(by: readonly string[], evidence: Evidence, context: RuleContext): readonly Variables[] {
  const matched = matchCandidates(evidence, context, {
    isType: () => true,
    terms: { by },
    about: manifestsOf(evidence),
  });
  const isSignature = ({ verified }: Accepted): boolean =>
    verified.statement.predicateType === predicateTypes.signature;
  const attestations = Map.groupBy(
    matched.accepted.filter((one) => !isSignature(one)),
    ({ verified }) => verified.statement.predicateType,
  );
  const { digest, registry, repository } = evidence.image;
  const common = {
    image: { registry, repository, digest, platform: evidence.platform ?? digest },
    now: evidence.now,
    signatures: matched.accepted.filter(isSignature).map(toVariable),
    attestations: [...attestations.values()].flatMap((group) => inForce(group, { by })).map(toVariable),
  };
  const sboms = factsOf(sbomsInForce(evidence, context));
  return (sboms.length === 0 ? [undefined] : sboms).map((sbom) => ({ ...common, sbom }));
}

/** One that cannot be read is no `sbom`, and an expression that asks for it has no answer. */
function factsOf({ current }: ChosenSbom): readonly unknown[] {
  return current.map(({ facts }) => facts);
}

function toVariable({ signer, verified }: Accepted): unknown {
  const { predicate, predicateType, subjects } = verified.statement;
  const who =
    verified.signer.kind === 'key'
      ? { key: verified.signer.fingerprint }
      : {
          identity: verified.signer.identity,
          issuer: verified.signer.issuer,
          claims: verified.signer.claims,
        };
  return {
    signer,
    ...who,
    time: verified.times[0],
    type: predicateType,
    predicate,
    annotations: subjects[verified.subjectIndex]?.annotations ?? {},
  };
}
