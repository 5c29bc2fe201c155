import { encodeUtf8 } from '../base/bytes.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import { readDocument } from '../registry/answers.ts';
import { type RetryPolicy, toRetryPolicy, withRetry } from '../registry/retry.ts';
import { SentSecrets } from '../registry/secrets.ts';
import { type Exchange, openTransport, type Timeouts, type TransportOptions } from '../registry/transport.ts';

export interface ServicesOptions extends TransportOptions, Partial<RetryPolicy> {}

export interface ServiceQuestion {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** What of the body proves who asks; an Authorization header is known to. No message repeats it. */
  readonly secrets?: readonly string[];
  /** For messages: `the signing certificate`. */
  readonly what: string;
  /** Most bytes of an answer with status 200; 8 MiB where absent. */
  readonly limit?: number;
}

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of an error, nothing where it repeats a secret. */
  readonly body: Uint8Array;
  /** Whether a text from the answer repeats what was sent as a secret. */
  readonly repeatsSecret: (text: string) => boolean;
}

/**
 * Asks the services of a Sigstore instance.
 * @throws TcfError `sigstore.unreachable`, `sigstore.protocol` (exit 2).
 */
export type Services = (question: ServiceQuestion) => Promise<Reply>;

/** A log's answer repeats the entry; an attested SBOM of 16 MiB is only hashed there. */
const maxReply = 8 * 1024 * 1024;

/**
 * Rekor v2 answers once the entry is under a checkpoint, which takes seconds; the specification asks clients
 * to wait 20 s.
 */
const defaultTimeouts: Timeouts = { idle: 30_000, document: 60_000 };

/**
 * Connects with the same care as to registries: plain HTTP to loopback only, proxies, own certificates,
 * retries while they are busy.
 */
export function openServices(options: ServicesOptions): Services {
  const timeouts = options.timeouts ?? defaultTimeouts;
  const transport = withRetry(openTransport({ ...options, timeouts }), toRetryPolicy(options));
  const secrets = new SentSecrets();
  return async (question) => {
    const { limit = maxReply, url, what } = question;
    addSecrets(secrets, question);
    try {
      const answer = await transport(toExchange(question));
      const received = await readDocument(answer, answer.status === 200 ? limit : maxReply, what, timeouts);
      const isEcho = answer.status >= 400 && secrets.isIn(Buffer.from(received).toString());
      return {
        status: answer.status,
        headers: answer.headers,
        body: isEcho ? encodeUtf8('{}') : received,
        repeatsSecret: (text) => secrets.isIn(text),
      };
    } catch (error) {
      const cleaned = secrets.cleaned(error, [url.host]);
      if (!(cleaned instanceof TcfError)) {
        throw cleaned;
      }
      throw cannotTell('sigstore.unreachable', `could not get ${what}: ${cleaned.message}`, {
        hint: 'check the network and the address of the service; nothing was changed',
        cause: cleaned,
      });
    }
  };
}

function toExchange({ body, headers = {}, method, url }: ServiceQuestion): Exchange {
  const sent = body === undefined ? {} : { body };
  return { method, url, headers, ...sent, reach: url.protocol === 'http:' ? 'loopback' : 'any' };
}

function addSecrets(secrets: SentSecrets, question: ServiceQuestion): void {
  const authorization = question.headers?.['authorization'];
  if (authorization !== undefined) {
    secrets.add(authorization.replace(/^\w+ /, ''));
  }
  for (const secret of question.secrets ?? []) {
    secrets.add(secret);
  }
}

/** `https://host/base/` + `api/v2/signingCert`. */
export function under(base: URL, path: string): URL {
  return new URL(`${base.href.replace(/\/*$/, '')}/${path}`);
}

/** Why a service did not give what it was asked for, in its own words where it has some. */
export function refusal(question: ServiceQuestion, reply: Reply, hint?: string): TcfError {
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
    if (error instanceof TcfError) {
      return '';
    }
    throw error;
  }
}

/** The JSON of an answer. @throws TcfError `sigstore.protocol`. */
export function jsonOf<T>(question: ServiceQuestion, reply: Reply, read: (shape: Shape) => T): T {
  try {
    return read(new Shape(parseJson(reply.body, 'the answer'), 'answer'));
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    throw garbled(question, reply.repeatsSecret(error.message) ? 'it repeats a credential' : error.message);
  }
}

export function garbled({ url, what }: ServiceQuestion, why: string): TcfError {
  return cannotTell(
    'sigstore.protocol',
    `${quoted(url.host)} gave an unusable answer to the request for ${what}: ${why}`,
    { hint: 'check the address of the service: a proxy or another service may have answered' },
  );
}
