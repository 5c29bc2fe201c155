import { CelScalar, celEnv, celFunc, listType, parse, plan } from '@bufbuild/cel';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { predicateTypes } from '../../src/attest/statement.ts';
import type { Verified } from '../../src/attest/verified.ts';
import { decide } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import type { Evidence } from '../../src/policy/evidence.ts';
import { clusterImagePolicy } from '../../src/policy/exports/cluster-image-policy.ts';
import { containersPolicy } from '../../src/policy/exports/containers-policy.ts';
import { imageValidatingPolicy } from '../../src/policy/exports/image-validating-policy.ts';
import { kyverno } from '../../src/policy/exports/kyverno.ts';
import { type EvidenceSpec, teamKeys, toEvidence } from '../support/evidence.ts';
import { runs } from '../support/runs.ts';

// Small models of the engines, written from their documentation and sources: which images each would let
// start. The law: none of them starts what the policy denies.

const issuer = 'https://token.actions.githubusercontent.com';
const workflows = 'https://github.com/redhat-et/triton-dev-containers/.github/workflows';

type Engine = (evidence: Evidence) => boolean;

interface Identity {
  readonly issuer: string;
  readonly subject?: string;
  readonly subjectRegExp?: string;
}

function isBy(verified: Verified, { issuer: from, subject, subjectRegExp }: Identity): boolean {
  const { signer } = verified;
  if (signer.kind !== 'keyless' || signer.issuer !== from || verified.logs.length === 0) {
    return false;
  }
  return subject === undefined
    ? new RegExp(subjectRegExp ?? '').test(signer.identity)
    : signer.identity === subject;
}

function isByKey(verified: Verified, pem: string): boolean {
  const { signer } = verified;
  return (
    signer.kind === 'key' && teamKeys.some((key) => key.pem === pem && key.fingerprint === signer.fingerprint)
  );
}

const about = (evidence: Evidence, digest: string): readonly Verified[] =>
  evidence.candidates.flatMap(({ outcome }) =>
    outcome.ok &&
    outcome.value.statement.subjects.some(({ digests }) => digests.some((one) => one === digest))
      ? [outcome.value]
      : [],
  );

interface Authority {
  readonly key?: { readonly data: string };
  readonly keyless?: { readonly identities: readonly Identity[] };
  readonly ctlog?: unknown;
  readonly attestations?: readonly { readonly predicateType: string }[];
}

interface Cip {
  readonly spec: {
    readonly images: readonly { readonly glob: string }[];
    readonly authorities: readonly Authority[];
    readonly mode: string;
  };
}

function policyController(text: string): Engine {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Cip);
  return (evidence) => isAdmitted(documents, evidence);
}

function isAdmitted(documents: readonly Cip[], evidence: Evidence): boolean {
  const { image } = evidence;
  const registry = image.registry === 'docker.io' ? 'index.docker.io' : image.registry;
  const name = `${registry}/${image.repository}@${image.digest}`;
  const toPattern = (glob: string) =>
    new RegExp(
      `^${glob.replaceAll('.', '\\.').replaceAll('**', '#').replaceAll('*', '[^/]*').replaceAll('#', '.*')}$`,
    );
  const matching = documents.filter(({ spec }) => spec.images.some(({ glob }) => toPattern(glob).test(name)));
  const signed = about(evidence, image.digest);
  const isContent = ({ attestations, ctlog, key, keyless }: Authority): boolean => {
    const own = signed.filter((one) =>
      key === undefined
        ? (keyless?.identities ?? []).some((identity) => isBy(one, identity))
        : isByKey(one, key.data) && (ctlog === undefined || one.logs.length > 0),
    );
    // What lies at the tag of signatures of cosign 2 is a signature; a bundle is one of whatever type it is.
    const types = attestations?.map(({ predicateType }) => predicateType) ?? [predicateTypes.signature];
    const isAny = attestations === undefined && keyless !== undefined;
    return types.every((type) => own.some(({ statement }) => isAny || statement.predicateType === type));
  };
  return (
    matching.length > 0 &&
    matching.every(({ spec }) => spec.mode === 'warn' || spec.authorities.some(isContent))
  );
}

interface Entry {
  readonly keys?: { readonly publicKeys: string; readonly rekor: { readonly ignoreTlog?: boolean } };
  readonly keyless?: Identity;
}

interface KyvernoRule {
  readonly validate?: {
    readonly foreach: readonly [
      {
        readonly deny: {
          readonly conditions: { readonly all: readonly [{ readonly value: readonly string[] }] };
        };
      },
    ];
  };
  readonly verifyImages?: readonly {
    readonly imageReferences: readonly string[];
    readonly skipImageReferences?: readonly string[];
    readonly failureAction: string;
    readonly attestations: readonly {
      readonly type: string;
      readonly attestors: readonly { readonly count: number; readonly entries: readonly Entry[] }[];
    }[];
  }[];
}

function kyvernoEngine(text: string): Engine {
  const rules = parseAllDocuments(text).flatMap(
    (document) =>
      (document.toJS() as { readonly spec: { readonly rules: readonly KyvernoRule[] } }).spec.rules,
  );
  return (evidence) => passes(rules, evidence);
}

function passes(rules: readonly KyvernoRule[], evidence: Evidence): boolean {
  const { image } = evidence;
  const name = `${image.registry}/${image.repository}:latest`;
  const fits = (patterns: readonly string[] = []) =>
    patterns.some((one) => new RegExp(`^${one.replace(/[.+]/g, '\\$&').replaceAll('*', '.*')}$`).test(name));
  const signed = about(evidence, image.digest);
  return rules.every(({ validate, verifyImages = [] }) => {
    if (validate !== undefined) {
      return fits(validate.foreach[0].deny.conditions.all[0].value);
    }
    return verifyImages.every(({ attestations, failureAction, imageReferences, skipImageReferences }) => {
      if (failureAction === 'Audit' || !fits(imageReferences) || fits(skipImageReferences)) {
        return true;
      }
      return attestations.every(({ attestors, type }) => {
        const own = signed.filter(({ statement }) => statement.predicateType === type);
        const isContent = ({ keyless, keys }: Entry): boolean =>
          own.some((one) =>
            keys === undefined
              ? keyless !== undefined && isBy(one, keyless)
              : isByKey(one, keys.publicKeys) && (keys.rekor.ignoreTlog === true || one.logs.length > 0),
          );
        return attestors.every(({ count, entries }) => entries.filter(isContent).length >= count);
      });
    });
  });
}

interface Attestor {
  readonly name: string;
  readonly cosign: {
    readonly key?: { readonly data: string };
    readonly keyless?: { readonly identities: readonly [Identity] };
    readonly ctlog: { readonly insecureIgnoreTlog?: boolean };
  };
}

interface Ivpol {
  readonly spec: {
    readonly validationActions: readonly string[];
    readonly attestors: readonly Attestor[];
    readonly attestations: readonly { readonly name: string; readonly intoto: { readonly type: string } }[];
    readonly validations: readonly { readonly expression: string }[];
  };
}

/** The expressions themselves, with the one function of Kyverno that they call. */
function imageValidatingEngine(text: string): Engine {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Ivpol);
  let signed: readonly Verified[] = [];
  const counting = (attestors: readonly Attestor[]) =>
    celFunc(
      'verifyAttestationSignatures',
      [CelScalar.STRING, CelScalar.STRING, listType(CelScalar.STRING)],
      CelScalar.INT,
      (_, type, names) => {
        const own = signed.filter(({ statement }) => statement.predicateType === type);
        const isContent = ({ cosign: { ctlog, key, keyless } }: Attestor): boolean =>
          own.some((one) =>
            key === undefined
              ? keyless !== undefined && isBy(one, keyless.identities[0])
              : isByKey(one, key.data) && (ctlog.insecureIgnoreTlog === true || one.logs.length > 0),
          );
        return BigInt(attestors.filter(({ name }) => [...names].includes(name)).filter(isContent).length);
      },
    );
  const engines = documents.map(({ spec: { attestations, attestors, validationActions, validations } }) => {
    const env = celEnv({ funcs: [counting(attestors)] });
    const named = <T>(items: readonly (readonly [string, T])[]) => new Map(items);
    const variables = {
      attestors: named(attestors.map(({ name }) => [name, name])),
      attestations: named(attestations.map(({ intoto, name }) => [name, intoto.type])),
    };
    const plans = validations.map(({ expression }) => plan(env, parse(expression)));
    return { isEnforced: validationActions.includes('Deny'), plans, variables };
  });
  return (evidence) => {
    const { image } = evidence;
    signed = about(evidence, image.digest);
    const images = new Map([
      ['containers', [`${image.registry}/${image.repository}@${image.digest}`]],
      ['initContainers', []],
      ['ephemeralContainers', []],
    ]);
    return engines.every(
      ({ isEnforced, plans, variables }) =>
        !isEnforced || plans.every((run) => run({ ...variables, images }) === true),
    );
  };
}

interface SigstoreSigned {
  readonly type: string;
  readonly keyData?: string;
  readonly keyDatas?: readonly string[];
}

function containersImage(text: string): Engine {
  const { transports } = JSON.parse(text) as {
    readonly transports: { readonly docker: Readonly<Record<string, readonly SigstoreSigned[]>> };
  };
  return (evidence) => isRunningImageAllowed(transports.docker, evidence);
}

function isRunningImageAllowed(
  docker: Readonly<Record<string, readonly SigstoreSigned[]>>,
  evidence: Evidence,
): boolean {
  const { image, platform } = evidence;
  const parts = `${image.registry}/${image.repository}`.split('/');
  const scope = parts
    .map((_, at) => parts.slice(0, parts.length - at).join('/'))
    .find((one) => one in docker);
  const signatures = about(evidence, platform ?? image.digest).filter(
    ({ statement }) => statement.predicateType === predicateTypes.signature,
  );
  const isContent = ({ keyData, keyDatas }: SigstoreSigned): boolean =>
    [...(keyDatas ?? []), ...(keyData === undefined ? [] : [keyData])].some((key) =>
      signatures.some((one) => isByKey(one, Buffer.from(key, 'base64').toString())),
    );
  return scope !== undefined && (docker[scope] ?? []).every(isContent);
}

const signers = {
  release: { issuer, identity: `${workflows}/image-build.yml@refs/heads/main` },
  sbom: { issuer, identity: `${workflows}/image-sbom.yml@refs/heads/main` },
  any: { issuer, identity: `${workflows}/*.yml@refs/heads/main` },
  ada: { key: teamKeys[0]?.pem },
  bob: { key: teamKeys[1]?.pem },
};
const by = fc.subarray(Object.keys(signers), { minLength: 1, maxLength: 3 });
const keys = fc.subarray(['ada', 'bob'], { minLength: 1 });
const mode = fc.constantFrom('enforce', 'enforce', 'warn');
const threshold = fc.constantFrom(1, 1, 2);

const everything = fc.record(
  {
    signed: fc.record({ by, mode, threshold }),
    sbom: fc.record({ by, mode, formats: fc.constantFrom(['spdx'], ['cyclonedx', 'spdx'], ['cyclonedx']) }),
    provenance: fc.record({ by, mode }),
    attested: fc.record({
      mode,
      predicates: fc.tuple(fc.record({ type: fc.constant('vuln'), by, threshold })),
    }),
  },
  { requiredKeys: [] },
);
const signatureByKeys = fc.record({ signed: fc.record({ by: keys, mode, threshold }) });

const documentWith = (require: fc.Arbitrary<unknown>) =>
  fc.record({
    version: fc.constant(1),
    trust: fc.record({ logs: fc.record({ key: fc.constantFrom(0, 0, 1) }) }),
    signers: fc.constant(signers),
    scopes: fc.uniqueArray(
      fc.record({
        match: fc.constantFrom(
          'quay.io',
          'quay.io/acme',
          'quay.io/acme/app',
          'docker.io',
          'docker.io/library/debian',
          'docker.io/debian',
          'localhost:5000',
        ),
        multiArch: fc.constantFrom('index', 'either', 'platform'),
        require,
      }),
      { minLength: 1, maxLength: 2, selector: ({ match }) => match },
    ),
  });

const people = [
  'release',
  'sbom',
  'ada',
  'bob',
  'release',
  'sbom',
  'ada',
  'bob',
  'lookalike',
  'stranger',
  'tagged',
];
const spec: fc.Arbitrary<EvidenceSpec> = fc.record({
  image: fc.constantFrom(
    'quay.io/acme/app',
    'quay.io/acme-evil/app',
    'quay.io/other',
    'debian',
    'localhost:5000/app',
  ),
  platform: fc.boolean(),
  candidates: fc.array(
    fc.record({
      by: fc.constantFrom(...people),
      type: fc.constantFrom(
        'signature',
        'signature',
        'spdx',
        'provenance',
        'https://cosign.sigstore.dev/attestation/vuln/v1',
      ),
      about: fc.constantFrom(['image'], ['image', 'platform'], ['image'], ['platform'], ['other']),
      logs: fc.constantFrom(['rekor'], ['rekor'], []),
      predicate: fc.constant({
        buildDefinition: { buildType: 'x', externalParameters: {} },
        runDetails: { builder: { id: 'x' } },
      }),
    }),
    { minLength: 2, maxLength: 10 },
  ),
});

test.for([
  ['policy-controller', clusterImagePolicy, policyController, everything],
  ['Kyverno', kyverno, kyvernoEngine, everything],
  ['Kyverno by ImageValidatingPolicy', imageValidatingPolicy, imageValidatingEngine, everything],
  ['containers/image', containersPolicy, containersImage, signatureByKeys],
] as const)('what comes out for %s never starts what the policy denies', ([, target, engine, require]) => {
  let allowed = 0;
  fc.assert(
    fc.property(documentWith(require), fc.array(spec, { minLength: 8, maxLength: 8 }), (text, images) => {
      let policy: ReturnType<typeof parsePolicy>;
      try {
        policy = parsePolicy(JSON.stringify(text), 'policy.json');
      } catch {
        // More signers wanted than there are: no policy, so nothing comes out.
        return;
      }
      const outcome = target.toFiles(policy);
      if (!outcome.ok) {
        return;
      }
      const starts = engine(outcome.value.files[0]?.content ?? '');
      for (const image of images) {
        const evidence = toEvidence(image);
        if (!starts(evidence)) {
          continue;
        }
        allowed += 1;
        expect(decide(policy, evidence).verdict, JSON.stringify(image)).toBe('allow');
      }
    }),
    { numRuns: runs(800) },
  );
  // A model that starts nothing would keep every law.
  expect(allowed).toBeGreaterThan(0);
});
