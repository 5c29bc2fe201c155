import { deflateSync } from 'node:zlib';
import { type ElfFile, elfFile } from './elf-file.ts';

/** A program with the list of its crates as cargo-auditable writes it. */
export function rustProgram(
  packages: readonly object[],
  { sections = {}, ...form }: Partial<ElfFile> = {},
): Buffer {
  return elfFile({
    segments: [
      { isWritable: false, bytes: Buffer.alloc(3000) },
      { isWritable: true, bytes: Buffer.alloc(100) },
    ],
    ...form,
    sections: {
      '.comment': Buffer.from('rustc version 1.95.0\0'),
      '.dep-v0': deflateSync(JSON.stringify({ packages })),
      ...sections,
    },
  });
}
