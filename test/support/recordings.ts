import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, parseBundle } from '../../src/attest/bundle.ts';
import { type Cosign2Layer, parseCosign2Layer } from '../../src/attest/cosign2.ts';
import type { Refusal } from '../../src/attest/refusal.ts';
import { parsePublicKey } from '../../src/attest/trusted-key.ts';
import { parseTrustedRoot, type Trust } from '../../src/attest/trusted-root.ts';
import type { Verified } from '../../src/attest/verified.ts';
import { verifyAttestation, verifyCosign2 } from '../../src/attest/verify.ts';
import { type Artifact, verifyBlob } from '../../src/attest/verify-blob.ts';
import { bytesOf } from '../../src/base/bytes.ts';
import { TcfError } from '../../src/base/error.ts';
import { no, type Outcome, yes } from '../../src/base/outcome.ts';
import { openLayoutStore } from '../../src/image/layout-store.ts';
import { type Digest, digestOf, hexOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { discoverBundles } from '../../src/sigstore/discover.ts';
import { discoverCosign2 } from '../../src/sigstore/discover-cosign2.ts';

/*
 * What the real cosign 2 and 3 wrote; test/interop/record.ts made these files, and each says with which
 * command.
 */

const folder = join(import.meta.dirname, '../../fixtures/sigstore/recordings');
/** After the last recording. */
const now = new Date('2026-12-01T00:00:00Z');

export interface Expected {
  readonly image: Digest;
  readonly predicateType: string;
  readonly signer: { readonly kind: string; readonly issuer?: string; readonly identity?: string };
  readonly annotations: object;
}

export interface Recording {
  readonly expected: Expected;
  /** Manifest of the image, and the manifest by which the tool attached what it signed. */
  readonly image: Uint8Array;
  readonly manifest: Uint8Array;
  /** `trusted_root.json`, where a certificate was signed with. */
  readonly root?: Uint8Array;
  /** The bundle, or what a layer of cosign 2 holds. */
  readonly content: Uint8Array;
  /**
   * What stands in this content, before anything is proven; `payload` where the signature is over the bytes
   * of the layer.
   */
  readonly read: (
    content: Uint8Array,
  ) => Outcome<{ readonly bundle: Bundle; readonly payload?: Uint8Array }, Refusal>;
  /** What this content proves about an image. */
  readonly prove: (content: Uint8Array, image: Digest) => Outcome<Verified, Refusal>;
  /** What is proven of the image by all that lies beside it in a layout. */
  readonly proveStored: (stored?: Stored) => Promise<Outcome<Verified, Refusal>>;
}

/** What lies in the layout in place of what was recorded. */
export interface Stored {
  readonly image?: Uint8Array;
  readonly manifest?: Uint8Array;
  /** The digest under which the manifest is listed and lies; the recorded one where absent. */
  readonly listed?: Digest;
}

export const recordings: readonly string[] = readdirSync(folder);

export function openRecording(name: string): Recording {
  const at = (file: string) => join(folder, name, file);
  const root = existsSync(at('trusted_root.json')) ? readFileSync(at('trusted_root.json')) : undefined;
  const trust = trustIn(join(folder, name));
  const proveBundle = (bytes: Uint8Array, subject: Digest) => {
    const bundle = parseBundle(bytes);
    return bundle.ok ? verifyAttestation(bundle.value, trust, { subject }, now) : bundle;
  };
  const proveLayer = (layer: Cosign2Layer, subject: Digest) => {
    const signature = parseCosign2Layer(layer);
    return signature.ok ? verifyCosign2(signature.value, trust, { subject }, now) : signature;
  };
  const layer = existsSync(at('layer.json')) ? readLayer(at('layer.json')) : undefined;
  const expected = JSON.parse(readFileSync(at('expected.json'), 'utf8')) as Expected;
  const recorded = { image: readFileSync(at('image.json')), manifest: readFileSync(at('manifest.json')) };
  const content = layer?.content ?? readFileSync(at('bundle.json'));
  return {
    expected,
    ...recorded,
    ...(root === undefined ? {} : { root }),
    content,
    read: (bytes) => {
      if (layer !== undefined) {
        const signature = parseCosign2Layer({ ...layer, content: bytes });
        if (!signature.ok) {
          return signature;
        }
        const { bundle, text } = signature.value;
        return yes(bundle.content.kind === 'message' ? { bundle, payload: text } : { bundle });
      }
      const bundle = parseBundle(bytes);
      return bundle.ok ? yes({ bundle: bundle.value }) : bundle;
    },
    prove: (bytes, subject) =>
      layer === undefined ? proveBundle(bytes, subject) : proveLayer({ ...layer, content: bytes }, subject),
    proveStored: async (stored = {}) => {
      const { image, listed, manifest } = { listed: digestOf(recorded.manifest), ...recorded, ...stored };
      const blobs = [
        [expected.image, image],
        [listed, manifest],
        [digestOf(content), content],
      ] as const;
      const candidates = await find(expected.image, listed, blobs);
      const outcomes = candidates.map((candidate) =>
        !candidate.ok
          ? no({ code: candidate.code, message: candidate.reason })
          : 'bundle' in candidate
            ? proveBundle(candidate.bundle, expected.image)
            : proveLayer(candidate.layer, expected.image),
      );
      return (
        outcomes.find(({ ok }) => ok) ?? outcomes[0] ?? no({ code: 'none', message: 'nothing was found' })
      );
    },
  };
}

/** What the real cosign 3 wrote about a file. */
export interface BlobRecording {
  readonly artifact: Uint8Array;
  readonly content: Uint8Array;
  readonly signer: object;
  readonly prove: (content: Uint8Array, artifact: Artifact) => Outcome<unknown, Refusal>;
}

const blobFolder = join(folder, '../blobs');
export const blobRecordings: readonly string[] = readdirSync(blobFolder);

export function openBlobRecording(name: string): BlobRecording {
  const read = (file: string) => readFileSync(join(blobFolder, name, file));
  const trust = trustIn(join(blobFolder, name));
  return {
    artifact: read('artifact'),
    content: read('bundle.json'),
    signer: JSON.parse(read('expected.json').toString()).signer,
    prove: (bytes, artifact) => {
      const bundle = parseBundle(bytes);
      return bundle.ok ? verifyBlob(bundle.value, trust, artifact, now) : bundle;
    },
  };
}

function trustIn(place: string): Trust {
  const at = (file: string) => join(place, file);
  return {
    roots: existsSync(at('trusted_root.json'))
      ? [parseTrustedRoot(readFileSync(at('trusted_root.json')))]
      : [],
    keys: existsSync(at('key.pub')) ? [parsePublicKey(readFileSync(at('key.pub'), 'utf8'), 'key.pub')] : [],
  };
}

function readLayer(file: string): Cosign2Layer {
  const { annotations, content, mediaType } = JSON.parse(readFileSync(file, 'utf8'));
  return { mediaType, annotations, content: Buffer.from(content, 'base64') };
}

/**
 * What is found about an image in a layout with these blobs, where `attached` is listed with the tags of
 * cosign 2.
 */
async function find(image: Digest, attached: Digest, blobs: readonly (readonly [Digest, Uint8Array])[]) {
  const files = new Map<string, Uint8Array>([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ...blobs.map(([digest, bytes]) => [`blobs/sha256/${hexOf(digest)}`, bytes] as const),
  ]);
  const entry = (digest: Digest, name: string) => ({
    mediaType: mediaTypes.manifest,
    digest,
    size: files.get(`blobs/sha256/${hexOf(digest)}`)?.length,
    annotations: { 'org.opencontainers.image.ref.name': name },
  });
  const manifests = [
    entry(image, 'image'),
    ...['sig', 'att'].map((kind) => entry(attached, `sha256-${hexOf(image)}.${kind}`)),
  ];
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
  try {
    const { store } = await openLayoutStore(
      {
        small: async (path) => files.get(path),
        stream: (path) => bytesOf(files.get(path) ?? new Uint8Array()),
        locate: () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      },
      'image',
      { os: 'linux', architecture: 'amd64' },
      'layout',
    );
    const repository = { registry: 'layout', repository: 'layout' };
    return [
      ...(await discoverBundles(store, repository, image)),
      ...(await discoverCosign2(store, repository, ['sig', 'att'], image)),
    ];
  } catch (error) {
    // What no store would hand out ends the question.
    if (error instanceof TcfError) {
      return [{ ok: false, source: attached, code: error.code, reason: error.message } as const];
    }
    throw error;
  }
}
