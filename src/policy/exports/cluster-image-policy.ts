import { predicateTypes } from '../../attest/statement.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { no, yes } from '../../base/outcome.ts';
import type { Policy } from '../document.ts';
import type { TrustedSigner } from '../signer.ts';
import { formatYaml } from '../yaml.ts';
import {
  type ExportRequirement,
  type PortableScope,
  scopesWithin,
  toClusterPortable,
  toName,
  toRegExp,
} from './requirements.ts';
import { type ExportTarget, unsupported } from './target.ts';

/**
 * `ClusterImagePolicy` of policy.sigstore.dev/v1beta1. All that match an image have to be content, and each
 * of them is content with one authority: so each requirement is one of them, and each signer one authority.
 */
export const clusterImagePolicy: ExportTarget = {
  name: 'cluster-image-policy',
  summary: 'ClusterImagePolicy of the Sigstore policy-controller',
  toFiles(policy) {
    const { notes, problems, scopes } = toClusterPortable(policy);
    const all = [
      ...problems,
      ...scopes.flatMap((scope) => nested(scope, scopes)),
      ...scopes.flatMap(({ requirements }) => requirements.flatMap(unsupportedIn)),
    ];
    if (all.length > 0) {
      return no(all);
    }
    const documents = scopes.flatMap((scope, index) =>
      scope.requirements.map((requirement, at) =>
        toDocument(policy, scope, requirement, `${index + 1}-${at + 1}`),
      ),
    );
    const kinds = new Set(
      scopes.flatMap(({ requirements }) =>
        requirements.flatMap(({ signers }) => signers.map(({ kind }) => kind)),
      ),
    );
    return yes({
      files: [
        {
          path: 'cluster-image-policy.yaml',
          content: formatYaml(...documents),
        },
      ],
      notes: [
        'images in no scope are denied by no-match-policy: deny in the ConfigMap config-policy-controller, its default',
        'only namespaces with the label policy.sigstore.dev/include: "true" are looked at',
        ...notes,
        ...(kinds.has('key') ? ['what a key has signed is read there in the format of cosign 2 only'] : []),
        ...(kinds.has('keyless') ? ['what is logged in a Rekor v2 alone is not read there'] : []),
      ],
    });
  },
};

function nested(scope: PortableScope, scopes: readonly PortableScope[]): readonly Diagnostic[] {
  return scopesWithin(scope, scopes).map(({ match, place }) =>
    unsupported(
      `${place}.match`,
      `${match} lies in ${scope.match}, and there both would have to be content where here the inner one decides alone`,
    ),
  );
}

function unsupportedIn({ place, threshold }: ExportRequirement): readonly Diagnostic[] {
  return threshold === 1
    ? []
    : [
        unsupported(
          `${place}.threshold`,
          'one authority is enough there, and several signers cannot be asked for',
        ),
      ];
}

function toDocument(
  policy: Policy,
  scope: PortableScope,
  requirement: ExportRequirement,
  number: string,
): unknown {
  return {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: toName('tcf', number, scope.match, requirement.rule) },
    spec: {
      images: toGlobs(scope.match).map((glob) => ({ glob })),
      authorities: requirement.types.flatMap((type, at) =>
        requirement.signers.map((signer) => ({
          name: toName(signer.name, ...(at === 0 ? [] : [String(at + 1)])),
          ...toAuthority(signer, type, policy),
        })),
      ),
      mode: requirement.mode,
    },
  };
}

/** Names are matched with tag or digest behind them; Docker Hub is spelled as go-containerregistry does. */
function toGlobs(match: string): readonly string[] {
  const name = match.replace(/^docker\.io(?=\/|$)/, 'index.docker.io');
  return [`${name}/**`, ...(name.includes('/') ? [`${name}:**`, `${name}@**`] : [])];
}

const ctlog = { url: 'https://rekor.sigstore.dev' };

function toAuthority(signer: TrustedSigner, predicateType: string, { trust }: Policy): object {
  const isSignature = predicateType === predicateTypes.signature;
  const attestations = [{ name: isSignature ? 'signature' : 'attestation', predicateType }];
  if (signer.kind === 'key') {
    return {
      key: { data: signer.pem, hashAlgorithm: 'sha256' },
      ...(trust.logs.key === 0 ? {} : { ctlog }),
      // A signature of cosign 2 is no statement; whatever lies at its tag is one of the image.
      ...(isSignature ? {} : { attestations }),
    };
  }
  const subject = signer.identity.includes('*')
    ? { subjectRegExp: toRegExp(signer.identity) }
    : { subject: signer.identity };
  return {
    keyless: { url: 'https://fulcio.sigstore.dev', identities: [{ issuer: signer.issuer, ...subject }] },
    ctlog,
    signatureFormat: 'bundle',
    // Without it an SBOM by the same signer would count as a signature of the image.
    attestations,
  };
}
