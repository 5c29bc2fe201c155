import { createHash, createHmac } from 'node:crypto';

/** Whose requests these are. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that end, as those of a CI job do. */
  readonly sessionToken?: string;
}

/** A request as it is signed. */
export interface S3Request {
  readonly method: string;
  /** Its path is encoded as it is sent. It has no query. */
  readonly url: URL;
  /** In lower case; `host` is added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const algorithm = 'AWS4-HMAC-SHA256';

/**
 * The headers that make a request one of `credentials`: AWS Signature Version 4 for S3, in the header
 * `authorization`, over the method, the path, every header given, and the hash of the body.
 *
 * @param region as the store calls it: `us-east-1`.
 */
export function signRequest(
  { body, headers, method, url }: S3Request,
  { accessKeyId, secretAccessKey, sessionToken }: S3Credentials,
  region: string,
  now: Date,
): Readonly<Record<string, string>> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const hash = sha256(body);
  const own: Record<string, string> = {
    ...headers,
    'x-amz-content-sha256': hash,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  };
  const signed = Object.entries({ ...own, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const lines = signed.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`);
  const canonical = [method, url.pathname, '', lines.join(''), names, hash].join('\n');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = [algorithm, time, scope, sha256(canonical)].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce(
    (secret: Uint8Array | string, part) => hmac(secret, part),
    `AWS4${secretAccessKey}`,
  );
  const signature = Buffer.from(hmac(key, toSign)).toString('hex');
  return {
    ...own,
    authorization: `${algorithm} Credential=${accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`,
  };
}

function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Uint8Array | string, data: string): Uint8Array {
  return createHmac('sha256', key).update(data).digest();
}
