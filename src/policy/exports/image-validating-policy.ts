import { no, yes } from '../../base/outcome.ts';
import type { Policy } from '../document.ts';
import type { Mode } from '../rule.ts';
import type { TrustedSigner } from '../signer.ts';
import { formatYaml } from '../yaml.ts';
import {
  type ExportRequirement,
  type PortableScope,
  scopesWithin,
  toKyvernoPortable,
  toName,
  toRegExp,
} from './requirements.ts';
import type { ExportTarget } from './target.ts';

/**
 * An `ImageValidatingPolicy` of policies.kyverno.io/v1, which takes the place of `ClusterPolicy`, and another
 * one for what only warns. Kyverno lets through what no expression is about, so the first of them denies what
 * lies in no scope.
 */
export const imageValidatingPolicy: ExportTarget = {
  name: 'image-validating-policy',
  summary: 'ImageValidatingPolicy of Kyverno 1.19',
  toFiles(policy) {
    const { notes, problems, scopes } = toKyvernoPortable(policy);
    if (problems.length > 0) {
      return no(problems);
    }
    const asked = scopes.flatMap((scope) =>
      scope.requirements.map((requirement) => ({ scope, requirement })),
    );
    const ofMode = (mode: Mode) => asked.filter(({ requirement }) => requirement.mode === mode);
    const warnings = ofMode('warn');
    return yes({
      files: [
        {
          path: 'image-validating-policy.yaml',
          content: formatYaml(
            toDocument(policy, scopes, ofMode('enforce'), 'Deny'),
            ...(warnings.length === 0 ? [] : [toDocument(policy, scopes, warnings, 'Audit')]),
          ),
        },
      ],
      notes: [
        'images have to be named in full there, with their registry',
        'signatures are read there as bundles only, as tcf and cosign 3 write them',
        'whom it believes is the public Sigstore instance, which Kyverno asks for over the network; another one is named under cosign.tuf of each attestor',
        ...notes,
      ],
    });
  },
};

interface Asked {
  readonly scope: PortableScope;
  readonly requirement: ExportRequirement;
}

function toDocument(
  policy: Policy,
  scopes: readonly PortableScope[],
  asked: readonly Asked[],
  action: 'Audit' | 'Deny',
): unknown {
  const signers = [...new Set(asked.flatMap(({ requirement }) => requirement.signers))];
  const types = [...new Set(asked.flatMap(({ requirement }) => requirement.types[0] ?? []))];
  const isEnforced = action === 'Deny';
  const suffix = isEnforced ? [] : ['warn'];
  return {
    apiVersion: 'policies.kyverno.io/v1',
    kind: 'ImageValidatingPolicy',
    metadata: { name: toName('tcf', policy.name.replace(/^.*\//, '').replace(/\.[a-z]+$/, ''), ...suffix) },
    spec: {
      failurePolicy: isEnforced ? 'Fail' : 'Ignore',
      webhookConfiguration: { timeoutSeconds: 30 },
      evaluation: { background: { enabled: false } },
      validationActions: [action],
      matchConstraints: { resourceRules: [pods] },
      matchImageReferences: [{ expression: 'true' }],
      // What is not verified is denied by the expressions, each with its own words; an image that only warns
      // must not be.
      validationConfigurations: { mutateDigest: isEnforced, verifyDigest: isEnforced, required: false },
      attestors: signers.map((signer, at) => ({ name: `signer${at + 1}`, cosign: toCosign(signer, policy) })),
      attestations: types.map((type, at) => ({ name: `type${at + 1}`, intoto: { type } })),
      validations: [
        ...(isEnforced
          ? [{ expression: ofAll(isInOneOf(scopes)), message: 'an image is in no scope of the policy' }]
          : []),
        ...asked.map((one) => toValidation(one, scopes, signers, types)),
      ],
    },
  };
}

const pods = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['pods', 'pods/ephemeralcontainers'],
};

/** About each image of the pod, called `image`. */
function ofAll(condition: string): string {
  return `(images.containers + images.initContainers + images.ephemeralContainers).all(image, ${condition})`;
}

function isInOneOf(scopes: readonly Pick<PortableScope, 'match'>[]): string {
  return scopes.map(({ match }) => isIn(match)).join(' || ');
}

/** By the name as it is written: what is spelled otherwise is in no scope, and denied. */
function isIn(match: string): string {
  const begins = ['/', ...(match.includes('/') ? [':', '@'] : [])].map(
    (end) => `image.startsWith(${quote(match + end)})`,
  );
  return [...begins, ...(match.includes('/') ? [`image == ${quote(match)}`] : [])].join(' || ');
}

const quote = (text: string): string => JSON.stringify(text);

/**
 * A signature is asked for by its type, as an attestation: `verifyImageSignatures` takes any statement of the
 * signer (A-80). Each attestor that has signed counts once.
 */
function toValidation(
  { requirement, scope }: Asked,
  scopes: readonly PortableScope[],
  signers: readonly TrustedSigner[],
  types: readonly string[],
): unknown {
  const {
    rule,
    threshold,
    types: [type = ''],
  } = requirement;
  const within = scopesWithin(scope, scopes);
  const decides = `(${isIn(scope.match)})${within.length === 0 ? '' : ` && !(${isInOneOf(within)})`}`;
  const attestors = requirement.signers.map((signer) => `attestors.signer${signers.indexOf(signer) + 1}`);
  const count = `verifyAttestationSignatures(image, attestations.type${types.indexOf(type) + 1}, [${attestors.join(', ')}])`;
  return {
    expression: ofAll(`!(${decides}) || ${count} >= ${threshold}`),
    message: `the rule ${rule} of ${scope.match} asks for ${type} by ${threshold} of ${requirement.signers.map(({ name }) => name).join(', ')}`,
  };
}

const rekor = { url: 'https://rekor.sigstore.dev' };

function toCosign(signer: TrustedSigner, { trust }: Policy): unknown {
  if (signer.kind === 'key') {
    const ctlog = trust.logs.key === 0 ? { insecureIgnoreTlog: true, insecureIgnoreSCT: true } : rekor;
    return { key: { data: signer.pem, hashAlgorithm: 'sha256' }, ctlog };
  }
  const subject = signer.identity.includes('*')
    ? { subjectRegExp: toRegExp(signer.identity) }
    : { subject: signer.identity };
  return { keyless: { identities: [{ issuer: signer.issuer, ...subject }] }, ctlog: rekor };
}
