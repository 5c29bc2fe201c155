import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';

/** X.509 certificates in DER, right or wrong in one place. Node.js reads certificates but makes none. */

export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const header =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : [0x82, Math.floor(length / 256), length % 256];
  return Buffer.concat([Buffer.from([tag, ...header]), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const bytes = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      bytes.unshift((left % 128) + 128);
    }
    return bytes;
  });
  return der(0x06, Buffer.from(arcs));
}

export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

export const fulcio = '1.3.6.1.4.1.57264.1';
export const uri = (text: string | Uint8Array): Buffer => der(0x86, Buffer.from(text as string));
export const email = (text: string): Buffer => der(0x81, Buffer.from(text));
export const names = (...all: readonly Uint8Array[]): Buffer =>
  extension('2.5.29.17', sequence(...all), true);
export const issuer = (text: string): Buffer => extension(`${fulcio}.8`, utf8(text));
/** Bits of RFC 5280 section 4.2.1.3: 0x80 digitalSignature, 0x04 keyCertSign. */
export const keyUsage = (bits: number): Buffer =>
  extension('2.5.29.15', der(0x03, Buffer.from([0, bits])), true);
export const extendedUsage = (...usages: readonly string[]): Buffer =>
  extension('2.5.29.37', sequence(...usages.map(oid)));
export const authority: Buffer = extension('2.5.29.19', sequence(der(0x01, Buffer.from([0xff]))), true);
export const codeSigning = '1.3.6.1.5.5.7.3.3';

export interface CertificateParts {
  readonly subject?: string;
  readonly issuer?: string;
  readonly start?: Date;
  readonly end?: Date;
  readonly key: KeyObject;
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

const ecdsaSha256 = sequence(oid('1.2.840.10045.4.3.2'));

function name(organization: string): Buffer {
  return organization === ''
    ? sequence()
    : sequence(der(0x31, sequence(oid('2.5.4.10'), utf8(organization))));
}

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z`));
}

/** `key` is the public key of the subject, `issuerKey` the P-256 private key that signs. */
export function certificate(parts: CertificateParts): Buffer {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([0x2a])),
    ecdsaSha256,
    name(parts.issuer ?? 'example.test'),
    sequence(
      time(parts.start ?? new Date('2026-01-01T00:00:00Z')),
      time(parts.end ?? new Date('2026-01-01T00:10:00Z')),
    ),
    name(parts.subject ?? ''),
    parts.key.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...parts.extensions)),
  );
  const signature = sign('sha256', body, parts.issuerKey);
  return sequence(body, ecdsaSha256, der(0x03, Buffer.from([0]), signature));
}

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The extensions of a plain leaf of Fulcio, by a word each, so that a test can replace one. */
export const leafExtensions: Readonly<Record<'usage' | 'extended' | 'names' | 'issuer', Buffer>> = {
  usage: keyUsage(0x80),
  extended: extendedUsage(codeSigning),
  names: names(uri('https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main')),
  issuer: issuer('https://token.actions.githubusercontent.com'),
};

/** A leaf with these extensions, self-made: enough to look at its form. */
export function leaf(
  changes: Partial<Record<keyof typeof leafExtensions, Uint8Array>> = {},
  more: readonly Uint8Array[] = [],
  key: KeyObject = pair.publicKey,
): Buffer {
  const extensions = [...Object.values({ ...leafExtensions, ...changes }), ...more].filter(
    ({ length }) => length > 0,
  );
  return certificate({ key, issuerKey: pair.privateKey, extensions });
}

const elementChanges: readonly (readonly [string, (element: Buffer, tag: number) => Buffer])[] = [
  ['is gone', () => Buffer.alloc(0)],
  ['is there twice', (element) => Buffer.concat([element, element])],
  ['is empty', (_, tag) => der(tag)],
  ['is of another kind', (element, tag) => Buffer.concat([Buffer.from([tag ^ 1]), element.subarray(1)])],
  ['is wrapped once more', (element, tag) => der(tag, element)],
];

/** A document in DER with one of its elements changed, and all lengths as they have to be. */
export function* elementsChanged(bytes: Uint8Array): Generator<readonly [what: string, bytes: Buffer]> {
  const whole = ASN1Obj.parseBuffer(Buffer.from(bytes));
  for (const [path, element] of elementsOf(whole)) {
    for (const [what, change] of elementChanges) {
      yield [`element ${path.join('.')} ${what}`, encoded(whole, element, change)];
    }
  }
}

function* elementsOf(
  element: ASN1Obj,
  path: readonly number[] = [],
): Generator<readonly [readonly number[], ASN1Obj]> {
  yield [path, element];
  for (const [index, part] of element.subs.entries()) {
    yield* elementsOf(part, [...path, index]);
  }
}

function encoded(
  element: ASN1Obj,
  target: ASN1Obj,
  change: (element: Buffer, tag: number) => Buffer,
): Buffer {
  const tag = element.tag.toDER();
  const parts =
    element.subs.length === 0 ? [element.value] : element.subs.map((part) => encoded(part, target, change));
  const own = der(tag, ...parts);
  return element === target ? change(own, tag) : own;
}
