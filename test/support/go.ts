import { elfFile } from './elf-file.ts';

export interface GoProgram {
  /** The lines of `go version -m`. */
  readonly modules: string;
  readonly go?: string;
  readonly goNote?: boolean;
  readonly isWritable?: boolean;
  /** Bytes between a place where the information may start and where it does. */
  readonly shift?: number;
  /** What stands there as the length of the modules; below zero one that has no end. */
  readonly length?: number;
}

/**
 * A program with build information as Go 1.18 and later write it: a header and two strings, each after its
 * length.
 */
export function goProgram({ goNote = true, isWritable = true, ...program }: GoProgram): Buffer {
  return elfFile({
    goNote,
    segments: [
      { isWritable: false, bytes: Buffer.alloc(3000) },
      { isWritable, bytes: goInformation(program) },
    ],
  });
}

/** What the linker puts into the data of a program, whatever its form. */
export function goInformation({ shift = 0, ...program }: GoProgram): Buffer {
  const { go = 'go1.26.8', modules } = program;
  const text =
    modules === ''
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.alloc(16, 0x30), Buffer.from(modules), Buffer.alloc(16, 0xf9)]);
  const { length = text.length } = program;
  return Buffer.concat([
    Buffer.alloc(64 + shift),
    Buffer.from('\xff Go buildinf:', 'latin1'),
    Buffer.from([8, 2]),
    Buffer.alloc(16),
    ...[varint(go.length), Buffer.from(go)],
    ...[length < 0 ? Buffer.alloc(12, 0xff) : varint(length), text],
  ]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) {
      return Buffer.from([...bytes, left]);
    }
    bytes.push((left & 0x7f) | 0x80);
  }
}
