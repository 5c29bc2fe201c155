import { cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import { readDocument } from '../registry/answers.ts';
import { type RetryPolicy, toRetryPolicy, withRetry } from '../registry/retry.ts';
import { openTransport, type Timeouts, type TransportOptions } from '../registry/transport.ts';

export interface ServicesOptions extends TransportOptions, Partial<RetryPolicy> {}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** For messages: `the signing certificate`. */
  readonly what: string;
  /** Most bytes of an answer with status 200; 8 MiB where absent. */
  readonly limit?: number;
}

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Asks the services of a Sigstore instance. @throws TcfError `sigstore.unreachable`, `sigstore.protocol` (exit 2). */
export type Services = (question: Question) => Promise<Reply>;

/** A log's answer repeats the entry; an attested SBOM of 16 MiB is only hashed there. */
const maxReply = 8 * 1024 * 1024;

/** Rekor v2 answers once the entry is under a checkpoint, which takes seconds; the specification asks clients to wait 20 s. */
const defaultTimeouts: Timeouts = { idle: 30_000, document: 60_000 };

/** Connects with the same care as to registries: plain HTTP to loopback only, proxies, own certificates, retries while they are busy. */
export function openServices(options: ServicesOptions): Services {
  const timeouts = options.timeouts ?? defaultTimeouts;
  const transport = withRetry(openTransport({ ...options, timeouts }), toRetryPolicy(options));
  return async ({ method, url, headers = {}, body, what, limit = maxReply }) => {
    try {
      const answer = await transport({
        method,
        url,
        headers,
        ...(body === undefined ? {} : { body }),
        reach: url.protocol === 'http:' ? 'loopback' : 'any',
      });
      const received = await readDocument(answer, answer.status === 200 ? limit : maxReply, what, timeouts);
      return { status: answer.status, headers: answer.headers, body: received };
    } catch (error) {
      if (!(error instanceof TcfError)) throw error;
      throw cannotTell('sigstore.unreachable', `could not get ${what}: ${error.message}`, {
        hint: 'check the network and the address of the service; nothing was changed',
        cause: error,
      });
    }
  };
}

/** `https://host/base/` + `api/v2/signingCert`. */
export function under(base: URL, path: string): URL {
  return new URL(`${base.href.replace(/\/*$/, '')}/${path}`);
}

/** Why a service did not give what it was asked for, in its own words where it has some. */
export function refusal(question: Question, reply: Reply, hint?: string): TcfError {
  const host = quoted(question.url.host);
  const said = wordsOf(reply);
  const message = `${host} answered ${reply.status} to the request for ${question.what}${said === '' ? '' : `: ${said}`}`;
  if (reply.status >= 500 || reply.status === 429) {
    return cannotTell('sigstore.unreachable', message, {
      hint: 'the service is down or busy; try again later',
    });
  }
  return cannotTell('sigstore.refused', message, hint === undefined ? {} : { hint });
}

/** gRPC gateways and Rekor both answer `{"code": ..., "message": ...}`. A proxy's page is not repeated. */
function wordsOf({ body }: Reply): string {
  try {
    const message = new Shape(parseJson(body, 'the error'), 'error').get('message').string();
    return printable(message, 300);
  } catch (error) {
    if (error instanceof TcfError) return '';
    throw error;
  }
}

/** The JSON of an answer. @throws TcfError `sigstore.protocol`. */
export function jsonOf<T>(question: Question, reply: Reply, read: (shape: Shape) => T): T {
  try {
    return read(new Shape(parseJson(reply.body, 'the answer'), 'answer'));
  } catch (error) {
    if (!(error instanceof TcfError)) throw error;
    throw garbled(question, error.message);
  }
}

export function garbled({ url, what }: Question, why: string): TcfError {
  return cannotTell(
    'sigstore.protocol',
    `${quoted(url.host)} gave an unusable answer to the request for ${what}: ${why}`,
    { hint: 'check the address of the service: a proxy or another service may have answered' },
  );
}
