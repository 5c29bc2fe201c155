import { expect, test } from 'vitest';
import { openBucket, parseBucketPlace, parseS3Error } from '../../../src/registry/s3/bucket.ts';
import { signRequest } from '../../../src/registry/s3/signature.ts';
import { openTransport } from '../../../src/registry/transport.ts';
import { startBucket } from '../../support/s3.ts';

/* Amazon S3 API Reference, "Signature Calculations for the Authorization Header": the examples there. */
const example = {
  credentials: {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  },
  now: new Date('2013-05-24T00:00:00Z'),
};

test.for([
  [
    'GET Object',
    { method: 'GET', path: '/test.txt', headers: { range: 'bytes=0-9' }, body: '' },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    'host;range;x-amz-content-sha256;x-amz-date',
  ],
  [
    'PUT Object',
    {
      method: 'PUT',
      path: '/test%24file.text',
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      body: 'Welcome to Amazon S3.',
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
  ],
] as const)(
  'a request is signed as in the reference: %s',
  ([, { body, headers, method, path }, signature, names]) => {
    const url = new URL(path, 'https://examplebucket.s3.amazonaws.com');
    const request = { method, url, headers, body: Buffer.from(body) };
    const { authorization } = signRequest(request, example.credentials, 'us-east-1', example.now);
    expect(authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${signature}`,
    );
  },
);

const open = (url: string, more = {}) =>
  openBucket({
    bucket: 'team',
    prefix: 'layers',
    transport: openTransport({ userAgent: 'tcf-test' }),
    endpoint: new URL(url),
    region: 'eu-central-1',
    now: () => example.now,
    ...more,
  });

test('objects are put, found and got by path', async () => {
  await using store = await startBucket();
  const bucket = open(store.url, { credentials: { ...example.credentials, sessionToken: 'of a job' } });
  expect(await bucket.get('a', 10)).toBeUndefined();
  expect(await bucket.has('a')).toBe(false);
  await bucket.put('a', Buffer.from('bytes'));
  expect(await bucket.has('a')).toBe(true);
  expect(Buffer.from((await bucket.get('a', 10)) ?? []).toString()).toBe('bytes');
  expect(store.requests.map(({ line }) => line)).toEqual([
    'GET /team/layers/a',
    'HEAD /team/layers/a',
    'PUT /team/layers/a',
    'HEAD /team/layers/a',
    'GET /team/layers/a',
  ]);
  expect(store.requests[0]?.headers).toMatchObject({ 'x-amz-security-token': 'of a job' });
  await expect(bucket.get('a', 4)).rejects.toMatchObject({ code: 'bytes.too-large', exit: 2 });
});

test('without credentials nothing is signed', async () => {
  await using store = await startBucket();
  await open(store.url).get('a', 10);
  expect(store.requests[0]?.headers).not.toHaveProperty('authorization');
});

test.for([
  [403, '<Error><Code>AccessDenied</Code></Error>', 's3.refused', 'AccessDenied'],
  [400, 'not XML', 's3.refused', 'answered 400'],
  [301, '<Error><Code>PermanentRedirect</Code></Error>', 's3.refused', 'PermanentRedirect'],
  [500, '', 'registry.unreachable', 'answered 500'],
  [200, undefined, undefined, ''],
] as const)('an answer of %i is an error and never "there is none"', async ([status, body, code, said]) => {
  await using store = await startBucket();
  store.fault = {
    status,
    ...(body === undefined ? {} : { body }),
    headers: { location: 'https://elsewhere.example/' },
  };
  const got = open(store.url).get('a', 10);
  if (code === undefined) {
    expect(await got).toHaveLength(0);
  } else {
    await expect(got).rejects.toMatchObject({ code, message: expect.stringContaining(said) });
    await expect(open(store.url).put('a', Buffer.from('x'))).rejects.toMatchObject({ code });
  }
  expect(store.requests.length).toBeLessThan(3);
});

test.for([
  '',
  'b',
  'Bucket',
  'a b',
  '../etc',
  'team/../other',
  'team/a//b',
  'team/%2e%2e',
  'team/.',
  '-team',
  'te',
])('no place in a bucket: %s', (text) => {
  expect(() => parseBucketPlace(text)).toThrow(expect.objectContaining({ code: 's3.name', exit: 3 }));
});

test('a place in a bucket', () => {
  expect(parseBucketPlace('team')).toEqual({ bucket: 'team', prefix: '' });
  expect(parseBucketPlace('team/ci/layers/')).toEqual({ bucket: 'team', prefix: 'ci/layers' });
});

test('the code of an error document', () => {
  expect(parseS3Error(Buffer.from('<?xml?>\n<Error>\n<Code>NoSuchBucket</Code></Error>'))).toBe(
    'NoSuchBucket',
  );
  expect(parseS3Error(Buffer.from('<Error><Code>\u001b[31m</Code></Error>'))).toBe('');
});
