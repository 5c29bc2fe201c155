import { type Bytes, bytesOf, concat, decodeBase64, encodeBase64 } from '../base/bytes.ts';
import { type JsonLimits, jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { checkContent, type Digest, digestOf, isDigest, readDigest } from '../oci/digest.ts';
import { type Descriptor, parseManifest, readDescriptor } from '../oci/manifest.ts';
import type { Fetched, Store } from './contract.ts';

/**
 * What a store answered about one image. It holds content, never a conclusion: whoever uses it proves every signature again, so a
 * memory that somebody has changed can hide evidence and delay news, and cannot make a bad image good.
 */
export interface Memory {
  /** By digest, or by the tags that stand beside a digest (`sha256-<hex>.sig`). `undefined`: there was none. */
  readonly manifests: Map<string, Fetched | undefined>;
  readonly referrers: Map<Digest, readonly Descriptor[]>;
  readonly blobs: Map<Digest, Uint8Array>;
  /** When its oldest answer was given; absent where all of them are of this call. */
  readonly at?: Date;
  /** Bytes of all blobs and manifests. */
  size: number;
  /** Answers that were asked of the store and not of the memory. */
  asked: number;
}

const format = 'tcf.evidence/1';

/** A hundred usual signatures, or some SBOMs of large images. What is larger is asked for each time. */
export const memoryLimit: number = 48 * 1024 * 1024;
/** Base64 adds a third. */
const limits: JsonLimits = { maxBytes: 2 * memoryLimit, maxDepth: jsonLimits.small.maxDepth };
const maxEntries = 10_000;

export function emptyMemory(): Memory {
  return { manifests: new Map(), referrers: new Map(), blobs: new Map(), size: 0, asked: 0 };
}

/** The store, asked only for what the memory lacks; what it answers without an error is remembered. */
export function remembering(store: Store, memory: Memory): Store {
  return {
    manifest: async (repository, reference) => {
      if (memory.manifests.has(reference)) return memory.manifests.get(reference);
      memory.asked += 1;
      const fetched = await store.manifest(repository, reference);
      // A name that people choose may lead elsewhere the next time.
      if (isDigest(reference) || isBesideDigest(reference)) {
        memory.manifests.set(reference, fetched);
        memory.size += fetched?.bytes.length ?? 0;
      }
      return fetched;
    },
    referrers: async (repository, subject) => {
      const known = memory.referrers.get(subject);
      if (known !== undefined) return known;
      memory.asked += 1;
      const found = await store.referrers(repository, subject);
      memory.referrers.set(subject, found);
      return found;
    },
    blob: (repository, descriptor): Bytes => {
      const known = memory.blobs.get(descriptor.digest);
      if (known !== undefined) return bytesOf(known);
      memory.asked += 1;
      return kept(store.blob(repository, descriptor), descriptor, memory);
    },
  };
}

async function* kept(blob: Bytes, { digest, size }: Descriptor, memory: Memory): Bytes {
  const chunks: Uint8Array[] = [];
  const isSmall = memory.size + size <= memoryLimit;
  for await (const chunk of blob) {
    if (isSmall) chunks.push(chunk);
    yield chunk;
  }
  // The store has checked digest and size by now.
  memory.size += size;
  if (isSmall) memory.blobs.set(digest, concat(chunks, size));
}

/** A tag that a tool made of a digest, such as those of cosign 2: it belongs to this image only. */
function isBesideDigest(reference: string): boolean {
  return /^sha256-[0-9a-f]{64}\.(?:att|sig)$/.test(reference);
}

export function formatMemory(memory: Memory, now: Date): string {
  const at = memory.at ?? now;
  const manifests = [...memory.manifests].map(([reference, fetched]) =>
    fetched === undefined
      ? { reference }
      : { reference, mediaType: fetched.descriptor.mediaType, bytes: encodeBase64(fetched.bytes) },
  );
  const referrers = [...memory.referrers].map(([subject, found]) => ({ subject, found }));
  const blobs = [...memory.blobs].map(([digest, bytes]) => ({ digest, bytes: encodeBase64(bytes) }));
  return `${JSON.stringify({ format, at: at.toISOString(), manifests, referrers, blobs })}\n`;
}

/**
 * Reads what `formatMemory` wrote: content that is not what its digest says is refused.
 *
 * @throws TcfError `json.*`, `document.malformed`, `content.digest` (exit 2): such a memory is as good as none.
 */
export function parseMemory(bytes: Uint8Array, what: string): Memory & { readonly at: Date } {
  const shape = new Shape(parseJson(bytes, what, limits), what);
  if (shape.get('format').string() !== format) throw shape.wrong('has another format');
  const at = new Date(shape.get('at').string(40));
  if (Number.isNaN(at.getTime())) throw shape.wrong('has no date');
  const memory = { ...emptyMemory(), at };
  for (const entry of shape.get('manifests').list(maxEntries)) {
    const reference = entry.get('reference').string(200);
    const fetched = entry.optional('bytes') && readFetched(entry, reference);
    memory.manifests.set(reference, fetched);
    memory.size += fetched?.bytes.length ?? 0;
  }
  for (const entry of shape.get('referrers').list(maxEntries)) {
    const found = entry.get('found').list(maxEntries).map(readDescriptor);
    memory.referrers.set(readDigest(entry.get('subject')), found);
  }
  for (const entry of shape.get('blobs').list(maxEntries)) {
    const content = readBytes(entry);
    const digest = readDigest(entry.get('digest'));
    checkContent(content, digest, entry.path);
    memory.blobs.set(digest, content);
    memory.size += content.length;
  }
  return memory;
}

function readFetched(entry: Shape, reference: string): Fetched {
  const bytes = readBytes(entry);
  const digest = digestOf(bytes);
  if (isDigest(reference)) checkContent(bytes, reference, entry.path);
  const mediaType = entry.get('mediaType').string(255);
  return {
    bytes,
    descriptor: { mediaType, digest: isDigest(reference) ? reference : digest, size: bytes.length },
    document: parseManifest(bytes, mediaType, entry.path),
  };
}

function readBytes(entry: Shape): Uint8Array {
  const bytes = decodeBase64(entry.get('bytes').string(limits.maxBytes));
  if (bytes === undefined) throw entry.get('bytes').wrong('is not base64');
  return bytes;
}
