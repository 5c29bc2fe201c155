import { TcfError } from '../base/error.ts';
import { codeOf } from '../system/errors.ts';
import type { Exchange, HttpAnswer, Transport, TransportOptions } from './transport.ts';

export interface RetryPolicy {
  /** Waits `ms` milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
  /** From 0 up to 1; spreads clients that failed together. */
  readonly random: () => number;
}

/**
 * As the options say. Nobody sleeps longer than there is time; the next attempt then says that there is none.
 */
export function toRetryPolicy(options: TransportOptions & Partial<RetryPolicy>): RetryPolicy {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  return {
    sleep:
      options.sleep ??
      (async (ms) => {
        const { setTimeout: wait } = await import('node:timers/promises');
        await wait(ms, undefined, signal).catch(() => undefined);
      }),
    random: options.random ?? Math.random,
  };
}

/** How often anything is tried. */
export const attempts = 4;
const firstDelay = 500;
/** A registry that wants more than this is not asked again: the person at the terminal decides. */
const longestDelay = 30_000;

/** Answers after which it is worth asking again. */
export const busy: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const resets: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Whether the connection broke, which says nothing about the question. */
export function isBroken(error: unknown): boolean {
  return error instanceof TcfError && resets.has(codeOf(error.cause));
}

/** Milliseconds to wait after an attempt; the first is 1. */
export function pauseAfter(attempt: number, random: () => number): number {
  return firstDelay * 2 ** (attempt - 1) * (0.5 + random() / 2);
}

/** Asks again when the registry is busy, or when the connection broke. */
export function withRetry(transport: Transport, { sleep, random }: RetryPolicy): Transport {
  return async (exchange) => {
    if (exchange.once === true) {
      return await transport(exchange);
    }
    for (let attempt = 1; ; attempt += 1) {
      const answer = await attemptOnce(transport, exchange, attempt);
      const delay = pauseAfter(attempt, random);
      if (answer === undefined) {
        await sleep(delay);
        continue;
      }
      if (!mayPass(exchange, answer) || attempt === attempts) {
        return answer;
      }
      const asked = retryAfter(answer);
      if (asked > longestDelay) {
        return answer;
      }
      answer.end();
      await sleep(Math.max(delay, asked));
    }
  };
}

/** docker-registry answers 500 to a read of a tag while another client writes it. */
function mayPass({ method }: Exchange, { status }: HttpAnswer): boolean {
  return busy.has(status) || (status === 500 && (method === 'GET' || method === 'HEAD'));
}

/**
 * `undefined`: the connection broke. Asking again does no harm: our PUTs are by content, and a POST only
 * opens an upload or asks for a token.
 */
async function attemptOnce(
  transport: Transport,
  exchange: Exchange,
  attempt: number,
): Promise<HttpAnswer | undefined> {
  try {
    return await transport(exchange);
  } catch (error) {
    if (attempt === attempts || !isBroken(error)) {
      throw error;
    }
    return undefined;
  }
}

/** RFC 9110, 5.6.7: the one form that is sent, and the two that are read. */
const httpDate =
  /^(?:\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT|\w{6,9}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT|\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})$/;

/**
 * Milliseconds of a Retry-After header, in seconds or as a date by the clock of the same answer; 0 where it
 * cannot be read.
 */
function retryAfter({ headers }: HttpAnswer): number {
  const text = headers['retry-after'] ?? '';
  if (/^\d{1,9}$/.test(text)) {
    return Number(text) * 1000;
  }
  const [until, now] = [text, headers['date'] ?? ''].map((date) =>
    httpDate.test(date) ? Date.parse(date) : NaN,
  );
  const delay = (until ?? NaN) - (now ?? NaN);
  return Number.isNaN(delay) ? 0 : Math.max(0, delay);
}
