import { TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';

/** What Triton writes beside a kernel (`python/triton/compiler/compiler.py`). */
export interface KernelMetadata {
  readonly name?: string;
  /** `cuda:90`, `hip:gfx942`. */
  readonly target?: string;
  /** SHA-256 of source, options and compiler, 64 hexadecimal digits. */
  readonly hash?: string;
  /** The release that made it, as `triton.__version__` says; Triton before 3.1 does not write it. */
  readonly triton?: string;
}

const maxText = 500;

/**
 * Reads `NAME.json` of a cache; `undefined` where it is none. Its form is each release's own, so what is not
 * there is not known.
 */
export function parseKernelMetadata(content: Uint8Array): KernelMetadata | undefined {
  try {
    const shape = new Shape(parseJson(content, 'metadata'), 'metadata');
    const word = (key: string, pattern: RegExp): string | undefined => {
      const value = shape.get(key).value;
      return typeof value === 'string' && value.length <= maxText && pattern.test(value) ? value : undefined;
    };
    const found = {
      name: word('name', /^[^\0-\x1f]+$/),
      target: targetIn(shape.get('target').value),
      hash: word('hash', /^[0-9a-f]{64}$/),
      triton: word('triton_version', /^\d[\w.+-]*$/),
    };
    return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}

/** `{"backend": "cuda", "arch": 90}` of Triton 3.0 and later, `["cuda", 90]` before. */
function targetIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const [backend, arch] = Array.isArray(value)
    ? (value as readonly unknown[])
    : ['backend', 'arch'].map((key) => (value as Readonly<Record<string, unknown>>)[key]);
  if (typeof backend !== 'string' || (typeof arch !== 'string' && typeof arch !== 'number')) {
    return undefined;
  }
  const text = `${backend}:${arch}`;
  return /^[\w.-]{1,50}:[\w.+:-]{1,100}$/.test(text) ? text : undefined;
}

/**
 * Whether the name of a folder is this hash: its digits, or its bytes in base 32 without padding (RFC 4648,
 * 6).
 */
export function isKeyOf(key: string, hash: string): boolean {
  return key === hash || key === toBase32(Buffer.from(hash, 'hex'));
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function toBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}
