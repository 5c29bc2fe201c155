import { plural, printable } from '../../base/text.ts';
import type { SbomComponent, SbomFacts } from '../../bom/read.ts';
import { choice, described, type Form, mapping } from '../form.ts';
import { type CommonParams, mode, type Rule } from '../rule.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, sayWorst, worstOf } from './worst.ts';

export interface KernelsParams extends CommonParams {
  readonly allow: 'image' | 'none';
}

const params: Form<KernelsParams> = mapping({
  allow: described(
    choice('none', 'image'),
    'none: the image holds no compiled kernel of Triton; image: only such as the Triton in the image has made',
  ),
  mode,
});

/**
 * Reads the properties `tcf:kernel:*` of the SBOM in force, as docs/sbom.md describes them: native code out
 * of the caches of Triton.
 */
export const kernels: Rule<KernelsParams> = {
  name: 'kernels',
  reads: () => 'sbom',
  summary: 'The image holds no compiled kernel that was made elsewhere.',
  params,
  evaluate({ allow }, evidence, context) {
    const expected = allow === 'none' ? 'no compiled kernel' : 'only kernels made by the Triton in the image';
    return {
      ...sayWorst('kernels', sbomsInForce(evidence, context), (facts) => judge(facts, allow)),
      expected,
    };
  },
};

function judge({ components, tools }: SbomFacts, allow: KernelsParams['allow']): Said {
  const found = components.filter(({ properties }) => Object.hasOwn(properties, 'tcf:kernel:kind'));
  const worst = worstOf(found.map((kernel) => (allow === 'none' ? unwanted(kernel) : judgeOne(kernel))));
  if (worst?.outcome === 'fail' || worst?.outcome === 'cannot-tell') {
    return worst;
  }
  // Of no kernel only a document tells whose author looks for them.
  if (worst === undefined && !tools.some((tool) => /^tcf(?: |$)/.test(tool))) {
    return {
      outcome: 'cannot-tell',
      message: 'nothing says that the writer of the SBOM looks for compiled kernels',
      hint: 'write the SBOM with tcf sbom',
    };
  }
  return {
    outcome: 'pass',
    message:
      found.length === 0
        ? 'no compiled kernel'
        : `${plural(found.length, 'compiled kernel')}, each made by the Triton in the image`,
  };
}

function unwanted(kernel: SbomComponent): Said {
  return {
    outcome: 'fail',
    message: 'the image holds a compiled kernel',
    actual: describe(kernel),
    hint: 'build the image without the cache of Triton',
  };
}

function judgeOne(kernel: SbomComponent): Said {
  const actual = describe(kernel);
  const hint = 'build the image without the cache of Triton, or let the Triton of the image fill it';
  const reason = kernel.properties['tcf:kernel:reason'];
  if (reason !== undefined) {
    return {
      outcome: 'fail',
      message: `a compiled kernel is not what its cache says: ${printable(reason)}`,
      actual,
      hint,
    };
  }
  switch (kernel.properties['tcf:kernel:made-by']) {
    case 'image':
      return { outcome: 'pass', message: '', actual };
    case 'other':
      return {
        outcome: 'fail',
        message: 'a compiled kernel was made by a Triton that is not in the image',
        actual,
        hint,
      };
    default:
      return {
        outcome: 'cannot-tell',
        message: 'which Triton made a compiled kernel is not known',
        actual,
        hint,
      };
  }
}

function describe({ location, name, properties }: SbomComponent): string {
  const triton = properties['tcf:kernel:triton'] ?? 'unknown';
  const target = properties['tcf:kernel:target'] ?? 'unknown';
  return printable(`${location ?? name} for ${target}, by Triton ${triton}`, 1000);
}
