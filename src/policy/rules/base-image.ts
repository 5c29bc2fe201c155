import type { Material } from '../../attest/provenance.ts';
import { plural, printable } from '../../base/text.ts';
import type { SbomSubject } from '../../bom/read.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { ImageRef } from '../../oci/reference.ts';
import { describeRest } from '../attestations.ts';
import { asking, choice, list, mapping, optional, textThat } from '../form.ts';
import { parseImageUri, readImageName } from '../image-uri.ts';
import { type CommonParams, mode, type Rule } from '../rule.ts';
import { isInScope, toScope } from '../scope.ts';
import { digestText } from '../words.ts';
import { provenancesInForce, unreadable } from './provenance.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, sayWorst, worstOf } from './worst.ts';

export interface BaseImageParams extends CommonParams {
  readonly from?: 'provenance' | 'sbom' | undefined;
  readonly repositories?: readonly string[] | undefined;
  readonly digests?: readonly string[] | undefined;
}

const shape = mapping({
  from: optional(
    choice('provenance', 'sbom'),
    'which document names the base images: provenance (the default), or sbom, as tcf sbom --base writes it',
  ),
  repositories: optional(
    list(
      textThat(
        (name) => toScope(name) !== undefined,
        'is not a scope: write a registry or registry/repository in full',
      ),
    ),
    'where every image that the build used has to come from: registries, or leading path components',
  ),
  digests: optional(list(digestText), 'which images the build may have used'),
  mode,
});

/** Images of all build stages are bases: what one of them holds may have been copied. */
export const baseImage: Rule<BaseImageParams> = {
  name: 'baseImage',
  summary: 'Every image that the build started from or copied out of is an allowed one.',
  reads: ({ from = 'provenance' }) => from,
  params: asking(shape, 'asks for nothing; name repositories or digests', ['digests', 'repositories']),
  evaluate(params, evidence, context) {
    const { digests = [], from = 'provenance', repositories = [] } = params;
    const expected = `every base image in ${[...repositories, ...digests].join(', ')}`;
    if (from === 'sbom') {
      const chosen = sbomsInForce(evidence, context);
      const said = sayWorst('baseImage', chosen, ({ subject }) =>
        judge(subject.ancestors.map(fromSbom), params),
      );
      return { ...said, expected };
    }
    const chosen = provenancesInForce(evidence, context);
    const common = { rule: 'baseImage', expected, nearMisses: chosen.nearMisses };
    const worst = worstOf(
      chosen.current.map(({ facts, why }) =>
        facts === undefined ? unreadable(why) : judge(facts.materials.flatMap(toBase), params),
      ),
    );
    if (worst !== undefined) {
      return { ...common, ...worst };
    }
    return {
      ...common,
      outcome: 'cannot-tell',
      message: 'there is no trusted provenance to look into',
      actual: describeRest(chosen),
    };
  },
};

interface Base {
  readonly name: ImageRef | undefined;
  readonly digest: Digest | undefined;
  readonly text: string;
}

function judge(bases: readonly Base[], params: BaseImageParams): Said {
  if (bases.length === 0) {
    return { outcome: 'cannot-tell', message: 'nothing says from which image this one was built' };
  }
  const other = bases.find((base) => !isAllowed(base, params));
  return other === undefined
    ? { outcome: 'pass', message: `${plural(bases.length, 'base image')}, each an allowed one` }
    : {
        outcome: 'fail',
        message: 'the build used an image that is not allowed as a base',
        actual: printable(`${other.text} ${other.digest ?? 'without a digest'}`),
        hint: 'build from an allowed image, named by its digest',
      };
}

/** Without a digest nobody knows what the build took. */
function isAllowed({ digest, name }: Base, { digests, repositories }: BaseImageParams): boolean {
  if (digest === undefined || (digests !== undefined && !digests.includes(digest))) {
    return false;
  }
  return (
    repositories === undefined ||
    (name !== undefined && repositories.some((scope) => isInScope(toScope(scope) ?? scope, name)))
  );
}

/** An ancestor that is no image with a digest is none that a policy could have named. */
function fromSbom({ name, purl }: SbomSubject['ancestors'][number]): Base {
  const [base] = purl === undefined ? [] : toBase({ uri: purl, digests: [] });
  return base ?? { name: undefined, digest: undefined, text: purl ?? name };
}

/** Anything but the name of an image is not a base. */
function toBase({ digests, uri }: Material): readonly Base[] {
  const named = parseImageUri(uri);
  if (named === undefined) {
    return [];
  }
  const known = new Set([...digests, named.digest].filter((text) => text !== undefined && isDigest(text)));
  // Two that differ say nothing.
  const digest = known.size === 1 ? [...known][0] : undefined;
  return [{ name: readImageName(named.name), digest, text: named.name }];
}
