import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { concat, encodeUtf8 } from '../../src/base/bytes.ts';
import { algorithmOf, type Digest, digestOf, isDigest } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';

export interface TestRegistryOptions {
  /** Whether there is a referrers API; without it clients use the fallback tag. Default: true. */
  readonly referrersApi?: boolean;
  /** Sends OCI-Subject; a registry may do so without the API. Default: as `referrersApi`. */
  readonly ociSubject?: boolean;
  /** Sends ETags and honours If-Match. Default: false. */
  readonly etags?: boolean;
  /**
   * Who may come in: everybody, `ann` with `secret`, or a bearer of a token that `ann` (or anybody, for
   * pulls) can fetch.
   */
  readonly auth?: 'none' | 'basic' | 'token';
  /** The realm that is named instead of our own token service. */
  readonly realm?: string;
  /** Referrers on one page. Default: all. */
  readonly pageSize?: number;
  /** Keeps apart which repository has which blob. Default: every repository has all. */
  readonly ownBlobs?: boolean;
  /** Mounts blobs from another repository. Default: true. */
  readonly mounts?: boolean;
  /** Refuses an index that lists a manifest which is not there, as docker-registry does. */
  readonly strict?: boolean;
  /**
   * Takes the tag `sha256-<hex>` for the digest where there is no such tag, as GitLab does. `writes`: also
   * when somebody writes it; `refuses`: and then refuses, because the content is another.
   */
  readonly dashIsDigest?: 'reads' | 'refuses' | 'writes';
  /** Waits up to so many milliseconds before each answer, so that parallel clients interleave. */
  readonly jitter?: number;
  /** How it waits. Default: in real time. */
  readonly sleep?: (ms: number) => Promise<void>;
}

export interface Seen {
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes of its body. */
  readonly size: number;
  /** Of the answer, as soon as there is one. */
  readonly status?: number;
}

/** What goes wrong with an answer. Everything not named stays as it is. */
export interface Fault {
  /** How many requests meet it. Default: every one. */
  readonly times?: number;
  /** Answers with this status, and with `body` or an error document; a refusal changes nothing. */
  readonly status?: number;
  readonly body?: string | Uint8Array;
  /** Added to the headers, or over them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Redirects with 307. */
  readonly redirect?: string;
  /** Never answers. */
  readonly hang?: true;
  /** Breaks the connection: at once, or after so many bytes of the body. */
  readonly truncate?: number;
  /** Changes the first byte of the body and keeps all headers. */
  readonly damage?: true;
  /** Sends one byte each so many milliseconds. */
  readonly drip?: number;
  /** Sends zeros until the client has enough. */
  readonly endless?: true;
  /** Takes only so many bytes of what was sent, and breaks the connection instead of answering. */
  readonly keep?: number;
  /** Answers all the same. */
  readonly lie?: true;
  /** Runs before the answer is made: moves a tag between two requests. */
  readonly before?: () => void;
}

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A registry in memory, on a loopback port, over plain HTTP. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Every request so far, in order. */
  readonly requests: readonly Seen[];
  /** By digest; shared by all repositories. */
  readonly blobs: Map<string, Uint8Array>;
  /** By `repository@digest` and `repository:tag`. */
  readonly manifests: Map<string, StoredManifest>;
  /** Makes requests whose `METHOD /path?query` matches meet a fault; earlier faults come first. */
  fault(match: RegExp, fault: Fault): void;
  /** Takes all faults away again. */
  clearFaults(): void;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

export const login = { username: 'ann', password: 'secret' } as const;

export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const requests: Seen[] = [];
  const faults: { match: RegExp; fault: Fault; left: number }[] = [];
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, StoredManifest>();
  const answer = router(options, blobs, manifests);

  const server = createServer(async (request, response) => {
    const { method = 'GET', url: path = '/', headers } = request;
    const body = await readAll(request);
    const seen: { -readonly [Member in keyof Seen]: Seen[Member] } = {
      method,
      path,
      headers,
      size: body.length,
    };
    requests.push(seen);
    response.on('prefinish', () => {
      seen.status = response.statusCode;
    });
    const met = faults.find(({ match, left }) => left > 0 && match.test(`${method} ${path}`));
    if (met !== undefined) {
      met.left -= 1;
    }
    if (options.jitter) {
      await (options.sleep ?? sleep)(Math.random() * options.jitter);
    }
    met?.fault.before?.();
    const own = `http://${headers.host}`;
    const kept = body.subarray(0, met?.fault.keep);
    send(response, method, met?.fault ?? {}, () => answer(method, new URL(path, own), headers, kept));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return {
    host,
    url: `http://${host}`,
    requests,
    blobs,
    manifests,
    fault: (match, fault) => faults.push({ match, fault, left: fault.times ?? Number.POSITIVE_INFINITY }),
    clearFaults: () => faults.splice(0),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readAll(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Uint8Array);
  }
  return concat(chunks);
}

async function send(
  response: ServerResponse,
  method: string,
  fault: Fault,
  answer: () => Reply,
): Promise<void> {
  if (fault.hang) {
    return;
  }
  if (fault.truncate === 0) {
    return void response.destroy();
  }
  // What is refused is not done.
  const refused = fault.status !== undefined && fault.status >= 400 && fault.body === undefined && !fault.lie;
  let reply = refused ? error(fault.status, 'INJECTED') : answer();
  if (fault.keep !== undefined && !fault.lie) {
    return void response.destroy();
  }
  if (fault.redirect !== undefined) {
    reply = text(307, '', { location: fault.redirect });
  } else if (fault.status !== undefined || fault.body !== undefined) {
    const body = typeof fault.body === 'string' ? encodeUtf8(fault.body) : fault.body;
    const status = fault.status ?? reply.status;
    reply = body === undefined ? error(status, 'INJECTED') : { ...reply, status, body };
  }
  const body = fault.damage ? reply.body.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) : reply.body;
  const length = fault.endless ? {} : { 'content-length': String(body.length) };
  response.writeHead(reply.status, { ...length, ...reply.headers, ...fault.headers });
  if (method === 'HEAD') {
    return void response.end();
  }
  if (fault.truncate !== undefined) {
    response.write(body.subarray(0, fault.truncate), () => response.destroy());
  } else if (fault.drip !== undefined) {
    for (const byte of body) {
      if (response.destroyed) {
        return;
      }
      response.write(Uint8Array.of(byte));
      await new Promise((done) => setTimeout(done, fault.drip));
    }
    response.end();
  } else if (fault.endless) {
    const zeros = new Uint8Array(65_536);
    while (!response.destroyed) {
      response.write(zeros);
      await new Promise((done) => setImmediate(done));
    }
  } else {
    response.end(body);
  }
}

function text(status: number, body: string, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: encodeUtf8(body) };
}

function error(status: number, code: string): Reply {
  return text(status, JSON.stringify({ errors: [{ code, message: 'as the test wishes' }] }), {
    'content-type': 'application/json',
  });
}

/** The distribution API over two maps. */
function router(
  options: TestRegistryOptions,
  blobs: Map<string, Uint8Array>,
  manifests: Map<string, StoredManifest>,
) {
  const { referrersApi = true, ociSubject = referrersApi, etags = false, auth = 'none' } = options;
  const { ownBlobs = false, mounts = true } = options;
  const uploads = new Map<string, Uint8Array>();
  /** `repository@digest`. */
  const owned = new Set<string>();

  return (method: string, url: URL, headers: IncomingMessage['headers'], body: Uint8Array): Reply => {
    if (url.pathname === '/token') {
      return token(url, headers.authorization, body);
    }
    if (url.pathname === '/v2/') {
      return text(200, '{}');
    }
    const refusal = auth === 'none' ? undefined : refuse(method, url, headers.authorization);
    if (refusal !== undefined) {
      return refusal;
    }
    const [, repository = '', kind, reference = ''] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|referrers|tags)\/(.*)$/.exec(url.pathname) ?? [];
    switch (kind) {
      case 'blobs/uploads':
        return upload(method, repository, reference, url.searchParams, headers['content-range'], body);
      case 'blobs':
        return getBlob(repository, reference, headers.range);
      case 'manifests':
        return method === 'PUT'
          ? putManifest(repository, reference, headers, body)
          : getManifest(repository, reference);
      case 'referrers':
        return referrersApi ? listReferrers(repository, reference, url) : error(404, 'UNSUPPORTED');
      case 'tags':
        return listTags(repository, url);
      default:
        return error(404, 'NAME_UNKNOWN');
    }
  };

  function refuse(method: string, url: URL, authorization: string | undefined): Reply | undefined {
    const wanted =
      auth === 'basic'
        ? basic
        : method === 'GET' || method === 'HEAD'
          ? /^Bearer (pull|push)$/
          : /^Bearer push$/;
    if (
      authorization !== undefined &&
      (typeof wanted === 'string' ? authorization === wanted : wanted.test(authorization))
    ) {
      return undefined;
    }
    const realm = options.realm ?? `${url.origin}/token`;
    const challenge =
      auth === 'basic' ? 'Basic realm="test"' : `Bearer realm="${realm}",service="test",scope="ignored"`;
    return { ...error(401, 'UNAUTHORIZED'), headers: { 'www-authenticate': challenge } };
  }

  function token(url: URL, authorization: string | undefined, body: Uint8Array): Reply {
    const form = new URLSearchParams(Buffer.from(body).toString());
    const scope = form.get('scope') ?? url.searchParams.get('scope') ?? '';
    const known = authorization === basic || form.get('refresh_token') === login.password;
    if (scope.includes('push') && !known) {
      return error(401, 'DENIED');
    }
    return text(200, JSON.stringify({ token: scope.includes('push') ? 'push' : 'pull' }));
  }

  function has(repository: string, digest: string): boolean {
    return blobs.has(digest) && (!ownBlobs || owned.has(`${repository}@${digest}`));
  }

  function getBlob(repository: string, digest: string, range: string | undefined): Reply {
    const blob = blobs.get(digest);
    if (blob === undefined || !has(repository, digest)) {
      return error(404, 'BLOB_UNKNOWN');
    }
    const headers = { 'docker-content-digest': digest };
    const [, start, end = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
    return start === undefined
      ? { status: 200, headers, body: blob }
      : {
          status: 206,
          headers,
          body: blob.subarray(Number(start), end === '' ? undefined : Number(end) + 1),
        };
  }

  function upload(
    method: string,
    repository: string,
    id: string,
    query: URLSearchParams,
    contentRange: string | undefined,
    body: Uint8Array,
  ): Reply {
    const digest = query.get(method === 'POST' ? 'mount' : 'digest');
    if (method === 'POST') {
      const from = query.get('from');
      if (mounts && digest !== null && from !== null && has(from, digest)) {
        owned.add(`${repository}@${digest}`);
        return text(201, '', { location: `/v2/${repository}/blobs/${digest}` });
      }
      const fresh = randomUUID();
      uploads.set(fresh, new Uint8Array());
      return text(202, '', { location: `/v2/${repository}/blobs/uploads/${fresh}` });
    }
    const before = uploads.get(id);
    if (before === undefined) {
      return error(404, 'BLOB_UPLOAD_UNKNOWN');
    }
    const place = { location: `/v2/${repository}/blobs/uploads/${id}` };
    if (method === 'GET') {
      return text(204, '', { ...place, range: `0-${Math.max(0, before.length - 1)}` });
    }
    const bytes = concat([before, body]);
    if (method === 'PATCH') {
      if (contentRange !== undefined && !contentRange.startsWith(`${before.length}-`)) {
        return { ...error(416, 'RANGE_INVALID'), headers: place };
      }
      uploads.set(id, bytes);
      return text(202, '', { ...place, range: `0-${bytes.length - 1}` });
    }
    if (digest === null || !isDigest(digest) || digestOf(bytes, algorithmOf(digest)) !== digest) {
      return error(400, 'DIGEST_INVALID');
    }
    uploads.delete(id);
    blobs.set(digest, bytes);
    owned.add(`${repository}@${digest}`);
    return text(201, '', { location: `/v2/${repository}/blobs/${digest}` });
  }

  function nameOf(repository: string, reference: string): string {
    return `${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
  }

  function getManifest(repository: string, reference: string): Reply {
    const dashed =
      options.dashIsDigest === undefined
        ? reference
        : reference.replace(/^sha256-(?=[0-9a-f]{64}$)/, 'sha256:');
    const found = manifests.get(nameOf(repository, reference)) ?? manifests.get(nameOf(repository, dashed));
    if (found === undefined) {
      return error(404, 'MANIFEST_UNKNOWN');
    }
    const digest = isDigest(reference) ? reference : digestOf(found.bytes);
    const etag = etags ? { etag: `"${digest}"` } : {};
    return {
      status: 200,
      headers: { 'content-type': found.mediaType, 'docker-content-digest': digest, ...etag },
      body: found.bytes,
    };
  }

  function putManifest(
    repository: string,
    reference: string,
    headers: IncomingMessage['headers'],
    bytes: Uint8Array,
  ): Reply {
    const digest = digestOf(bytes);
    const current = manifests.get(nameOf(repository, reference));
    if (etags && headers['if-match'] !== undefined) {
      if (current === undefined || headers['if-match'] !== `"${digestOf(current.bytes)}"`) {
        return error(412, 'PRECONDITION_FAILED');
      }
    }
    if (isDigest(reference) && reference !== digest) {
      return error(400, 'DIGEST_INVALID');
    }
    const isDashed = /^sha256-[0-9a-f]{64}$/.test(reference);
    if (isDashed && options.dashIsDigest === 'refuses') {
      return error(400, 'DIGEST_INVALID');
    }
    const { manifests: listed = [] } = JSON.parse(Buffer.from(bytes).toString()) as {
      manifests?: readonly { digest: string }[];
    };
    if (options.strict && listed.some((entry) => !manifests.has(`${repository}@${entry.digest}`))) {
      return error(400, 'MANIFEST_BLOB_UNKNOWN');
    }
    const stored = { mediaType: headers['content-type'] ?? '', bytes };
    manifests.set(nameOf(repository, digest), stored);
    if (!isDashed || options.dashIsDigest !== 'writes') {
      manifests.set(nameOf(repository, reference), stored);
    }
    const subject = (JSON.parse(Buffer.from(bytes).toString()) as { subject?: { digest: string } }).subject;
    const noted = ociSubject && subject ? { 'oci-subject': subject.digest } : {};
    return text(201, '', { 'docker-content-digest': digest, ...noted });
  }

  function listTags(repository: string, url: URL): Reply {
    const start = nameOf(repository, 'x').slice(0, -1);
    const all = [...manifests.keys()].flatMap((name) =>
      name.startsWith(start) ? [name.slice(start.length)] : [],
    );
    if (all.length === 0) {
      return error(404, 'NAME_UNKNOWN');
    }
    const from = Number(url.searchParams.get('from') ?? 0);
    const next = from + (options.pageSize ?? all.length);
    const link = next < all.length ? { link: `<${url.pathname}?from=${next}>; rel="next"` } : {};
    return text(200, JSON.stringify({ name: repository, tags: all.slice(from, next) }), link);
  }

  function listReferrers(repository: string, subject: string, url: URL): Reply {
    const all = [...manifests]
      .filter(([name]) => name.startsWith(`${repository}@`))
      .flatMap(([name, { bytes, mediaType }]) => {
        const manifest = JSON.parse(Buffer.from(bytes).toString());
        if (manifest.subject?.digest !== subject) {
          return [];
        }
        const digest = name.slice(repository.length + 1) as Digest;
        const artifactType = manifest.artifactType ?? manifest.config?.mediaType;
        return [{ mediaType, digest, size: bytes.length, artifactType, annotations: manifest.annotations }];
      });
    const from = Number(url.searchParams.get('from') ?? 0);
    const size = options.pageSize ?? all.length;
    const next = from + size;
    const link = next < all.length ? { link: `<${url.pathname}?from=${next}>; rel="next"` } : {};
    return text(
      200,
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: all.slice(from, next) }),
      { 'content-type': mediaTypes.index, ...link },
    );
  }
}

const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
