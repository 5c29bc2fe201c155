import { type IncomingMessage, request } from 'node:http';
import { type Bytes, collect } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly, cannotTell, reasonOf } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { printable, quoted } from '../base/text.ts';
import { codeOf } from '../system/errors.ts';

const usualSocket = '/var/run/docker.sock';
/** Of one answer that is a document. */
const documentTimeout = 30_000;
/**
 * dockerd from 25 on packs all of an image before it sends the first byte: an image of 20 GB takes minutes.
 */
const streamTimeout = 1_800_000;
/** An error is a sentence. */
const maxError = 64 * 1024;

/**
 * The socket of Docker, by DOCKER_HOST as docker reads it.
 *
 * @throws TcfError `docker.host` (exit 3) for a Docker that is reached otherwise.
 */
export function dockerSocket(env: Readonly<Record<string, string | undefined>>): string {
  const host = env['DOCKER_HOST'];
  if (!host) {
    return usualSocket;
  }
  const path = /^unix:\/\/(\/[^\0]+)$/.exec(host)?.[1];
  if (path !== undefined) {
    return path;
  }
  throw askedWrongly('docker.host', `tcf asks Docker by a socket, and DOCKER_HOST is ${quoted(host)}`, {
    hint: 'write unix:///path/of/docker.sock; of another machine: docker save IMAGE -o FILE, and docker-archive:FILE',
  });
}

/**
 * A document of Docker's API; `undefined` where Docker has no such thing.
 *
 * @param timeout Milliseconds in which it has to be here.
 * @throws TcfError `docker.unreachable`, `docker.refused` (exit 2), `document.malformed` (exit 2).
 */
export async function dockerDocument(
  socket: string,
  path: string,
  what: string,
  timeout: number = documentTimeout,
): Promise<unknown> {
  const answer = await ask(socket, path, what, timeout, AbortSignal.timeout(timeout));
  const bytes = await collect(answer, jsonLimits.small.maxBytes, what);
  if (answer.statusCode === 404) {
    return undefined;
  }
  refuseError(answer, bytes, what);
  return parseJson(bytes, what, jsonLimits.small);
}

/** The body of an answer as it comes. @throws TcfError as `dockerDocument`, also while it is read. */
export async function* dockerStream(socket: string, path: string, what: string): Bytes {
  const answer = await ask(socket, path, what, streamTimeout);
  try {
    if (answer.statusCode !== 200) {
      refuseError(answer, await collect(answer, maxError, what), what);
    }
    yield* answer;
  } catch (error) {
    // A body that ends before its end.
    throw codeOf(error).startsWith('E') ? unreachable(socket, what, error) : error;
  } finally {
    answer.destroy();
  }
}

function refuseError({ statusCode }: IncomingMessage, body: Uint8Array, what: string): void {
  if (statusCode !== 200) {
    const said = printable(Buffer.from(body).toString().trim(), 500);
    throw cannotTell('docker.refused', `Docker does not give ${what}: ${statusCode} ${said}`);
  }
}

function ask(
  socketPath: string,
  path: string,
  what: string,
  timeout: number,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const call = compact({
    socketPath,
    path,
    timeout,
    signal,
    agent: false as const,
    headers: { host: 'docker' },
  });
  return new Promise((resolve, reject) => {
    const asked = request(call, resolve);
    asked.on('error', (error) => reject(unreachable(socketPath, what, error)));
    asked.on('timeout', () => asked.destroy(new Error(`nothing came for ${timeout / 1000} seconds`)));
    asked.end();
  });
}

function unreachable(socket: string, what: string, error: unknown): Error {
  return cannotTell('docker.unreachable', `cannot ask Docker for ${what}: ${reasonOf(error)}`, {
    hint: `is dockerd running, and may you open ${socket}? DOCKER_HOST names another socket`,
    cause: error,
  });
}
