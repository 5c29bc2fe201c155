import { zstdDecompressSync } from 'node:zlib';
import { bytesOf, collect, concat } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { checkContent } from '../../oci/digest.ts';
import type { ImageLayer } from '../contract.ts';
import { decompressed } from '../decompress.ts';
import { latin1ToText } from '../names.ts';
import type { LayerVisitor } from '../scan-layer.ts';
import { readTar, type TarSink } from '../tar.ts';
import { footerSize, parseStargzFooter, parseZstdFooter, type TocPlace } from './footer.ts';
import type { PartialLayer } from './partial-layer.ts';
import { RangePlan } from './range-plan.ts';
import { parseToc, type TocChunk, type TocEntry, tocLimits } from './toc.ts';

/** Compressed bytes of a piece above this for each plain one are no honest piece. */
const mostPacked = 2;
const packedSlack = 64 * 1024;

/**
 * Reads names from the table of contents of a layer, and of contents only what is wanted, by ranges. The table
 * is checked against the manifest, and each piece against the table; the layer as a whole is not.
 *
 * @returns bytes of all files of the layer.
 * @throws TcfError `layer.toc`, `content.digest`, `registry.*` (exit 2).
 */
export async function readPartial(
  { what }: Pick<ImageLayer, 'what'>,
  layer: PartialLayer,
  visitor: LayerVisitor,
  { onRead, signal }: { readonly onRead?: (bytes: number) => void; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const counted: PartialLayer = {
    ...layer,
    async *range(start, length) {
      for await (const chunk of layer.range(start, length)) {
        signal?.throwIfAborted();
        onRead?.(chunk.length);
        yield chunk;
      }
    },
  };
  const { entries } = await readToc(counted, what);
  const wanted = entries.filter(({ chunks, entry }) => chunks.length > 0 && (visitor.wants?.(entry) ?? true));
  const plan = new RangePlan(
    wanted.flatMap(({ chunks }) => chunks.filter(({ isZeros }) => !isZeros)),
    counted.range,
  );
  const isWanted = new Set(wanted);
  let size = 0;
  for (const one of entries) {
    size += one.entry.size;
    const sink = visitor.visit(one.entry);
    if (sink !== undefined && isWanted.has(one)) {
      await pass(one, sink, layer.form, plan, what);
    }
  }
  return size;
}

async function pass(
  { chunks, entry }: TocEntry,
  sink: TarSink,
  form: PartialLayer['form'],
  plan: RangePlan,
  what: string,
): Promise<void> {
  for (const chunk of chunks) {
    if (sink.isDone === true) {
      break;
    }
    const name = `${quoted(latin1ToText(entry.name))} in ${what}`;
    sink.push(
      chunk.isZeros ? new Uint8Array(chunk.size) : await unpack(chunk, form, await plan.bytes(chunk), name),
    );
  }
  sink.end();
}

/** The plain bytes of a piece, and nothing that its digest does not name. */
async function unpack(
  chunk: TocChunk,
  form: PartialLayer['form'],
  packed: Uint8Array,
  what: string,
): Promise<Uint8Array> {
  const { digest, inner, size } = chunk;
  if (packed.length > mostPacked * (inner + size) + packedSlack && form === 'zstd:chunked') {
    throw cannotTell('layer.toc', `a piece of ${what} has ${packed.length} bytes for ${size}`);
  }
  const plain =
    form === 'zstd:chunked' && inner === 0
      ? unzstd(packed, size, what)
      : await beginning(packed, inner + size, what);
  const content = plain.subarray(inner);
  if (content.length !== size) {
    throw cannotTell('layer.toc', `a piece of ${what} is not as long as the table of contents says`);
  }
  checkContent(content, digest, `a piece of ${what}`);
  return content;
}

function unzstd(packed: Uint8Array, size: number, what: string): Uint8Array {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw cannotTell('layer.toc', `a piece of ${what} cannot be unpacked to ${size} bytes`, { cause: error });
  }
}

/** The first plain bytes: the stream may go on with the headers of the archive. */
async function beginning(packed: Uint8Array, size: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let left = size;
  for await (const chunk of decompressed(bytesOf(packed), '', what)) {
    chunks.push(Uint8Array.from(chunk.subarray(0, left)));
    left -= Math.min(left, chunk.length);
    if (left === 0) {
      break;
    }
  }
  return concat(chunks);
}

/** The table, checked against what the manifest says of it. */
async function readToc(
  layer: PartialLayer,
  what: string,
): Promise<{ readonly entries: readonly TocEntry[] }> {
  const place = layer.place ?? (await findToc(layer, what));
  const packed = await read(layer, place, what);
  const name = `the table of contents of ${what}`;
  if (layer.form === 'zstd:chunked') {
    checkContent(packed, layer.toc, name);
    return { entries: parseToc(unzstd(packed, tocLimits.maxBytes, name), place.start, what) };
  }
  const json = await stargzToc(packed, name);
  checkContent(json, layer.toc, name);
  return { entries: parseToc(json, place.start, what) };
}

async function findToc(layer: PartialLayer, what: string): Promise<TocPlace> {
  const length = Math.min(footerSize[layer.form], layer.size);
  const footer = await read(layer, { start: layer.size - length, length }, what);
  const parse = layer.form === 'estargz' ? parseStargzFooter : parseZstdFooter;
  const place = parse(footer, layer.size);
  if (place !== undefined) {
    return place;
  }
  throw cannotTell('layer.toc', `${what} does not say at its end where its table of contents is`, {
    hint: 'leave out --partial to read the whole layer',
  });
}

async function read({ range }: PartialLayer, { length, start }: TocPlace, what: string): Promise<Uint8Array> {
  const bytes = await collect(range(start, length), length, `a part of ${what}`);
  if (bytes.length === length) {
    return bytes;
  }
  throw cannotTell('layer.toc', `${what} ended after ${bytes.length} of ${length} bytes that were asked for`);
}

/** An archive with one file. */
async function stargzToc(packed: Uint8Array, what: string): Promise<Uint8Array> {
  let json: Uint8Array | undefined;
  await readTar(
    decompressed(bytesOf(packed), '', what),
    ({ name, size, type }) => {
      if (
        name !== 'stargz.index.json' ||
        type !== 'file' ||
        size > tocLimits.maxBytes ||
        json !== undefined
      ) {
        throw cannotTell('layer.toc', `${what} is not one file`);
      }
      const content = new Uint8Array(size);
      json = content;
      let filled = 0;
      return {
        push(chunk) {
          content.set(chunk, filled);
          filled += chunk.length;
        },
        end: () => {},
      };
    },
    what,
  );
  if (json === undefined) {
    throw cannotTell('layer.toc', `${what} is not one file`);
  }
  return json;
}
