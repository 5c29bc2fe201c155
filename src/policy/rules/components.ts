import { plural, printable } from '../../base/text.ts';
import { type PurlParts, readPurl } from '../../bom/purl.ts';
import type { SbomComponent } from '../../bom/read.ts';
import {
  type ComponentPattern,
  type ComponentShape,
  componentPatterns,
  formatComponent,
  matchComponent,
  toComponentPattern,
} from '../component-pattern.ts';
import { asking, mapping, optional } from '../form.ts';
import { isGlob, matchName } from '../purl-pattern.ts';
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
    const required = require.map((one) => ({ text: formatComponent(one), pattern: toComponentPattern(one) }));
    const finding = sayWorst('components', sbomsInForce(evidence, context), (facts, absent) =>
      judge(facts.components, absent, denied, required),
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

function judge(
  components: readonly SbomComponent[],
  absent: readonly SbomComponent[],
  denied: readonly ComponentPattern[],
  required: readonly Required[],
): Said {
  // A list without entries proves no absence.
  if (components.length === 0) {
    return { outcome: 'cannot-tell', message: 'the SBOM lists no component of the image at all' };
  }
  const present = packagesIn(components);
  const found = present.filter((one) => isDenied(one, denied));
  if (found.length > 0) {
    return {
      outcome: 'fail',
      message: `the image holds ${plural(found.length, 'denied component')}`,
      actual: listed(found.map(({ text }) => text)),
      hint: 'build the image without them',
    };
  }
  const missing = required.filter(({ pattern }) => !isPresent(pattern, present));
  if (missing.length > 0) {
    return lacking(missing, packagesIn(absent));
  }
  const doubtful = denied.length === 0 ? [] : incomparable(components, denied);
  if (doubtful.length > 0) {
    return {
      outcome: 'cannot-tell',
      message: `${plural(doubtful.length, 'component')} cannot be compared with what is denied, for want of a readable purl`,
      actual: listed(doubtful),
      hint: 'write the SBOM with tcf sbom, or correct these purls and attest it again',
    };
  }
  const left = packagesIn(absent).filter((one) => isDenied(one, denied));
  return {
    outcome: 'pass',
    message: `nothing denied and nothing missing among ${plural(components.length, 'component')}${left.length === 0 ? '' : ` (excluded or external: ${listed(left.map(({ text }) => text))})`}`,
  };
}

function lacking(missing: readonly Required[], absent: readonly Package[]): Said {
  const named = missing.filter(({ pattern }) => isPresent(pattern, absent));
  const more = named.length === 0 ? '' : `; excluded or external: ${listed(named.map(({ text }) => text))}`;
  return {
    outcome: 'fail',
    message: `the image lacks ${plural(missing.length, 'required component')}`,
    actual: `no ${listed(missing.map(({ text }) => text))}${more}`,
    hint: 'build the image with them',
  };
}

interface Package {
  readonly text: string;
  readonly parts: PurlParts;
}

function packagesIn(components: readonly SbomComponent[]): readonly Package[] {
  return components.flatMap(({ purl: text = '' }) => {
    const parts = readPurl(text);
    return parts === undefined ? [] : [{ text, parts }];
  });
}

/** A component without a version may be the denied one. */
function isDenied({ parts }: Package, denied: readonly ComponentPattern[]): boolean {
  return denied.some((pattern) => matchComponent(pattern, parts) !== 'none');
}

/**
 * Components that may be a denied one and cannot be compared: those whose purl cannot be read, and those
 * without a purl that have the name of a denied package. A pattern with `*` would mean each of the latter and
 * is not asked.
 */
function incomparable(
  components: readonly SbomComponent[],
  denied: readonly ComponentPattern[],
): readonly string[] {
  const plain = denied.map(({ purl }) => purl).filter((purl) => !isGlob(purl));
  const isNamesake = (text: string): boolean =>
    plain.some(({ name, namespace, type }) =>
      [name, `${namespace}/${name}`].some(
        (wanted) => matchName({ type, name: wanted }, { type, name: text }) === 'match',
      ),
    );
  return components.flatMap(({ name, purl }) => {
    if (purl === undefined) {
      return isNamesake(name) ? [`${name} (without a purl)`] : [];
    }
    return readPurl(purl) === undefined ? [purl] : [];
  });
}

function isPresent(pattern: ComponentPattern, packages: readonly Package[]): boolean {
  return packages.some(({ parts }) => matchComponent(pattern, parts) === 'match');
}

function listed(texts: readonly string[]): string {
  const names = texts.slice(0, 10).map((text) => printable(text));
  return `${names.join(', ')}${texts.length > names.length ? ` and ${texts.length - names.length} more` : ''}`;
}
