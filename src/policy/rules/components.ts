import { z } from 'zod';
import { plural, printable } from '../../base/text.ts';
import { isPurlText, type PurlParts, parsePurl } from '../../bom/purl.ts';
import type { SbomFacts } from '../../bom/read.ts';
import { type CommonParams, mode, type Rule } from '../rule.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, sayWorst } from './worst.ts';

export interface ComponentsParams extends CommonParams {
  readonly deny: readonly string[];
}

const deniedPurl = z
  .string()
  .refine(isPurlText, { message: 'is not a purl, such as pkg:deb/debian/telnetd or pkg:pypi/torch@2.0.0' })
  .refine((text) => !isPurlText(text) || isPlain(parsePurl(text)), {
    message: 'has qualifiers or a subpath; a denied purl has type, namespace, name and perhaps a version',
  });

function isPlain({ qualifiers, subpath }: PurlParts): boolean {
  return subpath === undefined && Object.keys(qualifiers ?? {}).length === 0;
}

export const components: Rule<ComponentsParams> = {
  name: 'components',
  summary: 'The SBOM lists none of the denied components.',
  params: z.strictObject({
    deny: z.array(deniedPurl).min(1).describe('purls; without a version, every version is denied'),
    mode,
  }),
  evaluate({ deny }, evidence, context) {
    const denied = deny.map(parsePurl);
    const finding = sayWorst('components', sbomsInForce(evidence, context), (facts) => judge(facts, denied));
    return { ...finding, expected: `none of ${plural(deny.length, 'denied component')}` };
  },
};

function judge(facts: SbomFacts, denied: readonly PurlParts[]): Said {
  const found = facts.components.filter(
    ({ purl }) => purl !== undefined && isPurlText(purl) && isDenied(parsePurl(purl), denied),
  );
  if (found.length > 0) {
    const names = found.slice(0, 10).map(({ purl }) => printable(purl ?? ''));
    const more = found.length > names.length ? ` and ${found.length - names.length} more` : '';
    return {
      outcome: 'fail',
      message: `the image holds ${plural(found.length, 'denied component')}`,
      actual: `${names.join(', ')}${more}`,
      hint: 'build the image without them',
    };
  }
  // A list without entries proves no absence.
  if (facts.components.length === 0)
    return { outcome: 'cannot-tell', message: 'the SBOM lists no component at all' };
  return { outcome: 'pass', message: `none of ${plural(facts.components.length, 'component')} is denied` };
}

/** By parsed parts, so that no second spelling slips past. A component without a version may be the denied one. */
function isDenied(purl: PurlParts, denied: readonly PurlParts[]): boolean {
  return denied.some(
    (one) =>
      one.type === purl.type &&
      one.namespace === purl.namespace &&
      one.name === purl.name &&
      (one.version === undefined || purl.version === undefined || one.version === purl.version),
  );
}
