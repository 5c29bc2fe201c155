import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { parseCachePlace } from '../../../src/app/layer-cache/cache-place.ts';
import { formatCacheEntry, parseCacheEntry } from '../../../src/app/layer-cache/entry.ts';
import { formatSbomRecord, parseSbomRecord } from '../../../src/app/layer-cache/sbom-record.ts';
import { formatLock } from '../../../src/app/lock/format-lock.ts';
import { parseMirrors } from '../../../src/app/lock/mirrors.ts';
import { parseLock } from '../../../src/app/lock/parse-lock.ts';
import { bytesOf, collect } from '../../../src/base/bytes.ts';
import { cannotTell } from '../../../src/base/error.ts';
import { decompressed } from '../../../src/image/decompress.ts';
import { formatLayerRecord, parseLayerRecord } from '../../../src/image/layer-record.ts';
import { parseStargzFooter, parseTocPosition, parseZstdFooter } from '../../../src/image/partial/footer.ts';
import { parseToc } from '../../../src/image/partial/toc.ts';
import { parsePathName } from '../../../src/image/path-name.ts';
import { LayerScanner } from '../../../src/image/scan-layer.ts';
import { parseImageName } from '../../../src/image/source.ts';
import { readTar } from '../../../src/image/tar.ts';
import { readPax } from '../../../src/image/tar-pax.ts';
import { assembled, readInPlace, type SplitLayer } from '../../../src/image/tar-split.ts';
import { parseRunArguments } from '../../../src/launch/arguments.ts';
import { parseVerifierArguments } from '../../../src/launch/containerd-hook.ts';
import { parseDevOptions } from '../../../src/launch/dev/options.ts';
import { readPin } from '../../../src/launch/dev/pin.ts';
import { builtIn, parseProfiles } from '../../../src/launch/dev/profiles.ts';
import { parseDevContainer, parseJsonc } from '../../../src/launch/devcontainer/document.ts';
import { faultsOf } from '../../../src/launch/devcontainer/faults.ts';
import { formatCheckScript, parseCheckScript } from '../../../src/launch/devcontainer/script.ts';
import { judgeDockerRequest } from '../../../src/launch/docker-authz.ts';
import { checkMounts, parseContainerState, parseRootPath } from '../../../src/launch/oci-hook.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { compile } from '../../../src/policy/cel.ts';
import { draftPolicy, parsePolicy } from '../../../src/policy/document.ts';
import { parseImageUri } from '../../../src/policy/image-uri.ts';
import { parseStrictYaml } from '../../../src/policy/yaml.ts';
import { parseChallenges, toRealm } from '../../../src/registry/challenge.ts';
import { openCredentials } from '../../../src/registry/credentials.ts';
import { nextLink } from '../../../src/registry/link.ts';
import { parseRegistriesConf } from '../../../src/registry/registries-conf.ts';
import { parseBucketPlace, parseS3Error } from '../../../src/registry/s3/bucket.ts';
import { emptyStoreCache, formatStoreCache, parseStoreCache } from '../../../src/registry/store-cache.ts';
import { formatDecision, parseDecision } from '../../../src/report/decision-entry.ts';
import { formatPruning, parseLogEntry } from '../../../src/report/pruning-entry.ts';
import { parseIdentityToken } from '../../../src/sigstore/identity-token.ts';
import { openPrivateKey } from '../../../src/sigstore/keys.ts';
import { chooseServices, parseSigningConfig } from '../../../src/sigstore/signing-config.ts';
import { parseInstanceName } from '../../../src/sigstore/trust/store.ts';
import { chunkedLayer, stargzFooter } from '../../support/partial.ts';
import { archive, directory, file, gnuLong, hardlink, pax, symlink } from '../../support/tar.ts';
import { filesBelow } from '../files.ts';
import { type Target, target, textTarget } from '../target.ts';

const hex = 'ab'.repeat(32);
const now = new Date('2026-12-01T00:00:00Z');
const tars = [
  archive(
    directory('etc/'),
    file('etc/os-release', 'ID=debian\n'),
    symlink('lib', 'usr/lib'),
    hardlink('a', 'b'),
  ),
  archive(pax({ path: 'long/'.repeat(40), size: '3', mtime: '1.5' }), file('x', 'abc')),
  archive(gnuLong('L', 'y'.repeat(150)), file('y', 'abc')),
];

async function entriesOf(bytes: Uint8Array): Promise<unknown> {
  const entries: unknown[] = [];
  const visit = (entry: object) => {
    let size = 0;
    return {
      push: (chunk: Uint8Array) => {
        size += chunk.length;
      },
      end: () => void entries.push({ ...entry, size }),
    };
  };
  await readTar(bytesOf(bytes), visit, 'the layer');
  return entries;
}

const scratch = mkdtempSync(join(tmpdir(), 'tcf-fuzz-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const authz = [
  { RequestMethod: 'POST', RequestUri: '/v1.41/containers/abc/start', RequestHeaders: {} },
  {
    RequestMethod: 'POST',
    RequestUri: '/v1.41/containers/create?name=x',
    RequestHeaders: { 'Content-Type': 'application/json' },
    RequestBody: Buffer.from(
      JSON.stringify({
        Image: `quay.io/triton/dev@sha256:${hex}`,
        HostConfig: { Mounts: [{ Type: 'volume', Source: 'x', Target: '/x' }], Binds: ['/a:/b'] },
      }),
    ).toString('base64'),
  },
].map((request) => JSON.stringify(request));
const devcontainer = `{
  // a comment
  "image": "quay.io/triton/dev@sha256:${hex}",
  "runArgs": ["--gpus", "all", "--security-opt=label=disable"],
  "mounts": ["source=x,target=/y,type=volume", { "type": "bind", "source": "/a", "target": "/b" }],
  "features": {},
  "initializeCommand": ["tcf", "devcontainer", "check"],
}
`;
const profiles = `version: 1
profiles:
  mine:
    extends: triton
    image: quay.io/a/b:1
    device: cuda
    mounts: ["~/x:/y:ro"]
    ports: ["8080:80"]
    flags: [--cap-add=SYS_PTRACE]
`;
const policies = filesBelow('fixtures/policies', /\.ya?ml$/).concat(filesBelow('policies', /\.yaml$/));
const policy = `version: 1
trust: { instances: [sigstore], maxAge: { warn: 7d } }
signers: { a: { issuer: https://a.test, identity: "https://github.com/a/b/.github/workflows/c.yml@refs/tags/*" } }
deny: { digests: ["sha256:${hex}"] }
scopes:
  - match: quay.io/triton
    multiArch: either
    require: { signed: { by: [a], threshold: 1, maxAge: 90d }, sbom: { by: [a] }, components: { deny: [{ purl: "pkg:pypi/torch", versions: "vers:pypi/<2" }] } }
exceptions: [{ digest: "sha256:${hex}", rules: [signed], reason: x, owner: y, expires: 2026-12-31 }]
`;
const facts = { asked: 'quay.io/a', at: now, tcf: '0', uid: 0, verb: 'verify', policies: [] };
const decision = formatDecision({ ...facts, error: cannotTell('a.b', 'why') }, undefined);
const last = { sequence: 0, digest: digestOf(Buffer.from(decision)) };
const pruning = formatPruning({ at: now, tcf: '0', uid: 0, pruned: last }, last);
const cache = emptyStoreCache();
cache.manifests.set('1', undefined);
const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.AAAA`;
const tokens = [
  token({
    iss: 'https://a.test',
    aud: 'sigstore',
    sub: 'ann',
    email: 'a@b.test',
    email_verified: true,
    iat: 1,
    exp: 2,
  }),
  token({
    iss: 'https://token.actions.githubusercontent.com',
    aud: ['sigstore'],
    sub: 'repo:a/b',
    job_workflow_ref: 'a/b/.github/workflows/c@main',
    iat: 1,
    exp: 2,
  }),
];
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const credentials = JSON.stringify({
  auths: {
    'quay.io/a': { auth: Buffer.from('user:password').toString('base64') },
    'https://index.docker.io/v1/': { username: 'u', password: 'p' },
    'ghcr.io': { identitytoken: 'x' },
  },
  credHelpers: { 'gcr.io': 'gcr' },
});
const split = `${[
  { type: 2, payload: Buffer.from('header').toString('base64'), position: 0 },
  { type: 1, name: 'etc/x', size: 0, payload: 'AAAAAAAAAAA=', position: 1 },
]
  .map((entry) => JSON.stringify(entry))
  .join('\n')}\n`;
const splitOfTar = `${JSON.stringify({ type: 2, payload: tars[0]?.toString('base64'), position: 0 })}\n`;
const words = (read: (argv: readonly string[]) => unknown) => (text: string) => read(text.split(' '));

function splitLayer(bytes: Uint8Array, isVerified: boolean): SplitLayer {
  const path = join(scratch, 'tar-split.gz');
  writeFileSync(path, gzipSync(bytes));
  return { file: path, directory: scratch, what: 'the layer', isVerified };
}

const tocSeed = chunkedLayer([
  { type: 'dir', name: 'etc/' },
  { type: 'reg', name: 'etc/os-release', content: 'ID=debian', piece: 4 },
  { type: 'hardlink', name: 'a', linkName: 'etc/os-release' },
]);
const record = formatLayerRecord(new LayerScanner([]).finish(0));
const recordHead = 'tcf layer 1\n'.length;
const sbomRecord = formatSbomRecord({ text: '{}\n', summary: { components: 2, skipped: 1 } });
const sbomHead = 'tcf sbom 1\n'.length;

/** The record with the right hash, so that a change behind it is seen by what reads on. */
function rehashed(bytes: Uint8Array, head: number): Uint8Array {
  const body = bytes.subarray(head + 32);
  return Buffer.concat([bytes.subarray(0, head), createHash('sha256').update(body).digest(), body]);
}

export const edges: readonly Target[] = [
  target('image/tar.ts readTar', tars, entriesOf),
  target('image/layer-record.ts parseLayerRecord', [record], (bytes) =>
    parseLayerRecord(rehashed(bytes, recordHead)),
  ),
  target('app/layer-cache/sbom-record.ts parseSbomRecord', [sbomRecord], (bytes) =>
    parseSbomRecord(rehashed(bytes, sbomHead)),
  ),
  target(
    'app/layer-cache/entry.ts parseCacheEntry',
    [formatCacheEntry({ bundle: Buffer.from('{}'), record })],
    parseCacheEntry,
  ),
  textTarget(
    'app/layer-cache/cache-place.ts parseCachePlace',
    [
      'registry.example/a/b',
      's3://team/ci',
      'type=registry,ref=a/b',
      'type=s3,bucket=team,prefix=a,region=b',
    ],
    parseCachePlace,
  ),
  textTarget(
    'app/lock/mirrors.ts parseMirrors',
    ['debian=/srv/debian', 'https://a.example/x=https://b.example/y', 'python=https://mirror.example/'],
    (text) => Object.keys(parseMirrors([text], '/work')),
  ),
  textTarget('registry/s3/bucket.ts parseBucketPlace', ['team', 'team/ci/layers'], parseBucketPlace),
  target('registry/s3/bucket.ts parseS3Error', ['<Error><Code>NoSuchKey</Code></Error>'], parseS3Error),
  target('image/partial/toc.ts parseToc', [JSON.stringify(tocSeed.toc)], (bytes) =>
    parseToc(bytes, tocSeed.blob.length, 'the layer'),
  ),
  target(
    'image/partial/footer.ts parseZstdFooter',
    [tocSeed.blob.subarray(-64)],
    (bytes) => parseZstdFooter(bytes, tocSeed.blob.length) ?? null,
  ),
  target(
    'image/partial/footer.ts parseStargzFooter',
    [stargzFooter(500)],
    (bytes) => parseStargzFooter(bytes, 1000) ?? null,
  ),
  textTarget(
    'image/partial/footer.ts parseTocPosition',
    ['10:20:300:1'],
    (text) => parseTocPosition(text, 1000) ?? null,
  ),
  textTarget(
    'image/tar-pax.ts readPax',
    ['12 path=abc\n', '20 size=12345678901\n22 GNU.sparse.map=0,1\n'],
    readPax,
  ),
  target(
    'image/decompress.ts decompressed',
    [gzipSync('hello'), zstdCompressSync('hello'), tars[0] ?? ''],
    (bytes) => collect(decompressed(bytesOf(bytes), '', 'the layer'), 64 * 1024 * 1024, 'it'),
  ),
  target('image/tar-split.ts assembled', [split], (bytes) =>
    collect(assembled(splitLayer(bytes, true)), 1024 * 1024, 'it'),
  ),
  target('image/tar-split.ts readInPlace', [splitOfTar], (bytes) =>
    readInPlace(splitLayer(bytes, false), () => undefined, 'the layer'),
  ),
  textTarget(
    'image/source.ts parseImageName',
    ['docker://quay.io/a:1', 'oci:dir:tag', 'oci-archive:a.tar', 'containers-storage:[overlay@/x]a', 'a'],
    parseImageName,
  ),
  textTarget(
    'policy/image-uri.ts parseImageUri',
    [`pkg:docker/debian@12?digest=sha256:${hex}`, `oci://quay.io/a@sha256:${hex}`, 'docker-image://a:1'],
    parseImageUri,
  ),
  target(
    'registry/registries-conf.ts parseRegistriesConf',
    [
      'unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "a.test/b"\nlocation = "c.test"\ninsecure = true\n[[registry.mirror]]\nlocation = "d.test"\n[aliases]\n"x" = "quay.io/x"\n',
    ],
    (bytes) => parseRegistriesConf(bytes, 'registries.conf'),
  ),
  textTarget('image/path-name.ts parsePathName', ['dir:tag', 'dir:sub:quay.io/a:1', '/a@sha256:ab'], (text) =>
    parsePathName(text, `oci:${text}`),
  ),
  textTarget(
    'launch/arguments.ts parseRunArguments',
    ['--rm -it -v /a:/b --gpus all quay.io/a:1 sh -c x', '-e A=b --network=host --privileged img'],
    words((argv) => parseRunArguments(argv, { policy: true, json: false })),
  ),
  textTarget(
    'launch/dev/options.ts parseDevOptions',
    ['-d cuda -rv -j 4 -- make', '-dcuda -p 8080 --policy p cmd'],
    words((argv) => parseDevOptions(argv, { policy: true })),
  ),
  textTarget(
    'launch/containerd-hook.ts parseVerifierArguments',
    [`-name quay.io/a:1 -digest sha256:${hex} -stdin-media-type application/x`],
    words(parseVerifierArguments),
  ),
  target('launch/docker-authz.ts judgeDockerRequest', authz, judgeDockerRequest),
  target(
    'launch/oci-hook.ts parseContainerState',
    [JSON.stringify({ ociVersion: '1', id: hex, status: 'creating', bundle: '/b', annotations: { a: 'b' } })],
    parseContainerState,
  ),
  target(
    ['launch/oci-hook.ts parseRootPath', 'launch/oci-hook.ts checkMounts'],
    [
      JSON.stringify({
        root: { path: 'rootfs' },
        mounts: [{ destination: '/x', type: 'bind', source: '/y' }],
      }),
    ],
    (bytes) => [parseRootPath(bytes, '/b'), checkMounts(bytes)],
  ),
  textTarget(
    ['launch/devcontainer/document.ts parseDevContainer', 'launch/devcontainer/document.ts parseJsonc'],
    [devcontainer],
    (text) => [parseJsonc(text, 'f'), faultsOf(parseDevContainer(text, 'f'), 'f')],
  ),
  textTarget(
    'launch/devcontainer/script.ts parseCheckScript',
    [formatCheckScript({ call: ['devcontainer', 'check', "a'b"], version: '0.1.0' })],
    parseCheckScript,
  ),
  textTarget('app/lock/parse-lock.ts parseLock', [readFileSync('images/cuda/lock.yaml', 'utf8')], (text) => {
    const lock = parseLock(text, 'lock.yaml');
    return [lock, parseLock(formatLock(lock), 'again')];
  }),
  textTarget('launch/dev/profiles.ts parseProfiles', [profiles], (text) => [
    ...parseProfiles(text, 'profiles.yaml', builtIn),
  ]),
  textTarget('launch/dev/pin.ts readPin', [JSON.stringify({ llvm_hash: 'ab'.repeat(20) })], (text) =>
    readPin({ info: text, nvidia: text, json: text }, '/src'),
  ),
  textTarget(
    ['policy/document.ts parsePolicy', 'policy/document.ts draftPolicy'],
    [policy, ...policies.map(String)],
    (text) => [draftPolicy(text, 'p.yaml').keyFiles, parsePolicy(text, 'p.yaml', { compile }).scopes],
  ),
  textTarget(
    'policy/yaml.ts parseStrictYaml',
    [policy, profiles, 'a: [1, "\\u0041"]\n'],
    (text) => parseStrictYaml(text, 'a.yaml').value,
  ),
  textTarget(
    'policy/cel.ts compile',
    [
      'attestations.exists(a, a.type == "x" && a.age < duration("1h"))',
      'signatures.all(s, s.identity.matches("^a"))',
    ],
    (text) => typeof compile(text),
  ),
  textTarget(
    'registry/challenge.ts parseChallenges',
    ['Bearer realm="https://a.test/token",service="a",scope="repository:a:pull", Basic realm=x'],
    (text) => {
      const challenges = parseChallenges(text);
      return [challenges, toRealm(text.split('"')[1], new URL('https://a.test'))];
    },
  ),
  textTarget(
    'registry/link.ts nextLink',
    ['</v2/a?n=2>; rel="next"', '<a>; rel=x, <b>; title="y"; rel="next"'],
    nextLink,
  ),
  target('registry/credentials.ts openCredentials', [credentials], async (bytes) => {
    const path = join(scratch, 'auth.json');
    writeFileSync(path, bytes);
    const find = openCredentials({
      env: { REGISTRY_AUTH_FILE: path },
      home: scratch,
      uid: 0,
      run: async () => undefined as never,
    });
    return [
      await find({ registry: 'quay.io', repository: 'a/b' }),
      await find({ registry: 'docker.io', repository: 'a' }),
    ];
  }),
  target('registry/store-cache.ts parseStoreCache', [formatStoreCache(cache, now)], (bytes) =>
    parseStoreCache(bytes, 'the cache'),
  ),
  textTarget('report/decision-entry.ts parseDecision', [decision], (text) => parseDecision(text, 'entry 1')),
  textTarget('report/pruning-entry.ts parseLogEntry', [decision, pruning], (text) =>
    parseLogEntry(text, 'entry 1'),
  ),
  textTarget('sigstore/identity-token.ts parseIdentityToken', tokens, parseIdentityToken),
  textTarget(
    'sigstore/keys.ts openPrivateKey',
    [
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    ],
    async (text) => (await openPrivateKey(text, async () => '')).asymmetricKeyType,
  ),
  target(
    'sigstore/signing-config.ts parseSigningConfig',
    filesBelow('src/attest/data', /^signing-config/),
    (bytes) => chooseServices(parseSigningConfig(bytes), now),
  ),
  textTarget('sigstore/trust/store.ts parseInstanceName', ['sigstore', 'corp.example-1'], parseInstanceName),
];
