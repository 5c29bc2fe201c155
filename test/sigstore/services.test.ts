import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  formatStatement,
  predicateTypes,
  toSignatureStatement,
  toStatement,
} from '../../src/attest/statement.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { keylessSigner } from '../../src/sigstore/fulcio.ts';
import { parseIdentityToken } from '../../src/sigstore/identity-token.ts';
import type { Services } from '../../src/sigstore/services.ts';
import { signStatement } from '../../src/sigstore/sign.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { toServices } from '../../src/sigstore/signing-config.ts';
import { toWitnesses } from '../../src/sigstore/witnesses.ts';
import { testServices } from '../support/signing.ts';
import { type SigstoreFault, type SigstoreServer, startSigstore } from '../support/sigstore.ts';

const now = () => new Date('2026-11-23T12:00:00Z');
const services = testServices();
const statement = formatStatement(toSignatureStatement(digestOf(Buffer.from('image'))));
const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

function keyless(sigstore: SigstoreServer, token = sigstore.token()): Promise<Uint8Array> {
  const fulcio = new URL(sigstore.urls.fulcio);
  const signer = keylessSigner({ fulcio, token: parseIdentityToken(token), services, now });
  return signStatement(statement, signer, []);
}

function witnessed(sigstore: SigstoreServer, by: 'rekor' | 'rekor2' | 'tsa', key: KeyObject = ecKey) {
  const { [by]: url } = sigstore.urls;
  const flags = by === 'tsa' ? { tsaUrl: url } : { rekorUrl: url, rekorVersion: by === 'rekor' ? '1' : '2' };
  return signStatement(statement, keySigner(key), toWitnesses(toServices(flags), services));
}

test('an expired token is not even sent', async () => {
  await using sigstore = await startSigstore({ now });
  const token = sigstore.token({ exp: Number(now()) / 1000 - 1 });
  await expect(keyless(sigstore, token)).rejects.toMatchObject({
    exit: 2,
    code: 'token.expired',
    message:
      'the identity token expired at 2026-11-23T11:59:59.000Z, and it is 2026-11-23T12:00:00.000Z here',
  });
  expect(sigstore.requests).toEqual([]);
});

test('a token for somebody else is explained', async () => {
  await using sigstore = await startSigstore({ now });
  await expect(keyless(sigstore, sigstore.token({ aud: 'npm' }))).rejects.toMatchObject({
    exit: 2,
    code: 'token.audience',
    message: expect.stringMatching(/answered 400 .*a signing certificate: There was an error processing/),
    hint: 'the token is made out to "npm"; ask the issuer for the audience "sigstore"',
  });
});

test('a token that Fulcio does not believe is said with its words, and never shown', async () => {
  await using sigstore = await startSigstore({ now });
  const token = `${sigstore.token().slice(0, -86)}${'A'.repeat(86)}`;
  const error = await keyless(sigstore, token).catch((thrown) => thrown);
  expect(error).toMatchObject({
    exit: 2,
    code: 'sigstore.refused',
    hint: expect.stringContaining('"https://issuer.test"'),
  });
  expect(`${error.message} ${error.hint}`).not.toContain(token.slice(0, 20));
});

const certificateOf = async (certificates: readonly string[]) =>
  JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates } } });

test('a certificate for another key is not used', async () => {
  await using sigstore = await startSigstore({ now });
  const leaf = sigstore.fulcio.issue(ecKey, { issuer: 'https://issuer.test', identity: 'ann@example.test' });
  const pem = `-----BEGIN CERTIFICATE-----\n${leaf.toString('base64')}\n-----END CERTIFICATE-----\n`;
  sigstore.fault(/signingCert/, { status: 200, body: await certificateOf([pem]) });
  await expect(keyless(sigstore)).rejects.toMatchObject({
    exit: 2,
    code: 'sigstore.protocol',
    message: expect.stringContaining('for another key'),
  });
});

test.for([
  ['down', { status: 500 }, 'sigstore.unreachable', 'answered 500'],
  ['busy for ever', { status: 429 }, 'sigstore.unreachable', 'answered 429'],
  ['gone', { destroy: true }, 'sigstore.unreachable', 'could not get a signing certificate'],
  ['no Fulcio', { status: 404, body: '<html>' }, 'sigstore.refused', 'answered 404'],
  ['a web page', { status: 200, body: '<html>' }, 'sigstore.protocol', 'unusable answer'],
  ['without a certificate', { status: 200, body: '{}' }, 'sigstore.protocol', 'is missing'],
  [
    'with an empty chain',
    { status: 200, body: await certificateOf([]) },
    'sigstore.protocol',
    'no certificate',
  ],
  [
    'with junk in the chain',
    { status: 200, body: await certificateOf(['junk']) },
    'sigstore.protocol',
    'in PEM',
  ],
] satisfies readonly (readonly [string, SigstoreFault, string, string])[])(
  'a Fulcio that is %s makes no bundle',
  async ([, fault, code, words]) => {
    await using sigstore = await startSigstore({ now });
    sigstore.fault(/signingCert/, fault);
    await expect(keyless(sigstore)).rejects.toMatchObject({
      exit: 2,
      code,
      message: expect.stringContaining(words),
    });
  },
);

test.for([
  ['rekor', /POST \/rekor\//],
  ['rekor2', /POST \/rekor2\//],
  ['tsa', /POST \/tsa\//],
] as const)('%s: what goes wrong makes no bundle', async ([by, match]) => {
  for (const [fault, code] of [
    [{ status: 503 }, 'sigstore.unreachable'],
    [{ destroy: true }, 'sigstore.unreachable'],
    [{ status: 400, body: '{"code":400,"message":"no\\u001b[2J"}' }, 'sigstore.refused'],
    [{ status: 201, body: '{}' }, 'sigstore.protocol'],
    [{ status: 201, body: '' }, 'sigstore.protocol'],
  ] as const) {
    await using sigstore = await startSigstore({ now });
    sigstore.fault(match, fault);
    const error = await witnessed(sigstore, by).catch((thrown) => thrown);
    expect(error).toMatchObject({ exit: 2, code });
    expect(error.message).not.toContain('\u001b');
  }
});

test('a log that is busy once is asked again', async () => {
  await using sigstore = await startSigstore({ now });
  sigstore.fault(/rekor/, { status: 503, times: 1 });
  await witnessed(sigstore, 'rekor');
  expect(sigstore.requests).toHaveLength(2);
});

test.for([
  ['nowhere', undefined],
  ['another host', 'https://evil.test/api/v1/log/entries/00'],
  ['another path', '/rekor/api/v1/log?logIndex=1'],
] as const)('a conflict with an entry that is said to be at %s', async ([, location]) => {
  await using sigstore = await startSigstore({ now });
  sigstore.fault(/POST/, { status: 409, ...(location === undefined ? {} : { headers: { location } }) });
  await expect(witnessed(sigstore, 'rekor')).rejects.toMatchObject({ exit: 2, code: 'log.conflict' });
  expect(sigstore.requests).toHaveLength(1);
});

test.for(['rekor', 'rekor2'] as const)('%s: an entry about another signature is not taken', async (by) => {
  await using sigstore = await startSigstore({ now });
  const other = JSON.parse(Buffer.from(await witnessed(sigstore, by)).toString());
  const [entry] = other.verificationMaterial.tlogEntries;
  const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
  const { inclusionProof: proof } = entry;
  const answer1 = {
    abc: {
      body: entry.canonicalizedBody,
      integratedTime: 1,
      logID: hex(entry.logId.keyId),
      logIndex: 0,
      verification: {
        signedEntryTimestamp: 'AAAA',
        inclusionProof: {
          logIndex: 0,
          treeSize: 1,
          rootHash: hex(proof.rootHash),
          hashes: [],
          checkpoint: proof.checkpoint.envelope,
        },
      },
    },
  };
  sigstore.fault(/POST/, { status: 201, body: JSON.stringify(by === 'rekor' ? answer1 : entry) });
  await expect(witnessed(sigstore, by)).rejects.toMatchObject({
    code: 'sigstore.protocol',
    message: expect.stringContaining('for another signature'),
  });
});

test('a timestamp over another signature is not taken', async () => {
  await using sigstore = await startSigstore({ now });
  const stamp = sigstore.tsa.stamp(Buffer.from('another signature'));
  sigstore.fault(/tsa/, { status: 200, body: stamp });
  await expect(witnessed(sigstore, 'tsa')).rejects.toMatchObject({ exit: 2, code: 'sigstore.protocol' });
});

test('a log of version 2 cannot take pure Ed25519', async () => {
  await using sigstore = await startSigstore({ now });
  const key = generateKeyPairSync('ed25519').privateKey;
  await expect(witnessed(sigstore, 'rekor2', key)).rejects.toMatchObject({
    exit: 3,
    code: 'key.unsupported',
  });
});

test('plain HTTP is spoken to loopback only', async () => {
  const witnesses = toWitnesses(toServices({ tsaUrl: 'http://sigstore.example/ts' }), services);
  await expect(signStatement(statement, keySigner(ecKey), witnesses)).rejects.toMatchObject({
    exit: 2,
    code: 'sigstore.unreachable',
    message: expect.stringContaining('only https'),
  });
});

const large = formatStatement(
  toStatement({
    subject: digestOf(Buffer.from('image')),
    name: 'image',
    predicateType: predicateTypes.cyclonedx,
    predicate: {
      bomFormat: 'CycloneDX',
      components: Array.from({ length: 30_000 }, (_, at) => ({ name: `package-${at}`, version: '1.0.0' })),
    },
  }),
);
const logged = ({ urls }: SigstoreServer, content: Uint8Array) =>
  signStatement(content, keySigner(ecKey), toWitnesses(toServices({ rekorUrl: urls.rekor }), services));

test.for<readonly [string, SigstoreFault]>([
  ['413', { status: 413, body: '{"code":413,"message":"Request Entity Too Large"}' }],
  ['502 and a web page', { status: 502, body: '<!doctype html><title>502</title>' }],
  ['400', { status: 400, body: '{"code":400,"message":"error processing entry"}' }],
  ['a closed connection', { destroy: true }],
])('a log of version 1 that answers %s to a large SBOM is up, and the size is named', async ([, fault]) => {
  await using sigstore = await startSigstore({ now });
  sigstore.fault(/POST \/rekor\//, fault);
  await expect(logged(sigstore, large)).rejects.toMatchObject({
    exit: 2,
    code: 'log.too-large',
    message: expect.stringMatching(/takes no entry of \d+\.\d MiB/),
    hint: expect.stringContaining('--rekor-version 2'),
  });
});

test('a log that is down is down, however large the SBOM is; and small entries are never too large', async () => {
  await using sigstore = await startSigstore({ now });
  sigstore.fault(/\/rekor\//, { status: 502, body: '' });
  await expect(logged(sigstore, large)).rejects.toMatchObject({ code: 'sigstore.unreachable' });
  await using other = await startSigstore({ now });
  other.fault(/POST \/rekor\//, { status: 502, body: '' });
  await expect(logged(other, statement)).rejects.toMatchObject({ code: 'sigstore.unreachable' });
});

test('a log of version 2 gets a digest of a large SBOM', async () => {
  await using sigstore = await startSigstore({ now });
  let sent = 0;
  const counting: Services = (question) => {
    sent += question.body?.length ?? 0;
    return services(question);
  };
  const witnesses = toWitnesses(toServices({ rekorUrl: sigstore.urls.rekor2, rekorVersion: '2' }), counting);
  await signStatement(large, keySigner(ecKey), witnesses);
  expect(sent).toBeLessThan(2000);
});
