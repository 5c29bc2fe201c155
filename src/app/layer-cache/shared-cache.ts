import { formatStatement } from '../../attest/statement.ts';
import { TcfError } from '../../base/error.ts';
import { inParallel } from '../../base/parallel.ts';
import { printable } from '../../base/text.ts';
import { formatLayerRecord, parseLayerRecord } from '../../image/layer-record.ts';
import type { LayerCache } from '../../image/scan-layers.ts';
import { type Digest, hexOf } from '../../oci/digest.ts';
import { signStatement } from '../../sigstore/sign.ts';
import type { Host } from '../../system/host.ts';
import { checkOwnBundle, type Signing } from '../sign/signing.ts';
import { formatCacheEntry, maxSharedRecord, parseCacheEntry } from './entry.ts';
import type { EntryStore } from './entry-store.ts';
import { type CacheJudge, proveEntry, toRecordsStatement } from './proof.ts';
import { isNews } from './records.ts';

/** Where records are read and written, and whose count. */
export interface SharedCacheParts {
  /** As `layerCode`. */
  readonly code: string;
  /** Asked in this order. */
  readonly from: readonly EntryStore[];
  /** Every one of them has to believe the signer. Nothing is read where there are none. */
  readonly judges: readonly CacheJudge[];
  readonly to: readonly EntryStore[];
  /** Signs what is written. */
  readonly signing?: Signing;
}

/** Records that others made and that we make for others. What is new is written when it is disposed of. */
export interface SharedCache extends LayerCache, AsyncDisposable {
  /** What this machine knew already, for others that do not know it yet. */
  offer(diffId: Digest, record: () => Uint8Array): Promise<void>;
}

/** Bytes of records that wait to be used, or to be written: a large image has 40 MiB. */
const heldLimit = 64 * 1024 * 1024;
/** Entries that are written at a time. */
const writers = 8;

/**
 * A cache of layers at a place that others write to. An entry costs time and nothing else: what cannot be
 * read, is not proven, or is about something else is passed over and told once, and the layer is read.
 */
export function openSharedCache(host: Host, parts: SharedCacheParts): SharedCache {
  return new OpenSharedCache(host, parts);
}

class OpenSharedCache implements SharedCache {
  readonly #host: Host;
  readonly #parts: SharedCacheParts;
  /** Proven, and not used yet. */
  readonly #found = new Map<Digest, Uint8Array>();
  #foundBytes = 0;
  readonly #fresh = new Map<Digest, Uint8Array>();
  #freshBytes = 0;
  /** Places that did not answer: nothing waits for them again. */
  readonly #silent = new Set<EntryStore>();

  constructor(host: Host, parts: SharedCacheParts) {
    this.#host = host;
    this.#parts = parts;
  }

  async has(diffId: Digest): Promise<boolean> {
    const record = await this.#find(diffId);
    if (record !== undefined && this.#foundBytes + record.length <= heldLimit) {
      this.#found.set(diffId, record);
      this.#foundBytes += record.length;
    }
    return record !== undefined;
  }

  async load(diffId: Digest): ReturnType<LayerCache['load']> {
    const record = this.#found.get(diffId) ?? (await this.#find(diffId));
    this.#foundBytes -= this.#found.delete(diffId) ? (record?.length ?? 0) : 0;
    const scan = record && parseLayerRecord(record);
    if (record !== undefined && scan === undefined) {
      await this.#tell('unread', `the signed record of ${diffId} cannot be read`);
    }
    return scan;
  }

  async keep(diffId: Digest, scan: Parameters<LayerCache['keep']>[1]): Promise<void> {
    if (this.#parts.to.length > 0) {
      await this.#write(diffId, formatLayerRecord(scan));
    }
  }

  async offer(diffId: Digest, record: () => Uint8Array): Promise<void> {
    const known = await Promise.all(
      this.#parts.to.map((store) => this.#asked(store, (one) => one.has(this.#keyOf(diffId)))),
    );
    if (known.includes(false)) {
      await this.#write(diffId, record());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flush();
  }

  /** What makes an entry of this layer one of this version of the code: also a tag of a registry. */
  #keyOf(diffId: Digest): string {
    return `${this.#parts.code}-${hexOf(diffId).slice(0, 64)}`;
  }

  async #find(diffId: Digest): Promise<Uint8Array | undefined> {
    const { code, from, judges } = this.#parts;
    if (judges.length === 0) {
      return undefined;
    }
    for (const store of from) {
      const bytes = await this.#asked(store, (one) => one.get(this.#keyOf(diffId)));
      if (bytes === undefined) {
        continue;
      }
      const entry = parseCacheEntry(bytes);
      const proven = entry && proveEntry(entry, { code, diffId }, judges, this.#host.now());
      if (proven?.ok === true) {
        return proven.value;
      }
      await this.#tell(
        store.name,
        `${store.name} has an entry that does not count: ${proven === undefined ? 'it is damaged' : proven.reason}`,
      );
    }
    return undefined;
  }

  async #write(diffId: Digest, record: Uint8Array): Promise<void> {
    if (record.length > maxSharedRecord) {
      return;
    }
    this.#fresh.set(diffId, record);
    this.#freshBytes += record.length;
    if (this.#freshBytes > heldLimit) {
      await this.#flush();
    }
  }

  /** One signature for all that is new, so that a log has one entry for an image and not one for a layer. */
  async #flush(): Promise<void> {
    const { code, signing, to } = this.#parts;
    const fresh = new Map(this.#fresh);
    this.#fresh.clear();
    this.#freshBytes = 0;
    const statement = toRecordsStatement(code, fresh);
    const [subject] = statement?.subjects.flatMap(({ digests }) => digests) ?? [];
    if (statement === undefined || subject === undefined || signing === undefined) {
      return;
    }
    const bundle = await this.#tried('sign', async () => {
      const signed = await signStatement(formatStatement(statement), signing.signer, signing.witnesses);
      checkOwnBundle(signed, signing, { subject }, this.#host.now(), 'written');
      return signed;
    });
    if (bundle === undefined) {
      return;
    }
    await inParallel([...fresh], writers, async ([diffId, record]) => {
      const entry = formatCacheEntry({ bundle, record });
      for (const store of to) {
        await this.#asked(store, (one) => one.put(this.#keyOf(diffId), entry));
      }
    });
  }

  /** `undefined` where the place does not answer, or not with what was asked. */
  async #asked<T>(store: EntryStore, ask: (store: EntryStore) => Promise<T>): Promise<T | undefined> {
    if (this.#silent.has(store)) {
      return undefined;
    }
    return await this.#tried(
      store.name,
      () => ask(store),
      (error) => {
        if (
          error.code !== 'cache.entry' &&
          !error.code.startsWith('content.') &&
          error.code !== 'bytes.too-large'
        ) {
          this.#silent.add(store);
        }
      },
    );
  }

  async #tried<T>(
    what: string,
    work: () => Promise<T>,
    failed?: (error: TcfError) => void,
  ): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
      failed?.(error);
      await this.#tell(what, error.message);
      return undefined;
    }
  }

  async #tell(trouble: string, why: string): Promise<void> {
    if (isNews(this.#host, `shared ${trouble}`)) {
      await this.#host.stderr.write(`tcf: warning: the shared cache of layers: ${printable(why, 2000)}\n`);
    }
  }
}
