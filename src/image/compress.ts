import { pipeline } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Bytes } from '../base/bytes.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { ByteSource } from './byte-source.ts';

/** What layers are packed with, and how hard; the level is part of what a digest depends on. */
export const layerCompressions: Readonly<
  Record<'gzip' | 'zstd', { readonly level: number; readonly mediaType: string }>
> = {
  gzip: { level: 6, mediaType: mediaTypes.layerGzip },
  zstd: { level: 3, mediaType: mediaTypes.layerZstd },
};

/**
 * Packs a layer. The same library gives the same bytes for the same content, however it is cut into chunks;
 * another version of it may give others, so that two builds by different ones are compared by their `diffIDs`
 * too.
 */
export async function* compressed(bytes: Bytes, by: keyof typeof layerCompressions): Bytes {
  const stream =
    by === 'gzip'
      ? createGzip({ level: layerCompressions.gzip.level })
      : createZstdCompress({
          params: {
            [constants.ZSTD_c_compressionLevel]: layerCompressions.zstd.level,
            [constants.ZSTD_c_checksumFlag]: 1,
          },
        });
  // What goes wrong with the source destroys the stream, and reading it throws.
  pipeline(inPieces(bytes), stream, () => undefined);
  yield* stream as AsyncIterable<Uint8Array>;
}

/** zstd packs otherwise what comes in other pieces, so they are of one size whatever the source. */
async function* inPieces(bytes: Bytes): Bytes {
  const source = new ByteSource(bytes);
  for (;;) {
    const piece = await source.exactly(pieceSize);
    if (piece.length === 0) {
      return;
    }
    yield piece;
  }
}

const pieceSize = 128 * 1024;
