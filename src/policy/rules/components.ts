import { plural, printable } from '../../base/text.ts';
import { isPurlText, type PurlParts, parsePurl } from '../../bom/purl.ts';
import type { SbomFacts } from '../../bom/read.ts';
import {
  type ComponentPattern,
  type ComponentShape,
  componentPatterns,
  matchComponent,
  toComponentPattern,
} from '../component-pattern.ts';
import { asking, mapping, optional } from '../form.ts';
import { type CommonParams, mode, type Rule } from '../rule.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, sayWorst } from './worst.ts';

export interface ComponentsParams extends CommonParams {
  readonly deny?: readonly ComponentShape[] | undefined;
  readonly require?: readonly ComponentShape[] | undefined;
}

const shape = mapping({
  deny: optional(
    componentPatterns,
    'purls that must not be in the image, each with a version, a range of versions, or neither',
  ),
  require: optional(componentPatterns, 'purls that must be in the image, written alike'),
  mode,
});

export const components: Rule<ComponentsParams> = {
  name: 'components',
  reads: () => 'sbom',
  summary: 'The SBOM lists none of the denied components and all of the required ones.',
  params: asking(shape, 'asks for nothing; name components under deny or require', ['deny', 'require']),
  evaluate({ deny = [], require = [] }, evidence, context) {
    const denied = deny.map(toComponentPattern);
    const required = require.map((one) => ({ text: describe(one), pattern: toComponentPattern(one) }));
    const finding = sayWorst('components', sbomsInForce(evidence, context), (facts) =>
      judge(facts, denied, required),
    );
    const expected = [
      ...(deny.length === 0 ? [] : [`none of ${plural(deny.length, 'denied component')}`]),
      ...(require.length === 0 ? [] : [`each of ${plural(require.length, 'required component')}`]),
    ];
    return { ...finding, expected: expected.join(', ') };
  },
};

interface Required {
  readonly text: string;
  readonly pattern: ComponentPattern;
}

function judge(facts: SbomFacts, denied: readonly ComponentPattern[], required: readonly Required[]): Said {
  // A list without entries proves no absence.
  if (facts.components.length === 0)
    return { outcome: 'cannot-tell', message: 'the SBOM lists no component at all' };
  const purls = facts.components.flatMap(({ purl }) =>
    purl !== undefined && isPurlText(purl) ? [{ text: purl, parts: parsePurl(purl) }] : [],
  );
  // A component without a version may be the denied one.
  const found = purls.filter(({ parts }) =>
    denied.some((pattern) => matchComponent(pattern, parts) !== 'none'),
  );
  if (found.length > 0) {
    return {
      outcome: 'fail',
      message: `the image holds ${plural(found.length, 'denied component')}`,
      actual: listed(found.map(({ text }) => text)),
      hint: 'build the image without them',
    };
  }
  const missing = required.filter(({ pattern }) => !isPresent(pattern, purls));
  if (missing.length > 0) {
    return {
      outcome: 'fail',
      message: `the image lacks ${plural(missing.length, 'required component')}`,
      actual: `no ${listed(missing.map(({ text }) => text))}`,
      hint: 'build the image with them',
    };
  }
  return {
    outcome: 'pass',
    message: `nothing denied and nothing missing among ${plural(facts.components.length, 'component')}`,
  };
}

function isPresent(pattern: ComponentPattern, purls: readonly { readonly parts: PurlParts }[]): boolean {
  return purls.some(({ parts }) => matchComponent(pattern, parts) === 'match');
}

function listed(texts: readonly string[]): string {
  const names = texts.slice(0, 10).map((text) => printable(text));
  return `${names.join(', ')}${texts.length > names.length ? ` and ${texts.length - names.length} more` : ''}`;
}

function describe(shape: ComponentShape): string {
  return typeof shape === 'string' ? shape : `${shape.purl} in ${shape.versions}`;
}
