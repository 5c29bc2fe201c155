import { der, oid, sequence } from '../certificate.ts';

/** What `certificate.ts` has no writer for. Each function returns one encoded value. */

/** SET OF: DER wants its members sorted. */
export const setOf = (...items: readonly Uint8Array[]): Buffer =>
  der(0x31, ...[...items].sort(Buffer.compare));
export const octets = (...contents: readonly Uint8Array[]): Buffer => der(0x04, ...contents);
export const bits = (bytes: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.from([unused]), bytes);
/** `[number]` around constructed content. */
export const tagged = (number: number, ...contents: readonly Uint8Array[]): Buffer =>
  der(0xa0 | number, ...contents);
export const algorithm = (id: string): Buffer => sequence(oid(id));

export function integer(value: number | Uint8Array): Buffer {
  if (typeof value === 'number') {
    return der(0x02, Buffer.from([value]));
  }
  const first = value[0] ?? 0;
  return der(0x02, first >= 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value);
}

const digitsOf = (time: Date) => `${time.toISOString().replaceAll(/[-:T]|\.\d+Z$/g, '')}Z`;
export const utcTime = (time: Date): Buffer => der(0x17, Buffer.from(digitsOf(time).slice(2)));
export const generalizedTime = (time: Date): Buffer => der(0x18, Buffer.from(digitsOf(time)));
