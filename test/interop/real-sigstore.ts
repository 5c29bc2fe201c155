import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newKey, sha256, spkiOf } from '../support/sigstore/authority.ts';
import { noteKeyId } from '../support/sigstore/log.ts';
import { formatToken } from '../support/sigstore/token.ts';

/**
 * A private Sigstore of real parts on loopback: Fulcio, a certificate transparency log (TesseraCT), Rekor v2
 * and a timestamp authority. Only the issuer of identity tokens is ours: it is a key and two documents.
 */
export interface RealSigstore extends AsyncDisposable {
  readonly trustedRoot: string;
  readonly signingConfig: string;
  /** The issuer as it stands in certificates. */
  readonly issuer: string;
  token(email: string): string;
}

const start = '2020-01-01T00:00:00Z';
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** `bin` holds the programs, `folder` takes their data and what they say. */
export async function startRealSigstore(bin: string, folder: string): Promise<RealSigstore> {
  const programs: ChildProcess[] = [];
  const run = (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const log = createWriteStream(join(folder, `${name}.log`));
    const child = spawn(join(bin, name), args, { cwd: folder, env: { ...process.env, ...env } });
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    programs.push(child);
  };
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const [fulcio, fulcioRpc, fulcioMetrics, ct, rekor, rekorRpc, rekorMetrics, tsa] = await freePorts();
  const tokenKey = newKey();
  const issuer = await startIssuer(tokenKey, folder);

  writeFileSync(
    join(folder, 'fulcio.yaml'),
    `oidc-issuers:\n  ${issuer.url}:\n    issuer-url: ${issuer.url}\n    client-id: sigstore\n    type: email\n`,
  );
  run(
    'fulcio',
    [
      ...['serve', '--ca', 'ephemeralca', '--host', '127.0.0.1', '--port', `${fulcio}`],
      ...['--grpc-host', '127.0.0.1', '--grpc-port', `${fulcioRpc}`, '--metrics-port', `${fulcioMetrics}`],
      ...['--legacy-unix-domain-socket', join(folder, 'fulcio.sock')],
      ...['--ct-log-url', `${at(ct)}/ct`, '--config-path', join(folder, 'fulcio.yaml')],
    ],
    { SSL_CERT_FILE: join(folder, 'issuer.crt') },
  );
  const authority = await pems(`${at(fulcio)}/api/v1/rootCert`);

  const ctKey = newKey();
  writeFileSync(join(folder, 'ct.pem'), ctKey.export({ format: 'pem', type: 'sec1' }));
  writeFileSync(join(folder, 'roots.pem'), authority.map((certificate) => certificate.toString()).join(''));
  mkdirSync(join(folder, 'ct'));
  run('tesseract', [
    `--private_key=${join(folder, 'ct.pem')}`,
    `--roots_pem_file=${join(folder, 'roots.pem')}`,
    ...[`--storage_dir=${join(folder, 'ct')}`, '--origin=127.0.0.1/ct', '--path_prefix=ct'],
    ...[`--http_endpoint=127.0.0.1:${ct}`, '--checkpoint_interval=1s'],
  ]);

  const { privateKey: logKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(folder, 'rekor.pem'), logKey.export({ format: 'pem', type: 'pkcs8' }));
  run('rekor', [
    ...['serve', '--hostname', '127.0.0.1', '--http-port', `${rekor}`, '--grpc-port', `${rekorRpc}`],
    ...['--http-metrics-port', `${rekorMetrics}`, '--storage-dir', join(folder, 'rekor')],
    ...['--signer-filepath', join(folder, 'rekor.pem'), '--checkpoint-interval', '1s'],
  ]);
  run('timestamp-server', [
    ...['serve', '--host', '127.0.0.1', '--port', `${tsa}`, '--timestamp-signer', 'memory'],
    '--disable-ntp-monitoring',
  ]);
  const witness = await pems(`${at(tsa)}/api/v1/timestamp/certchain`);
  await answered(`${at(rekor)}/healthz`);
  await answered(`${at(ct)}/ct/ct/v1/get-roots`);

  return {
    issuer: issuer.url,
    token: (email) => {
      const seconds = Math.floor(Date.now() / 1000);
      const person = { iss: issuer.url, sub: email, email, email_verified: true };
      return formatToken({ ...person, aud: 'sigstore', iat: seconds, exp: seconds + 300 }, tokenKey);
    },
    trustedRoot: JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(at(rekor), logKey, noteKeyId('127.0.0.1', logKey))],
      certificateAuthorities: [authorityOf(at(fulcio), authority)],
      ctlogs: [logOf(`${at(ct)}/ct`, ctKey, sha256(spkiOf(ctKey)))],
      timestampAuthorities: [authorityOf(`${at(tsa)}/api/v1/timestamp`, witness)],
    }),
    signingConfig: JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: [serviceOf(at(fulcio), 1)],
      oidcUrls: [serviceOf(issuer.url, 1)],
      rekorTlogUrls: [serviceOf(at(rekor), 2)],
      rekorTlogConfig: { selector: 'ANY' },
      tsaUrls: [serviceOf(`${at(tsa)}/api/v1/timestamp`, 1)],
      tsaConfig: { selector: 'ANY' },
    }),
    [Symbol.asyncDispose]: async () => {
      for (const program of programs) {
        program.kill('SIGKILL');
      }
      await issuer.close();
    },
  };
}

function serviceOf(url: string, majorApiVersion: number): object {
  return { url, majorApiVersion, validFor: { start }, operator: 'interop.test' };
}

function logOf(baseUrl: string, key: KeyObject, keyId: Uint8Array): object {
  const keyDetails = key.asymmetricKeyType === 'ed25519' ? 'PKIX_ED25519' : 'PKIX_ECDSA_P256_SHA_256';
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(spkiOf(key)), keyDetails, validFor: { start } },
    logId: { keyId: base64(keyId) },
  };
}

function authorityOf(uri: string, chain: readonly X509Certificate[]): object {
  return {
    subject: { organization: 'interop.test', commonName: 'interop' },
    uri,
    certChain: { certificates: chain.map(({ raw }) => ({ rawBytes: base64(raw) })) },
    validFor: { start },
  };
}

/** OpenID Connect discovery and one key: all that Fulcio asks of an issuer. */
async function startIssuer(
  key: KeyObject,
  folder: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=issuer', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', 'issuer.key', '-out', 'issuer.crt'],
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  const tls = {
    key: readFileSync(join(folder, 'issuer.key')),
    cert: readFileSync(join(folder, 'issuer.crt')),
  };
  const { kty, crv, x, y } = key.export({ format: 'jwk' });
  const server = createServer(tls, (request, response) => {
    const document = {
      '/.well-known/openid-configuration': {
        issuer: url,
        jwks_uri: `${url}/keys`,
        id_token_signing_alg_values_supported: ['ES256'],
      },
      '/keys': { keys: [{ kty, crv, x, y, use: 'sig', alg: 'ES256' }] },
    }[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => new Promise<void>((done) => server.close(() => done())) };
}

type Ports = readonly [number, number, number, number, number, number, number, number];

async function freePorts(): Promise<Ports> {
  const servers = Array.from({ length: 8 }, () => createSocket());
  await Promise.all(
    servers.map((server) => new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
  return ports as unknown as Ports;
}

/** The text at an address, once its service has started. */
async function answered(url: string): Promise<string> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    // Not listening yet is what is waited for; anything else shows up as the error below.
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) {
      return await answer.text();
    }
    await sleep(200);
  }
  throw new Error(`nothing answers at ${url}`);
}

async function pems(url: string): Promise<readonly X509Certificate[]> {
  const found =
    (await answered(url)).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.map((pem) => new X509Certificate(pem));
}
