import { encodeUtf8 } from '../../src/base/bytes.ts';

/**
 * Archives byte by byte, so that a test can also write what no tar program would. A member is a Buffer of
 * whole blocks; `archive` puts members and the end marker together:
 *
 *     archive(directory('etc/'), file('etc/os-release', 'ID=debian\n'), symlink('lib', 'usr/lib'))
 *
 * A name may be bytes, as latin1 with `{ latin1: true }`; text is written as UTF-8.
 */
export interface HeaderOptions {
  readonly flag?: string;
  /** Written in octal; a text is written as it is. */
  readonly size?: number | string;
  readonly link?: string;
  readonly mode?: string;
  readonly prefix?: string;
  /** `ustar\0` and `00`, GNU's `ustar  \0`, or nothing (v7). */
  readonly format?: 'gnu' | 'star' | 'ustar' | 'v7';
  /** Anything else: writes over the header before the checksum is made. */
  readonly patch?: (block: Buffer) => void;
  readonly latin1?: boolean;
}

export function header(name: string, options: HeaderOptions = {}): Buffer {
  const block = Buffer.alloc(512);
  const text = (value: string) =>
    options.latin1 ? Buffer.from(value, 'latin1') : Buffer.from(encodeUtf8(value));
  text(name).copy(block, 0, 0, 100);
  block.write(options.mode ?? '0000755\0', 100, 'latin1');
  block.write('0000000\0', 108, 'latin1');
  block.write('0000000\0', 116, 'latin1');
  const size = options.size ?? 0;
  block.write(typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.write('00000000000\0', 136, 'latin1');
  block.write(options.flag ?? '0', 156, 'latin1');
  text(options.link ?? '').copy(block, 157, 0, 100);
  const magic = { gnu: 'ustar  \0', star: 'ustar\x0000', ustar: 'ustar\x0000', v7: '' }[
    options.format ?? 'ustar'
  ];
  block.write(magic, 257, 'latin1');
  if (options.format === 'star') {
    block.write('tar\0', 508, 'latin1');
  }
  text(options.prefix ?? '').copy(block, 345, 0, 155);
  options.patch?.(block);
  return withChecksum(block);
}

function withChecksum(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Content filled up to whole blocks. */
export function padded(content: Uint8Array | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

export function file(name: string, content: Uint8Array | string = '', options: HeaderOptions = {}): Buffer {
  const size = Buffer.byteLength(content);
  // A name that does not fit goes where every writer of today puts it.
  if (Buffer.byteLength(name) > 100) {
    return Buffer.concat([pax({ path: name }), file(name.slice(0, 90), content, options)]);
  }
  return Buffer.concat([header(name, { size, ...options }), padded(content)]);
}

export function directory(name: string, options: HeaderOptions = {}): Buffer {
  return header(name, { flag: '5', ...options });
}

export function symlink(name: string, link: string, options: HeaderOptions = {}): Buffer {
  return longLink(name, link, { flag: '2', mode: '0000777\0', ...options });
}

export function hardlink(name: string, link: string, options: HeaderOptions = {}): Buffer {
  return longLink(name, link, { flag: '1', ...options });
}

function longLink(name: string, link: string, options: HeaderOptions): Buffer {
  const records = {
    ...(Buffer.byteLength(name) > 100 ? { path: name } : {}),
    ...(Buffer.byteLength(link) > 100 ? { linkpath: link } : {}),
  };
  const plain = header(name.slice(0, 100), { link: link.slice(0, 100), ...options });
  return Object.keys(records).length === 0 ? plain : Buffer.concat([pax(records), plain]);
}

/** A PAX extended header for the member that follows, or with flag `g` for all that follow. */
export function pax(
  records: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  flag = 'x',
): Buffer {
  const pairs = Array.isArray(records)
    ? (records as readonly (readonly [string, string])[])
    : Object.entries(records);
  return special(flag, pairs.map(([key, value]) => paxRecord(key, value)).join(''));
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) {
    length = String(length).length + rest;
  }
  return `${length} ${key}=${value}\n`;
}

/** GNU's long name (`L`) or long link target (`K`) for the member that follows. */
export function gnuLong(flag: 'K' | 'L', text: string): Buffer {
  return special(flag, `${text}\0`);
}

export function special(flag: string, body: string): Buffer {
  return Buffer.concat([header('././@LongLink', { flag, size: Buffer.byteLength(body) }), padded(body)]);
}

/** A number in 12 bytes to base 256. */
export function base256(value: bigint): string {
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64BE(value, 4);
  if (value < 0n) {
    bytes.fill(0xff, 0, 4);
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes.toString('latin1');
}

export const endMarker: Buffer = Buffer.alloc(1024);

export function archive(...members: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...members, endMarker]);
}
