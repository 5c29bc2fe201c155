import { createHash } from 'node:crypto';
import type { ComponentHash } from '../bom/model.ts';

/** Lower-case hexadecimal, of all bytes of a file. */
export interface FileHashes {
  readonly sha256: string;
  /** What BSI TR-03183-2 asks for. */
  readonly sha512: string;
}

/** Hashes a file while it streams by. */
export function fileHashes(): { push(chunk: Uint8Array): void; end(): FileHashes } {
  const sha256 = createHash('sha256');
  const sha512 = createHash('sha512');
  return {
    push(chunk) {
      sha256.update(chunk);
      sha512.update(chunk);
    },
    end: () => ({ sha256: sha256.digest('hex'), sha512: sha512.digest('hex') }),
  };
}

/** For a component that is this one file. */
export function hashesOfFile({ sha256, sha512 }: FileHashes): readonly ComponentHash[] {
  return [
    { algorithm: 'SHA-256', value: sha256, subject: 'file' },
    { algorithm: 'SHA-512', value: sha512, subject: 'file' },
  ];
}
