import { decodeBase64 } from '../base/bytes.ts';
import { TcfError } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { type ImageRef, parseImageRef } from '../oci/reference.ts';

/**
 * What the plugin makes of one request to the Docker daemon. What still has to be found out is named, not
 * assumed.
 */
export type AuthzAnswer =
  | { readonly kind: 'allow' }
  | { readonly kind: 'deny'; readonly reason: string }
  /** Allowed if this image is, for this platform where one is named. */
  | { readonly kind: 'image'; readonly ref: PinnedName; readonly platform?: string }
  /** Allowed while this container runs: what is written into it before it starts would start with it. */
  | { readonly kind: 'running'; readonly id: string }
  /** Allowed if the image is that this container was made from. */
  | { readonly kind: 'container'; readonly id: string };

type PinnedName = ImageRef & { readonly digest: Digest };

const allow: AuthzAnswer = { kind: 'allow' };
const deny = (reason: string): Extract<AuthzAnswer, { readonly kind: 'deny' }> => ({ kind: 'deny', reason });

/**
 * Requests that change something and start nothing which was not checked at `containers/create` and `start`.
 */
const harmless: readonly RegExp[] = [
  /^auth$/,
  /^commit$/,
  /^containers\/prune$/,
  /^containers\/[^/]+\/(?:attach|exec|kill|pause|rename|resize|stop|unpause|update|wait)$/,
  /^exec\/[^/]+\/(?:resize|start)$/,
  // What is pulled, loaded, imported or tagged cannot be started by that name: `create` wants a digest that
  // was verified, `start` that very content.
  /^images\/(?:create|load|prune)$/,
  /^images\/.+\/(?:push|tag)$/,
  /^networks\/(?:create|prune|[^/]+\/(?:connect|disconnect))$/,
  /^volumes\/(?:create|prune)$/,
];

const wayOut = 'use "tcf run", or name the image as "tcf verify --print-digest" prints it';

/**
 * Judges one `AuthZPlugin.AuthZReq` (Docker Engine, "Access authorization plugin"). Reading is free; what
 * changes something is allowed by name, and everything else is denied: a daemon of tomorrow may have new ways
 * to start things.
 *
 * @throws TcfError `json.*`, `document.malformed` (exit 2) for a request that cannot be read, which is a
 *   denial.
 */
export function judgeDockerRequest(bytes: Uint8Array): AuthzAnswer {
  const what = 'the request to the plugin';
  const request = new Shape(parseJson(bytes, what, jsonLimits.small), what);
  const method = request.get('RequestMethod').string(20);
  const path = readPath(request.get('RequestUri').string(16_384));
  if (path === undefined) {
    return deny('tcf reads only plain paths of the Docker API');
  }
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'DELETE') {
    return path === 'session' || path === 'grpc' ? deny(`tcf cannot see into ${path}`) : allow;
  }
  if (method !== 'POST' && method !== 'PUT') {
    return deny(`tcf does not know the method ${quoted(method)}`);
  }
  const query = readQuery(request);
  if (query === undefined) {
    return deny('tcf reads parameters from the address only, and without semicolons');
  }
  if (path === 'containers/create') {
    return judgeCreate(readBody(request), query);
  }
  const started = /^containers\/([A-Za-z0-9][\w.-]*)\/(?:re)?start$/.exec(path)?.[1];
  if (started !== undefined) {
    return judgeStart(started, query);
  }
  const copied = /^containers\/([A-Za-z0-9][\w.-]*)\/archive$/.exec(path)?.[1];
  if (copied !== undefined) {
    return { kind: 'running', id: copied };
  }
  if (harmless.some((form) => form.test(path))) {
    return allow;
  }
  return deny(
    path === 'build' || path === 'session' || path === 'grpc'
      ? 'a build runs images that nothing has verified (FROM); build elsewhere, push and sign'
      : `tcf does not know ${quoted(path)}, which could start an unverified image`,
  );
}

/**
 * The path below the version; `undefined` for one that the daemon's router could read differently than we do.
 */
function readPath(uri: string): string | undefined {
  const [path = ''] = uri.split('?', 1);
  const inner = /^\/(?:v\d{1,3}\.\d{1,3}\/)?((?:[\w.:@-]+\/)*[\w.:@-]+)$/.exec(path)?.[1];
  return inner?.split('/').some((part) => /^\.+$/.test(part)) ? undefined : inner;
}

/**
 * The daemon reads parameters of a form in the body as if they stood in the address, and does not show us
 * that body: `undefined`.
 */
function readQuery(request: Shape): URLSearchParams | undefined {
  const headers = request.optional('RequestHeaders');
  if (headers !== undefined && headers.value !== null) {
    for (const [name, value] of Object.entries(headers.strings())) {
      if (name.toLowerCase() === 'content-type' && /form/i.test(value)) {
        return undefined;
      }
    }
  }
  const uri = request.get('RequestUri').string(16_384);
  const mark = uri.indexOf('?');
  // Older daemons split at it too.
  if (mark >= 0 && uri.includes(';', mark)) {
    return undefined;
  }
  return new URLSearchParams(mark < 0 ? '' : uri.slice(mark + 1));
}

/**
 * What a container is started with. A checkpoint is the memory of processes, whatever the image is
 * (CVE-2026-53489).
 */
const startParameters = ['detachKeys', 'signal', 't'];

function judgeStart(id: string, query: URLSearchParams): AuthzAnswer {
  const odd = [...query.keys()].find((name) => !startParameters.includes(name));
  if (odd === undefined) {
    return { kind: 'container', id };
  }
  return deny(`tcf does not know the parameter ${quoted(odd)} of a start, which could restore a checkpoint`);
}

/**
 * None where the daemon did not send it: too large, chunked or of another content type (CVE-2024-41110,
 * CVE-2026-34040).
 */
function readBody(request: Shape): Uint8Array | undefined {
  const text = request.optional('RequestBody')?.value;
  if (typeof text !== 'string' || text === '') {
    return undefined;
  }
  return decodeBase64(text);
}

function judgeCreate(bytes: Uint8Array | undefined, query: URLSearchParams): AuthzAnswer {
  if (bytes === undefined) {
    return deny('the daemon did not show what is to be created');
  }
  try {
    const body = new Shape(parseJson(bytes, 'the body'), 'the body');
    const hostConfig = member(body, 'HostConfig');
    const others = hostConfig && member(hostConfig, 'VolumesFrom');
    if ((others?.list(1000) ?? []).length > 0) {
      return deny('the content of another container comes along, and nothing has verified it');
    }
    const mounts = hostConfig && member(hostConfig, 'Mounts');
    for (const mount of mounts?.list(10_000) ?? []) {
      const type = member(mount, 'Type')?.string(100) ?? '';
      if (!/^(?:bind|cluster|npipe|tmpfs|volume)$/.test(type)) {
        return deny(`a mount of the type ${quoted(type)} is content that nothing has verified`);
      }
    }
    const [platform, ...more] = query.getAll('platform').filter((text) => text !== '');
    if (more.length > 0) {
      return deny('two platforms are named');
    }
    const judged = judgeImage(member(body, 'Image')?.string(1000) ?? '');
    return platform === undefined || judged.kind !== 'image' ? judged : { ...judged, platform };
  } catch (error) {
    if (error instanceof TcfError) {
      return deny(error.message);
    }
    throw error;
  }
}

/** A name that cannot move, or no. */
export function judgeImage(image: string): Extract<AuthzAnswer, { readonly kind: 'deny' | 'image' }> {
  try {
    const ref = parseImageRef(image);
    if (ref.digest !== undefined) {
      return { kind: 'image', ref: { ...ref, digest: ref.digest } };
    }
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
  }
  return deny(`the image ${quoted(image)} has no digest in its name; ${wayOut}`);
}

/**
 * A member as Go's encoding/json finds it: the case of ASCII letters does not matter there, some other
 * letters count as ASCII ones, and the last of several wins (`{"Image":"good","image":"evil"}`). So a name
 * that could be meant must stand there once and exactly.
 */
function member(shape: Shape, name: string): Shape | undefined {
  if (shape.value === null) {
    return undefined;
  }
  const keys = Object.keys(shape.record());
  const odd = keys.find((key) => !/^[\x20-\x7e]*$/.test(key));
  if (odd !== undefined) {
    throw shape.wrong(`has the key ${quoted(odd)}`);
  }
  const [key, ...more] = keys.filter((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (key === undefined) {
    return undefined;
  }
  if (key !== name || more.length > 0) {
    throw shape.wrong(`says ${quoted([key, ...more].join(', '))} instead of ${name}`);
  }
  const found = shape.get(name);
  return found.value === null ? undefined : found;
}
