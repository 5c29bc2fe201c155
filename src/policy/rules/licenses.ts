import { plural, printable } from '../../base/text.ts';
import { canonicalLicense, isLicenseRef, isUsable } from '../../bom/license-expression.ts';
import type { SbomComponent, SbomFacts } from '../../bom/read.ts';
import { asking, choice, list, mapping, optional, textThat } from '../form.ts';
import { type CommonParams, mode, type Rule } from '../rule.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, sayWorst } from './worst.ts';

export interface LicensesParams extends CommonParams {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly whenUnknown?: 'allow' | 'deny' | undefined;
}

const license = textThat(
  (name) => isUsable(name, () => true) === true && !/ (?:AND|OR) |[()]/i.test(name),
  'is not one SPDX licence, such as MIT or Apache-2.0 WITH LLVM-exception',
);

const shape = mapping({
  allow: optional(list(license), 'SPDX licences; every component has to be usable by these alone'),
  deny: optional(
    list(license),
    'SPDX licences; no component may need one of these. GPL-3.0-only and GPL-3.0-or-later are two',
  ),
  whenUnknown: optional(
    choice('allow', 'deny'),
    'what to do with components whose licence is not known as SPDX; the default is deny',
  ),
  mode,
});

export const licenses: Rule<LicensesParams> = {
  name: 'licenses',
  summary: 'Every component of the SBOM may be used by licences that the policy wants.',
  reads: () => 'sbom',
  params: asking(shape, 'asks for nothing; name licences under allow or deny', ['allow', 'deny']),
  evaluate(params, evidence, context) {
    const { allow, deny } = params;
    const expected = [
      ...(allow === undefined ? [] : [`only ${allow.join(', ')}`]),
      ...(deny === undefined ? [] : [`none of ${deny.join(', ')}`]),
    ].join(', ');
    const chosen = sbomsInForce(evidence, context);
    return { ...sayWorst('licenses', chosen, (facts) => judge(facts, canonical(params))), expected };
  },
};

/** AGPL-3.0 and AGPL-3.0-only are one licence, in the policy as in the SBOM. */
function canonical({ allow, deny, ...rest }: LicensesParams): LicensesParams {
  return { ...rest, allow: allow?.map(canonicalLicense), deny: deny?.map(canonicalLicense) };
}

function judge({ components }: SbomFacts, params: LicensesParams): Said {
  if (components.length === 0) {
    return { outcome: 'cannot-tell', message: 'the SBOM lists no component at all' };
  }
  const judged = components.map((component) => ({ component, answer: judgeComponent(component, params) }));
  const wrong = judged.filter(({ answer }) => answer === false);
  if (wrong.length > 0) {
    return {
      outcome: 'fail',
      message: `${plural(wrong.length, 'component')} may not be used by licences that the policy wants`,
      actual: listed(wrong.map(({ component }) => component)),
      hint: 'build the image without them',
    };
  }
  const unknown = judged.filter(({ answer }) => answer === undefined);
  if (unknown.length > 0 && params.whenUnknown !== 'allow') {
    return {
      outcome: 'cannot-tell',
      message: `the licence of ${plural(unknown.length, 'component')} is not known`,
      actual: listed(unknown.map(({ component }) => component)),
      hint: 'write the SBOM with tcf sbom, or say whenUnknown: allow',
    };
  }
  return {
    outcome: 'pass',
    message: `the licences of ${plural(components.length, 'component')} are as the policy wants`,
  };
}

/**
 * All that is said of one component applies together; what is no SPDX says nothing. `undefined`: not known.
 */
function judgeComponent(component: SbomComponent, { allow, deny = [] }: LicensesParams): boolean | undefined {
  const accepts = (name: string): boolean =>
    !deny.includes(name) && (allow === undefined || allow.includes(name));
  // What is on no list of SPDX may be the text of a denied licence, or one with an exception
  // (LicenseRef-debian-bison-GPL-3): where the answer hangs on it, there is none.
  const isOpen = (name: string): boolean =>
    isLicenseRef(name) && !deny.includes(name) && allow?.includes(name) !== true;
  const answers = component.licenses.map((text) => ({
    atBest: isUsable(text, (name) => isOpen(name) || accepts(name)),
    atWorst: isUsable(text, (name) => !isOpen(name) && accepts(name)),
  }));
  if (answers.some(({ atBest }) => atBest === false)) {
    return false;
  }
  if (answers.some(({ atBest, atWorst }) => atBest !== atWorst)) {
    return undefined;
  }
  return answers.some(({ atBest }) => atBest === true) ? true : undefined;
}

function listed(components: readonly SbomComponent[]): string {
  const names = components
    .slice(0, 10)
    .map(
      ({ licenses: texts, name, purl }) =>
        `${printable(purl ?? name)} (${printable(texts.join('; ')) || 'none'})`,
    );
  return `${names.join(', ')}${components.length > names.length ? ` and ${components.length - names.length} more` : ''}`;
}
