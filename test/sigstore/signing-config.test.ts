import { expect, test } from 'vitest';
import { chooseServices, parseSigningConfig, toServices } from '../../src/sigstore/signing-config.ts';

const now = new Date('2026-11-23T12:00:00Z');

interface ServiceParts {
  readonly version?: number;
  readonly operator?: string;
  readonly start?: string;
  readonly end?: string;
}

function service(
  url: string,
  { version = 1, operator = 'a', start = '2024-01-01T00:00:00Z', end }: ServiceParts = {},
) {
  return {
    url,
    majorApiVersion: version,
    operator,
    validFor: { start, ...(end === undefined ? {} : { end }) },
  };
}

function config(parts: object): Uint8Array {
  return Buffer.from(
    JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json', ...parts }),
  );
}

const any = { selector: 'ANY' };
const all = { selector: 'ALL' };
const exactly = (count: number) => ({ selector: 'EXACT', count });

const one = service('https://log.test/1');
const two = service('https://log.test/2', { version: 2 });
const newer = service('https://log.test/newer', { start: '2026-01-01T00:00:00Z' });
const other = service('https://log.test/other', { operator: 'b' });
const ended = service('https://log.test/ended', { version: 2, end: '2026-11-23T11:59:59Z' });
const later = service('https://log.test/later', { version: 2, start: '2026-11-23T12:00:01Z' });
const unknown = service('https://log.test/3', { version: 3 });

test.for([
  ['one log', [one], any, [one]],
  ['the newest of an operator', [one, newer], all, [newer]],
  ['the highest version', [one, two], any, [two]],
  ['never two versions at once', [one, two, other], all, [two]],
  ['one of each operator', [one, newer, other], all, [newer, other]],
  ['exactly as many as wanted', [one, newer, other], exactly(1), [newer]],
  ['not what has ended or is to come', [ended, one, later], any, [one]],
  ['not what nobody knows how to speak to', [unknown, one], any, [one]],
  [
    'the last second counts',
    [{ ...ended, validFor: { ...ended.validFor, end: now.toISOString() } }],
    any,
    [ended],
  ],
] as const)('chooses %s', ([, rekorTlogUrls, rekorTlogConfig, chosen]) => {
  const { logs } = chooseServices(parseSigningConfig(config({ rekorTlogUrls, rekorTlogConfig })), now);
  expect(logs).toEqual(
    chosen.map(({ url, majorApiVersion }) => ({ url: new URL(url), version: majorApiVersion })),
  );
});

test('an instance may have nothing but a timestamp authority', () => {
  const parsed = parseSigningConfig(config({ tsaUrls: [service('https://tsa.test/ts')], tsaConfig: any }));
  expect(chooseServices(parsed, now)).toEqual({ logs: [], timestamps: [new URL('https://tsa.test/ts')] });
});

test.for([
  ['logs that have all ended', [ended], any],
  ['logs of unknown versions only', [unknown], any],
  ['more than there are', [one, newer], exactly(2)],
  ['none of those there are', [one], exactly(0)],
] as const)('cannot sign with %s', ([, rekorTlogUrls, rekorTlogConfig]) => {
  const parsed = parseSigningConfig(config({ rekorTlogUrls, rekorTlogConfig }));
  expect(() => chooseServices(parsed, now)).toThrow(
    expect.objectContaining({ exit: 2, code: 'signing-config.unusable' }),
  );
});

test.for([
  ['another document', { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' }],
  ['version 0.1', { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.1+json' }],
  ['an address of a file', { caUrls: [service('file:///etc/passwd')] }],
  ['an address with a password', { caUrls: [service('https://a:b@fulcio.test')] }],
  ['a service without a start', { caUrls: [{ ...one, validFor: {} }] }],
  ['a time that is none', { caUrls: [service('https://fulcio.test', { end: 'soon' })] }],
  ['an unknown selector', { rekorTlogConfig: { selector: 'SOME' } }],
  ['a hundred logs', { rekorTlogUrls: Array.from({ length: 100 }, () => one) }],
] as const)('%s is refused', ([, parts]) => {
  expect(() => parseSigningConfig(config(parts))).toThrow(
    expect.objectContaining({ exit: 2, code: 'document.malformed' }),
  );
});

test('flags name services', () => {
  const flags = {
    fulcioUrl: 'https://fulcio.test',
    rekorUrl: 'https://log.test',
    rekorVersion: '2',
    tsaUrl: 'https://tsa.test/ts',
  };
  expect(toServices(flags)).toEqual({
    fulcio: new URL('https://fulcio.test'),
    logs: [{ url: new URL('https://log.test'), version: 2 }],
    timestamps: [new URL('https://tsa.test/ts')],
  });
  expect(toServices({ rekorUrl: 'https://log.test' }).logs).toMatchObject([{ version: 1 }]);
  expect(toServices({})).toEqual({ logs: [], timestamps: [] });
});

test.for([
  ['no address', { rekorUrl: 'rekor' }, 'flags.url'],
  ['a file', { tsaUrl: 'file:///x' }, 'flags.url'],
  ['version 3', { rekorUrl: 'https://log.test', rekorVersion: '3' }, 'flags.rekor-version'],
  ['a word of Object.prototype', { rekorVersion: 'constructor' }, 'flags.rekor-version'],
] as const)('%s in a flag is asked wrongly', ([, flags, code]) => {
  expect(() => toServices(flags)).toThrow(expect.objectContaining({ exit: 3, code }));
});
