import type { Digest } from '../oci/digest.ts';
import { contextOf } from './decide.ts';
import type { Policy } from './document.ts';
import type { Evidence } from './evidence.ts';
import { sbomsInForce } from './rules/sbom.ts';
import { mostSpecific } from './scope.ts';

/** A CycloneDX document that a trusted signer attested for this image. */
export interface AttestedSbom {
  /** The manifest, layer or file that its bundle came from. */
  readonly source: Digest;
  /** The policy's name for who signed. */
  readonly signer: string;
  /** As it was signed. */
  readonly document: unknown;
}

/**
 * The SBOMs that the rule `sbom` of a policy accepts; `undefined` where it asks for none and so trusts nobody
 * with one.
 */
function attestedSboms(policy: Policy, evidence: Evidence): readonly AttestedSbom[] | undefined {
  const scope = mostSpecific(policy.scopes, evidence.image);
  if (scope === undefined || scope.require['sbom'] === undefined) {
    return undefined;
  }
  const documents = new Map(
    evidence.candidates.flatMap(({ outcome, source }) =>
      outcome.ok ? [[source, outcome.value.statement.predicate] as const] : [],
    ),
  );
  return sbomsInForce(evidence, contextOf(policy, scope)).current.map(({ signer, source }) => ({
    source,
    signer,
    document: documents.get(source),
  }));
}

/**
 * Those that each policy with the rule accepts: what one of them does not trust is not the SBOM of the image.
 */
export function commonSboms(judged: ReadonlyMap<Policy, Evidence>): readonly AttestedSbom[] {
  const lists = [...judged].flatMap(([policy, evidence]) => {
    const sboms = attestedSboms(policy, evidence);
    return sboms === undefined ? [] : [sboms];
  });
  const [first = [], ...others] = lists;
  return first.filter(({ source }) => others.every((list) => list.some((sbom) => sbom.source === source)));
}
