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
 * A `ClusterPolicy` of kyverno.io/v1, and another one for what only warns. Kyverno lets through what no rule
 * is about, so a rule of its own denies what lies in no scope, in whatever spelling that Kyverno would not
 * have matched.
 */
export const kyverno: ExportTarget = {
  name: 'kyverno',
  summary: 'ClusterPolicy of Kyverno 1.14 to 1.19, with verifyImages',
  toFiles(policy) {
    const { notes, problems, scopes } = toKyvernoPortable(policy);
    if (problems.length > 0) {
      return no(problems);
    }
    const rulesOf = (mode: Mode): readonly unknown[] =>
      scopes.flatMap((scope, index) =>
        scope.requirements.flatMap((requirement, at) =>
          requirement.mode === mode
            ? [
                {
                  name: toName(String(index + 1), String(at + 1), requirement.rule).slice(0, 63),
                  ...pods,
                  verifyImages: [toVerification(policy, scope, requirement, scopesWithin(scope, scopes))],
                },
              ]
            : [],
        ),
      );
    const warnings = rulesOf('warn');
    const documents = [
      toDocument(policy, [outsideOf(scopes), ...rulesOf('enforce')]),
      ...(warnings.length === 0 ? [] : [toDocument(policy, warnings, 'warn')]),
    ];
    return yes({
      files: [
        {
          path: 'kyverno.yaml',
          content: formatYaml(...documents),
        },
      ],
      notes: [
        'Kyverno 1.19 still reads a ClusterPolicy, and says that a future one will not: --to image-validating-policy is for those',
        'images have to be named in full there, with their registry',
        'signatures are read there as bundles only, as tcf and cosign 3 write them',
        'that a certificate was logged when it was issued (SCT) is not asked there',
        ...notes,
      ],
    });
  },
};

/**
 * Kyverno up to 1.18 takes the action of a policy's first rule for all of them, so those that only warn stand
 * in a policy of their own.
 */
function toDocument(policy: Policy, rules: readonly unknown[], ...suffix: readonly string[]): unknown {
  return {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: toName('tcf', policy.name.replace(/^.*\//, '').replace(/\.[a-z]+$/, ''), ...suffix) },
    spec: {
      background: false,
      webhookConfiguration: { failurePolicy: 'Fail', timeoutSeconds: 30 },
      rules,
    },
  };
}

const pods = { match: { any: [{ resources: { kinds: ['Pod'] } }] } };

function outsideOf(scopes: readonly PortableScope[]): unknown {
  return {
    name: 'in-a-scope',
    ...pods,
    validate: {
      failureAction: 'Enforce',
      message: 'the image is in no scope of the policy',
      foreach: [
        {
          list: 'request.object.spec.[ephemeralContainers, initContainers, containers][]',
          deny: {
            conditions: {
              all: [
                {
                  key: '{{ element.image }}',
                  operator: 'AnyNotIn',
                  value: scopes.flatMap(({ match }) => toPatterns(match)),
                },
              ],
            },
          },
        },
      ],
    },
  };
}

/** `*` crosses everything there, so what stands before it ends where a name may end. */
function toPatterns(match: string): readonly string[] {
  return [`${match}/*`, ...(match.includes('/') ? [match, `${match}:*`, `${match}@*`] : [])];
}

function toVerification(
  policy: Policy,
  scope: PortableScope,
  requirement: ExportRequirement,
  within: readonly PortableScope[],
): unknown {
  const isEnforced = requirement.mode === 'enforce';
  const [type] = requirement.types;
  return {
    type: 'SigstoreBundle',
    imageReferences: toPatterns(scope.match),
    ...(within.length === 0 ? {} : { skipImageReferences: within.flatMap(({ match }) => toPatterns(match)) }),
    failureAction: isEnforced ? 'Enforce' : 'Audit',
    mutateDigest: isEnforced,
    verifyDigest: isEnforced,
    required: isEnforced,
    // A signature is asked for by its type too: without one any statement of the signer would be a signature
    //
    attestations: [
      {
        name: toName(requirement.rule),
        type,
        attestors: [
          {
            count: requirement.threshold,
            entries: requirement.signers.map((signer) => toEntry(signer, policy)),
          },
        ],
      },
    ],
  };
}

const rekor = { url: 'https://rekor.sigstore.dev' };

function toEntry(signer: TrustedSigner, { trust }: Policy): unknown {
  if (signer.kind === 'key') {
    const unlogged = { rekor: { ...rekor, ignoreTlog: true }, ctlog: { ignoreSCT: true } };
    return { keys: { publicKeys: signer.pem, ...(trust.logs.key === 0 ? unlogged : { rekor }) } };
  }
  const subject = signer.identity.includes('*')
    ? { subjectRegExp: toRegExp(signer.identity) }
    : { subject: signer.identity };
  // Its own wildcards cross everything; an exact name holds none of them.
  return { keyless: { issuer: signer.issuer, ...subject, rekor } };
}
