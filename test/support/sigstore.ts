import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newKey, sha256, spkiOf } from './sigstore/authority.ts';
import { type Fulcio, type Identity, newFulcio } from './sigstore/fulcio.ts';
import { type Log, newLog } from './sigstore/log.ts';
import { toAnswer1, toBody1, toBody2 } from './sigstore/rekor.ts';
import { type Claims, formatToken, openToken } from './sigstore/token.ts';
import { newTimestampAuthority, type TimestampAuthority } from './sigstore/tsa.ts';

export interface SigstoreOptions {
  /** Comes before each answer. `line`: method and path. */
  readonly pause?: (line: string) => Promise<void>;
  /** The clock of all services. Default: the real one. */
  readonly now?: () => Date;
  /** `O` of every certificate. */
  readonly organization?: string;
  /** Makes the keys of the timestamp authority. Default: P-256. */
  readonly tsaKey?: () => KeyObject;
}

/** A Sigstore instance in memory. Its parts can be used without the network. */
export interface VirtualSigstore {
  readonly fulcio: Fulcio;
  readonly rekor: Log;
  readonly rekor2: Log;
  readonly tsa: TimestampAuthority;
  /** `trusted_root.json`. */
  readonly trustedRoot: Uint8Array;
  /** An identity token for Fulcio. The defaults can be replaced by claims. */
  token(claims?: Claims): string;
}

/** What goes wrong with a service: the answers to requests whose `METHOD /path` matches. */
export interface SigstoreFault {
  readonly status?: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks the connection. */
  readonly destroy?: true;
  /** How many requests meet it. Default: every one. */
  readonly times?: number;
}

/** The same behind HTTP on loopback. */
export interface SigstoreServer extends VirtualSigstore, AsyncDisposable {
  readonly url: string;
  readonly urls: Readonly<Record<'fulcio' | 'rekor' | 'rekor2' | 'tsa' | 'tokens', string>>;
  /** `METHOD /path` of every request so far. */
  readonly requests: readonly string[];
  /** `signing_config.v0.2.json` with the log of this API version. */
  signingConfig(rekorVersion: 1 | 2): Uint8Array;
  fault(match: RegExp, fault: SigstoreFault): void;
  /** Everything works again. */
  clearFaults(): void;
}

export const testIdentity: Identity = { issuer: 'https://issuer.test', identity: 'ann@example.test' };

const start = '2020-01-01T00:00:00Z';

export function newSigstore(
  options: SigstoreOptions = {},
  url = 'https://sigstore.test',
): VirtualSigstore & { readonly tokenKey: KeyObject } {
  const now = options.now ?? (() => new Date());
  const { host, hostname } = new URL(url);
  const fulcio = newFulcio(now, options.organization);
  const rekor = newLog(1, host, now);
  const rekor2 = newLog(2, hostname, now);
  const tsa = newTimestampAuthority(now, options.organization, options.tsaKey);
  const tokenKey = newKey();
  return {
    fulcio,
    rekor,
    rekor2,
    tsa,
    tokenKey,
    trustedRoot: Buffer.from(JSON.stringify(trustedRootOf(url, fulcio, [rekor, rekor2], tsa))),
    token: (claims = {}) => {
      const seconds = Math.floor(Number(now()) / 1000);
      const { issuer: iss, identity } = testIdentity;
      const person = { iss, sub: 'ann', email: identity, email_verified: true };
      return formatToken(
        { ...person, aud: 'sigstore', iat: seconds, exp: seconds + 300, ...claims },
        tokenKey,
      );
    },
  };
}

function trustedRootOf(url: string, fulcio: Fulcio, logs: readonly Log[], tsa: TimestampAuthority): object {
  const validFor = { start };
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const log = (baseUrl: string, key: KeyObject, keyId: Uint8Array) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: base64(spkiOf(key)),
      keyDetails: key.asymmetricKeyType === 'ed25519' ? 'PKIX_ED25519' : 'PKIX_ECDSA_P256_SHA_256',
      validFor,
    },
    logId: { keyId: base64(keyId) },
  });
  const authority = (uri: string, chain: readonly Uint8Array[]) => ({
    subject: { organization: 'sigstore.test', commonName: 'sigstore' },
    uri,
    certChain: { certificates: chain.map((certificate) => ({ rawBytes: base64(certificate) })) },
    validFor,
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: logs.map(({ version, key, id }) => log(version === 1 ? `${url}/rekor` : `${url}/rekor2`, key, id)),
    certificateAuthorities: [authority(`${url}/fulcio`, fulcio.chain)],
    ctlogs: [log(`${url}/ct`, fulcio.ctKey, sha256(spkiOf(fulcio.ctKey)))],
    timestampAuthorities: [authority(`${url}/tsa`, tsa.chain)],
  };
}

export async function startSigstore(options: SigstoreOptions = {}): Promise<SigstoreServer> {
  const requests: string[] = [];
  const faults: { match: RegExp; fault: SigstoreFault; left: number }[] = [];
  let answer: Answerer = () => ({ status: 503, body: '' });
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    await options.pause?.(line);
    const body = await readAll(request);
    const met = faults.find(({ match, left }) => left > 0 && match.test(line));
    if (met === undefined) {
      return send(response, answer(line, body, request.headers));
    }
    met.left -= 1;
    const { destroy, status = 500, body: text = '', headers } = met.fault;
    if (destroy) {
      response.destroy();
    } else {
      send(response, { status, body: text, ...(headers === undefined ? {} : { headers }) });
    }
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sigstore = newSigstore(options, url);
  const now = options.now ?? (() => new Date());
  answer = answerer(sigstore, now);
  const urls = {
    fulcio: `${url}/fulcio`,
    rekor: `${url}/rekor`,
    rekor2: `${url}/rekor2`,
    tsa: `${url}/tsa/api/v1/timestamp`,
    tokens: `${url}/tokens?a=b`,
  };
  return {
    ...sigstore,
    url,
    urls,
    requests,
    signingConfig: (version) => Buffer.from(JSON.stringify(signingConfigOf(urls, version))),
    fault: (match, fault) => faults.push({ match, fault, left: fault.times ?? Number.POSITIVE_INFINITY }),
    clearFaults: () => faults.splice(0),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function signingConfigOf(urls: SigstoreServer['urls'], version: 1 | 2): object {
  const service = (url: string, majorApiVersion = 1) => ({
    url,
    majorApiVersion,
    validFor: { start },
    operator: 'sigstore.test',
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service(urls.fulcio)],
    oidcUrls: [],
    rekorTlogUrls: [version === 1 ? service(urls.rekor) : service(urls.rekor2, 2)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [service(urls.tsa)],
    tsaConfig: { selector: 'ANY' },
  };
}

interface Reply {
  readonly status: number;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

type Answerer = (line: string, body: Buffer, headers: IncomingMessage['headers']) => Reply;

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

const refuse = (message: string, status = 400): Reply => ({
  status,
  body: JSON.stringify({ code: 3, message, details: [] }),
});

function answerer(sigstore: ReturnType<typeof newSigstore>, now: () => Date): Answerer {
  const { rekor, rekor2, tsa } = sigstore;
  const byUuid = new Map<string, Buffer>();
  return (line, body, headers) => {
    const [, uuid] = /^GET \/rekor\/api\/v1\/log\/entries\/([0-9a-f]{64})$/.exec(line) ?? [];
    if (uuid !== undefined) {
      const entry = rekor.find(byUuid.get(uuid) ?? Buffer.of());
      return entry === undefined
        ? refuse('no such entry', 404)
        : { status: 200, body: JSON.stringify(toAnswer1(entry, rekor).json) };
    }
    switch (line) {
      case 'POST /fulcio/api/v2/signingCert':
        return issue(sigstore, now, JSON.parse(body.toString()), headers.authorization);
      case 'POST /rekor/api/v1/log/entries':
        return log1(rekor, byUuid, JSON.parse(body.toString()));
      case 'GET /rekor/api/v1/log':
        return { status: 200, body: '{"treeSize":1}' };
      case 'POST /rekor2/api/v2/log/entries': {
        const logged = toBody2(JSON.parse(body.toString()));
        return logged === undefined
          ? refuse('invalid entry')
          : { status: 201, body: JSON.stringify({ inclusionPromise: null, ...rekor2.append(logged) }) };
      }
      case 'POST /tsa/api/v1/timestamp':
        // The digest is the end of our request, which has no optional parts.
        return headers['content-type'] === 'application/timestamp-query'
          ? { status: 201, body: tsa.stampDigest(body.subarray(-32)) }
          : refuse('not a timestamp query');
      case 'GET /tokens?a=b&audience=sigstore':
        return headers.authorization === 'bearer request-token'
          ? { status: 200, body: JSON.stringify({ count: 1, value: sigstore.token() }) }
          : refuse('unauthorized', 401);
      default:
        return refuse('not found', 404);
    }
  };
}

function log1(rekor: Log, byUuid: Map<string, Buffer>, request: object): Reply {
  const body = toBody1(request);
  if (body === undefined) {
    return refuse('invalid entry');
  }
  const known = rekor.find(body);
  const { uuid, json } = toAnswer1(known ?? rekor.append(body), rekor);
  byUuid.set(uuid, body);
  const location = `/rekor/api/v1/log/entries/${uuid}`;
  return known === undefined
    ? { status: 201, body: JSON.stringify(json), headers: { location, etag: uuid } }
    : { ...refuse('an equivalent entry already exists', 409), headers: { location } };
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of a request
type Loose = any;

function issue(
  sigstore: ReturnType<typeof newSigstore>,
  now: () => Date,
  request: Loose,
  bearer?: string,
): Reply {
  // The token may come in either place; cosign uses the header.
  const token = request.credentials?.oidcIdentityToken ?? bearer?.replace(/^Bearer /, '') ?? '';
  const { publicKey, proofOfPossession } = request.publicKeyRequest;
  const claims = openToken(token, sigstore.tokenKey);
  if (claims === undefined || claims['aud'] !== 'sigstore' || Number(claims['exp']) * 1000 < Number(now())) {
    return refuse('There was an error processing the identity token');
  }
  const key = createPublicKey(publicKey.content);
  const identity = String(claims['email'] ?? claims['sub']);
  if (!verify('sha256', Buffer.from(identity), key, Buffer.from(proofOfPossession, 'base64'))) {
    return refuse('The signature supplied in the request could not be verified');
  }
  const extra = claims['extensions'] as Identity['claims'];
  const leaf = sigstore.fulcio.issue(key, {
    issuer: String(claims['iss']),
    identity,
    ...(extra === undefined ? {} : { claims: extra }),
  });
  const certificates = [leaf, ...sigstore.fulcio.chain].map(toPem);
  return { status: 200, body: JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates } } }) };
}

function toPem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
