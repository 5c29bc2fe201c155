import { encodeBase64, encodeUtf8 } from '../../base/bytes.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { no, yes } from '../../base/outcome.ts';
import type { Policy } from '../document.ts';
import type { TrustedSigner } from '../signer.ts';
import { formatYaml } from '../yaml.ts';
import { type ExportRequirement, type PortableScope, toPortable } from './requirements.ts';
import { type ExportTarget, unsupported } from './target.ts';

/**
 * containers-policy.json(5) with a registries.d file, for podman, buildah, skopeo and CRI-O. The most
 * specific scope decides there too, and everything else is rejected.
 */
export const containersPolicy: ExportTarget = {
  name: 'containers-policy',
  summary: 'policy.json and registries.d of podman, buildah, skopeo and CRI-O',
  toFiles(policy) {
    const { notes, problems, scopes } = toPortable(policy);
    const all = [...problems, ...scopes.flatMap((scope) => unsupportedIn(scope, policy))];
    if (all.length > 0) {
      return no(all);
    }
    const docker = Object.fromEntries(
      scopes.map(({ match, requirements }) => [match, requirements.flatMap(toRequirements)]),
    );
    const attachments = scopes.map(({ match }) => [match, { 'use-sigstore-attachments': true }]);
    return yes({
      files: [
        {
          path: 'policy.json',
          content: `${JSON.stringify({ default: [{ type: 'reject' }], transports: { docker } }, null, 2)}\n`,
        },
        {
          path: 'registries.d/tcf.yaml',
          content: formatYaml({ docker: Object.fromEntries(attachments) }),
        },
      ],
      notes: [
        'policy.json belongs to /etc/containers, registries.d/tcf.yaml beside it; images of other transports are rejected there',
        'signatures are read there in the format of cosign 2 only, and have to name the repository',
        'podman and skopeo of Debian 12 are built without them, and refuse every image of a scope',
        ...notes,
        ...(scopes.some(({ requirements }) => requirements.some(isOneOfSeveral))
          ? [
              'one key of several is read since containers/image 5.32.2 (podman 5.2.2, buildah 1.37.2, skopeo and CRI-O built with it); older ones refuse the whole file, and every image with it',
            ]
          : []),
        ...(scopes.some(({ multiArch }) => multiArch === 'either')
          ? ['of an image for several platforms the manifest of the platform has to be signed there']
          : []),
      ],
    });
  },
};

function unsupportedIn(scope: PortableScope, { trust }: Policy): readonly Diagnostic[] {
  return [
    ...(scope.multiArch === 'index'
      ? [
          unsupported(
            `${scope.place}.multiArch`,
            'the target looks at the manifest of the platform, and not at the index that the name leads to',
          ),
        ]
      : []),
    ...(scope.requirements.some(({ signers }) => signers.some(({ kind }) => kind === 'key')) &&
    trust.logs.key > 0
      ? [unsupported('trust.logs.key', 'the target needs the key of the log, which the policy does not hold')]
      : []),
    ...scope.requirements.flatMap(unsupportedInRequirement),
  ];
}

function unsupportedInRequirement({
  mode,
  place,
  rule,
  signers,
  threshold,
}: ExportRequirement): readonly Diagnostic[] {
  if (rule !== 'signed') {
    return [unsupported(place, 'the target knows signatures, and no attestations')];
  }
  return [
    ...(mode === 'warn' ? [unsupported(`${place}.mode`, 'the target cannot warn')] : []),
    ...signers.flatMap(unsupportedInSigner),
    ...(threshold === 1 || threshold === signers.length
      ? []
      : [unsupported(`${place}.threshold`, 'the target knows one of several signers, and all of them')]),
  ];
}

function unsupportedInSigner(signer: TrustedSigner): readonly Diagnostic[] {
  if (signer.kind === 'key') {
    return [];
  }
  const why = signer.identity.includes('://')
    ? 'the target knows e-mail addresses, and no identities of workflows'
    : 'the target needs the certificates of Fulcio, which the policy does not hold';
  return [unsupported(`signers.${signer.name}`, why)];
}

const isOneOfSeveral = ({ signers, threshold }: ExportRequirement): boolean =>
  threshold === 1 && signers.length > 1;

/** Several in a list are all asked for; several keys in one are one of them. */
function toRequirements(requirement: ExportRequirement): readonly unknown[] {
  const keys = requirement.signers.flatMap((signer) =>
    signer.kind === 'key' ? [encodeBase64(encodeUtf8(signer.pem))] : [],
  );
  const common = { type: 'sigstoreSigned', signedIdentity: { type: 'matchRepository' } };
  if (isOneOfSeveral(requirement)) {
    return [{ ...common, keyDatas: keys }];
  }
  return keys.map((keyData) => ({ ...common, keyData }));
}
