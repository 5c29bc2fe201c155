import { collect } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { printable, quoted } from '../../base/text.ts';
import { maxSmallAnswer, readDocument } from '../answers.ts';
import { defaultTimeouts, type HttpAnswer, type Timeouts, type Transport } from '../transport.ts';
import { type S3Credentials, signRequest } from './signature.ts';

/** Objects of one bucket of an S3-compatible store, by names of letters, digits, `.`, `_`, `-` and `/`. */
export interface Bucket {
  /** For messages: `s3://bucket/prefix`. */
  readonly name: string;
  /**
   * `undefined` where there is none.
   *
   * @throws TcfError `s3.*`, `registry.unreachable`, `bytes.too-large` (exit 2).
   */
  get(key: string, limit: number): Promise<Uint8Array | undefined>;
  has(key: string): Promise<boolean>;
  /** Replaces what is there. */
  put(key: string, bytes: Uint8Array): Promise<void>;
}

export interface BucketPlace {
  readonly bucket: string;
  /** Before every key, without slashes at its ends; `` for none. */
  readonly prefix: string;
}

export interface BucketOptions extends BucketPlace {
  /** Requests are sent again, and keep to the limits of time. */
  readonly transport: Transport;
  /** Without path and query. HTTP on loopback only. */
  readonly endpoint: URL;
  readonly region: string;
  /** Absent: requests are not signed, as to a bucket that everybody may read. */
  readonly credentials?: S3Credentials;
  readonly timeouts?: Timeouts;
  readonly now: () => Date;
}

/**
 * Reads what follows `s3://`: `BUCKET[/PREFIX]`.
 *
 * @throws TcfError `s3.name` (exit 3).
 */
export function parseBucketPlace(text: string): BucketPlace {
  const [, bucket = '', prefix = ''] = /^([^/]*)(?:\/(.*))?$/s.exec(text.replace(/\/$/, '')) ?? [];
  // Names that the URL keeps as they are, so that what is signed is what is sent.
  const isBucket = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/.test(bucket);
  const parts = prefix === '' ? [] : prefix.split('/');
  const isPrefix = prefix.length <= 512 && parts.every((part) => /^(?!\.{1,2}$)[\w.-]+$/.test(part));
  if (isBucket && isPrefix) {
    return { bucket, prefix };
  }
  throw askedWrongly('s3.name', `${quoted(`s3://${text}`)} names no place in a bucket`, {
    hint: 'write s3://BUCKET or s3://BUCKET/PREFIX, with letters, digits, ".", "_" and "-" between slashes',
  });
}

/**
 * Opens a bucket by path (`ENDPOINT/BUCKET/KEY`), which every compatible store takes. Nothing is asked yet,
 * and no redirect is followed: another region is for the user to name.
 */
export function openBucket(options: BucketOptions): Bucket {
  const { bucket, credentials, endpoint, now, prefix, region, transport } = options;
  const timeouts = options.timeouts ?? defaultTimeouts;
  const place = prefix === '' ? bucket : `${bucket}/${prefix}`;
  const name = `s3://${place}`;
  const ask = async (method: 'GET' | 'HEAD' | 'PUT', key: string, body: Uint8Array = new Uint8Array()) => {
    const url = new URL(`/${place}/${key}`, endpoint);
    const request = { method, url, headers: {}, body };
    const headers = credentials === undefined ? {} : signRequest(request, credentials, region, now());
    const reach = url.protocol === 'http:' ? 'loopback' : 'any';
    return await transport(compact({ method, url, headers, reach, ...(method === 'PUT' ? { body } : {}) }));
  };
  const failed = (answer: HttpAnswer, key: string) => failureOf(answer, `${name}/${key}`, timeouts);
  return {
    name,
    async get(key, limit) {
      const answer = await ask('GET', key);
      if (answer.status === 404) {
        answer.end();
        return undefined;
      }
      if (answer.status === 200) {
        return await collect(answer.body, limit, `${name}/${key}`);
      }
      throw await failed(answer, key);
    },
    async has(key) {
      const answer = await ask('HEAD', key);
      answer.end();
      if (answer.status === 404 || answer.status === 200) {
        return answer.status === 200;
      }
      throw await failed(answer, key);
    },
    async put(key, bytes) {
      const answer = await ask('PUT', key, bytes);
      if (answer.status !== 200) {
        throw await failed(answer, key);
      }
      answer.end();
    },
  };
}

/** The code of an S3 error document: `NoSuchBucket`; empty where there is none. */
export function parseS3Error(body: Uint8Array): string {
  return (
    /<Error>.*?<Code>([A-Za-z0-9.]{1,60})<\/Code>/s.exec(Buffer.from(body).toString('latin1'))?.[1] ?? ''
  );
}

async function failureOf(answer: HttpAnswer, what: string, timeouts: Timeouts): Promise<TcfError> {
  const { status, url } = answer;
  const code = await codeIn(answer, timeouts);
  const said = code === '' ? '' : `: ${printable(code, 60)}`;
  const message = `${quoted(url.host)} answered ${status} to ${quoted(what)}${said}`;
  if (status >= 300 && status < 400) {
    return cannotTell('s3.refused', message, { hint: 'set AWS_REGION to the region of the bucket' });
  }
  if (status === 401 || status === 403) {
    return cannotTell('s3.refused', message, {
      hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of an account that may read, list and write here',
    });
  }
  return cannotTell(status >= 500 ? 'registry.unreachable' : 's3.refused', message);
}

async function codeIn(answer: HttpAnswer, timeouts: Timeouts): Promise<string> {
  try {
    return parseS3Error(await readDocument(answer, maxSmallAnswer, 'the error', timeouts));
  } catch (error) {
    if (error instanceof TcfError) {
      return '';
    }
    throw error;
  }
}
