import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { byCodeUnit } from '../../base/text.ts';
import type { PinRow } from './pins.ts';

/** A row of a data file: what one release pins, and where that was read. */
export interface AddedPin extends PinRow {
  readonly kind: 'release';
  /** By PEP 503. */
  readonly distribution: string;
  readonly triton_version: string;
  /** 7 to 40 hexadecimal digits, where the version or the source tree names it. */
  readonly triton_commit?: string;
  readonly role: PinnedRole;
  /** 40 hexadecimal digits. */
  readonly llvm_commit: string;
  /** `owner/name` on GitHub, where it was seen. */
  readonly llvm_repository?: string;
  /** `24.0.0git`. */
  readonly llvm_version?: string;
  /** The wheel with its SHA-256, or the source tree with its commit, and the file in it. */
  readonly source: string;
}

export type PinnedRole = 'amd-codegen' | 'core' | 'nvidia-codegen';

/** The data file that stands beside the built-in table. */
export interface PinsFile {
  /** When it was written last, RFC 3339: an older file does not replace it. */
  readonly written: string;
  readonly pins: readonly AddedPin[];
}

/** Triton has 40 releases in six years. */
const maxPins = 10_000;
const maxText = 1000;

/** @throws TcfError `json.*`, `document.malformed` (exit 2) with the path of what is wrong. */
export function parsePinsFile(bytes: Uint8Array): PinsFile {
  const shape = new Shape(parseJson(bytes, 'the pins'), 'pins');
  return { written: shape.get('written').instant(), pins: shape.get('pins').list(maxPins).map(pinIn) };
}

function pinIn(shape: Shape): AddedPin {
  const text = (key: string, pattern: RegExp): string => {
    const value = shape.get(key).string(maxText);
    if (!pattern.test(value)) {
      throw shape.get(key).wrong('has an invalid value');
    }
    return value;
  };
  const optional = (key: string, pattern: RegExp): Readonly<Record<string, string>> =>
    shape.optional(key) === undefined ? {} : { [key]: text(key, pattern) };
  return {
    kind: 'release',
    distribution: text('distribution', /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/),
    triton_version: text('triton_version', /^[\w.!+-]+$/),
    ...optional('triton_commit', /^[0-9a-f]{7,40}$/),
    role: text('role', /^(?:amd-codegen|core|nvidia-codegen)$/) as PinnedRole,
    llvm_commit: text('llvm_commit', /^[0-9a-f]{40}$/),
    ...optional('llvm_repository', /^[\w-]+\/[\w.-]+$/),
    ...optional('llvm_version', /^\d[\w.-]*$/),
    source: text('source', /^[ -~]+$/),
  };
}

/** Canonical: rows in order, two blanks, a newline at the end. */
export function formatPinsFile({ pins, written }: PinsFile): string {
  const ordered = [...pins].sort((a, b) => byCodeUnit(keyOf(a), keyOf(b)));
  return `${JSON.stringify({ written, pins: ordered }, null, 2)}\n`;
}

/** What a row is about; two rows of one key say the same or contradict each other. */
export function keyOf({ distribution, role, triton_commit = '', triton_version }: AddedPin): string {
  return [distribution, triton_version, triton_commit, role].join(' ');
}
