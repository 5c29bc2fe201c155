import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCosign2Layer } from '../../../src/attest/cosign2.ts';
import { parseEnvelope } from '../../../src/attest/dsse.ts';
import { lintTrustedRoot } from '../../../src/attest/lint-root.ts';
import { checkPredicate, predicateNames } from '../../../src/attest/predicate.ts';
import { parseProvenance } from '../../../src/attest/provenance.ts';
import { publicGoodRoot } from '../../../src/attest/public-good.ts';
import { listRoot } from '../../../src/attest/root-entries.ts';
import { parseStatement } from '../../../src/attest/statement.ts';
import { parseSummary } from '../../../src/attest/summary.ts';
import { parsePublicKey } from '../../../src/attest/trusted-key.ts';
import { parseTrustedRoot } from '../../../src/attest/trusted-root.ts';
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from '../../../src/attest/tuf/metadata.ts';
import { formatState, parseState } from '../../../src/attest/tuf/state.ts';
import { newRepository } from '../../../src/attest/tuf/update.ts';
import { verifyCosign2 } from '../../../src/attest/verify.ts';
import { TcfError } from '../../../src/base/error.ts';
import { parseJson } from '../../../src/base/json.ts';
import { Shape } from '../../../src/base/shape.ts';
import { openRecording, recordings } from '../../support/recordings.ts';
import { root } from '../files.ts';
import { type Seed, type Target, target, textTarget } from '../target.ts';

const now = new Date('2026-12-01T00:00:00Z');
const recorded = recordings.map(openRecording);
const roots = [publicGoodRoot(), ...recorded.flatMap((one) => (one.root === undefined ? [] : [one.root]))];
const trustedRoot = parseTrustedRoot(publicGoodRoot());
const tuf = (name: string) => readFileSync(join(root, 'fixtures/sigstore/tuf', name));
const bundles = recorded.flatMap(({ content }, at) =>
  recordings[at]?.startsWith('cosign-3') ? [content] : [],
);
const signed = bundles.map((bundle) => JSON.parse(Buffer.from(bundle).toString()).dsseEnvelope);
const statements = signed.map(({ payload }) => Buffer.from(payload, 'base64'));
const provenance = JSON.stringify({
  buildDefinition: {
    buildType: 'https://actions.github.io/buildtypes/workflow/v1',
    externalParameters: {
      workflow: { ref: 'refs/heads/main', repository: 'https://github.com/a/b', path: 'c' },
    },
    internalParameters: { github: { event_name: 'push', repository_id: '1', repository_owner_id: '2' } },
    resolvedDependencies: [
      { uri: 'git+https://github.com/a/b@refs/heads/main', digest: { gitCommit: 'ab' } },
    ],
  },
  runDetails: { builder: { id: 'https://github.com/a/b/.github/workflows/c@refs/heads/main' }, metadata: {} },
});
const oldProvenance = JSON.stringify({
  builder: { id: 'https://github.com/actions/runner' },
  buildType: 'https://a.test/b',
  invocation: {
    configSource: { uri: 'git+https://github.com/a/b', digest: { sha1: 'ab' }, entryPoint: 'c' },
  },
  materials: [{ uri: 'pkg:docker/debian@12', digest: { sha256: 'ab'.repeat(32) } }],
});

/** Each recording is proven with whom it was made for. */
const proofs: readonly Seed[] = recorded.map(({ content, expected, prove }) => ({
  bytes: content,
  read: (bytes) => prove(bytes, expected.image),
}));

const layerFiles = recordings.flatMap((name) => {
  const folder = join(root, 'fixtures/sigstore/recordings', name);
  return existsSync(join(folder, 'layer.json')) ? [folder] : [];
});

function layerSeed(folder: string): Seed {
  const key = parsePublicKey(readFileSync(join(folder, 'key.pub'), 'utf8'), 'key.pub');
  const { image } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const read = (bytes: Uint8Array) => {
    const { annotations, content, mediaType } = JSON.parse(Buffer.from(bytes).toString());
    const signature = parseCosign2Layer({ mediaType, annotations, content: Buffer.from(content, 'base64') });
    const trust = { roots: [trustedRoot], keys: [key] };
    return signature.ok ? verifyCosign2(signature.value, trust, { subject: image }, now) : signature;
  };
  return { bytes: readFileSync(join(folder, 'layer.json')), read: onlyTexts(read) };
}

/** What carries a layer is JSON that the registry client has read; only its texts are a stranger's. */
function onlyTexts(read: (bytes: Uint8Array) => unknown): (bytes: Uint8Array) => unknown {
  return (bytes) => {
    try {
      const { annotations, content, mediaType } = JSON.parse(Buffer.from(bytes).toString());
      if (![...Object.values(annotations), content, mediaType].every((value) => typeof value === 'string')) {
        return 'no text';
      }
    } catch {
      return 'no JSON';
    }
    return read(bytes);
  };
}

const carried = readFileSync(join(root, 'src/attest/data/sigstore-tuf-root.json'));
const state = formatState({
  mirror: 'https://tuf.test/',
  repository: newRepository(carried),
  anchor: carried,
});

export const attest: readonly Target[] = [
  {
    name: 'attest/verify.ts verifyAttestation',
    covers: ['attest/bundle.ts parseBundle', 'attest/verify.ts verifyAttestation'],
    seeds: proofs,
  },
  {
    name: 'attest/verify.ts verifyCosign2',
    covers: [
      'attest/cosign2.ts parseCosign2Layer',
      'attest/cosign2.ts readSimpleSigning',
      'attest/verify.ts verifyCosign2',
    ],
    seeds: layerFiles.map(layerSeed),
  },
  target(
    'attest/dsse.ts parseEnvelope',
    signed.map((one) => JSON.stringify(one)),
    parseEnvelope,
  ),
  target('attest/statement.ts parseStatement', statements, parseStatement),
  target('attest/trusted-root.ts parseTrustedRoot', roots, (bytes) => {
    const { digest, newest, skipped } = parseTrustedRoot(bytes, { experimental: ['ml-dsa-65'] });
    return { digest, newest, skipped };
  }),
  target('attest/lint-root.ts lintTrustedRoot', roots, (bytes) => lintTrustedRoot(bytes, now)),
  target('attest/root-entries.ts listRoot', roots, listRoot),
  target('attest/tuf/metadata.ts parseRoot', [tuf('14.root.json')], parseRoot),
  target('attest/tuf/metadata.ts parseTimestamp', [tuf('timestamp.json')], parseTimestamp),
  target('attest/tuf/metadata.ts parseSnapshot', [tuf('165.snapshot.json')], parseSnapshot),
  target('attest/tuf/metadata.ts parseTargets', [tuf('14.targets.json')], parseTargets),
  target('attest/tuf/state.ts parseState', [state], (bytes) => parseState(bytes, 'corp', undefined)),
  textTarget(
    'attest/trusted-key.ts parsePublicKey',
    [readFileSync(join(root, 'fixtures/fields/team.pub'), 'utf8')],
    (text) => parsePublicKey(text, 'team.pub').fingerprint,
  ),
  target('attest/provenance.ts parseProvenance', [provenance], (bytes) =>
    parseProvenance('https://slsa.dev/provenance/v1', parseJson(bytes, 'it')),
  ),
  target('attest/provenance.ts parseProvenance of version 0.2', [oldProvenance], (bytes) =>
    parseProvenance('https://slsa.dev/provenance/v0.2', parseJson(bytes, 'it')),
  ),
  target(
    'attest/summary.ts parseSummary',
    [
      JSON.stringify({
        verifier: { id: 'https://a.test/verifier' },
        timeVerified: '2026-01-01T00:00:00Z',
        resourceUri: 'pkg:oci/a',
        policy: { uri: 'https://a.test/policy' },
        verificationResult: 'PASSED',
        verifiedLevels: ['SLSA_BUILD_LEVEL_3'],
      }),
    ],
    (bytes) => parseSummary(parseJson(bytes, 'it')),
  ),
  target('attest/predicate.ts checkPredicate', [provenance, oldProvenance], (bytes) =>
    Object.values(predicateNames).map((type) => {
      try {
        return checkPredicate(type, new Shape(parseJson(bytes, 'it'), 'predicate'));
      } catch (error) {
        if (error instanceof TcfError) {
          return error.message;
        }
        throw error;
      }
    }),
  ),
];
