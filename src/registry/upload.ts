import type { Bytes } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { formatBytes } from '../base/size.ts';
import { quoted } from '../base/text.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { failure } from './answers.ts';
import type { BlobFate, Repository } from './contract.ts';
import { attempts, busy, isBroken, pauseAfter, type RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';
import type { HttpAnswer } from './transport.ts';

/**
 * What is held in memory of a blob on its way, in bytes. Stores behind registries want at least 5 MiB in one
 * part.
 */
export const defaultChunkSize: number = 16 * 1024 * 1024;
/** The most that a registry may ask for with OCI-Chunk-Min-Length. */
const maxChunkSize = 64 * 1024 * 1024;

/**
 * The registry no longer knows of the upload, or lost a part that we no longer have: only starting again
 * helps.
 */
class Lost {
  readonly reason: TcfError;
  constructor(reason: TcfError) {
    this.reason = reason;
  }
}

interface Upload {
  /** Where the next bytes go; every answer names a new place. */
  readonly url: URL;
  readonly chunkSize: number;
}

export interface UploadSettings {
  readonly session: Session;
  readonly retryPolicy: RetryPolicy;
  /** Bytes. */
  readonly chunkSize: number;
}

/**
 * Puts a blob into a repository (distribution specification, "Pushing Blobs"): nothing where it is there
 * already, else mounted from another repository of the same registry, else sent. A small blob goes in one
 * piece, a large one in chunks. When the line breaks within a chunk, the registry is asked how much has
 * arrived and the rest is sent; when it has forgotten the upload, `open` is called again.
 *
 * `open` must check what it yields: the upload is finished only after it has ended without an error.
 *
 * @throws TcfError `registry.*` (exit 2), and whatever `open` throws.
 */
export function uploadBlob(
  settings: UploadSettings,
  repository: Repository,
  blob: Descriptor,
  open: () => Bytes,
  from?: Repository,
): Promise<BlobFate> {
  return new Uploader(settings, repository, blob).run(open, from);
}

class Uploader {
  readonly #session: Session;
  readonly #retryPolicy: RetryPolicy;
  readonly #chunkSize: number;
  readonly #repository: Repository;
  readonly #blob: Descriptor;
  readonly #what: string;

  constructor({ session, retryPolicy, chunkSize }: UploadSettings, repository: Repository, blob: Descriptor) {
    this.#session = session;
    this.#retryPolicy = retryPolicy;
    this.#chunkSize = chunkSize;
    this.#repository = repository;
    this.#blob = blob;
    this.#what = `upload of blob ${blob.digest} to ${quoted(`${repository.registry}/${repository.repository}`)}`;
  }

  async run(open: () => Bytes, from: Repository | undefined): Promise<BlobFate> {
    if (await this.#isThere()) {
      return 'there';
    }
    let upload = from === undefined ? undefined : await this.#mount(from);
    if (upload === 'mounted') {
      return 'mounted';
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#send(open(), upload ?? (await this.#begin()));
        return 'copied';
      } catch (error) {
        if (!(error instanceof Lost)) {
          throw error;
        }
        if (attempt === attempts) {
          throw error.reason;
        }
        upload = undefined;
        await this.#pause(attempt);
      }
    }
  }

  #call(
    method: 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT',
    url: URL,
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
    from?: Repository,
  ): Promise<HttpAnswer> {
    return this.#session.call(
      this.#repository,
      compact({
        method,
        url,
        action: 'pull,push',
        headers,
        what: this.#what,
        body,
        // Part of a chunk may have arrived: only the registry knows from where to go on.
        once: method === 'PATCH',
        from,
      }),
    );
  }

  #failure(answer: HttpAnswer): Promise<TcfError> {
    return failure(answer, this.#what, this.#session.timeouts);
  }

  #pause(attempt: number): Promise<void> {
    return this.#retryPolicy.sleep(pauseAfter(attempt, this.#retryPolicy.random));
  }

  async #isThere(): Promise<boolean> {
    const answer = await this.#call(
      'HEAD',
      this.#session.url(this.#repository, `blobs/${this.#blob.digest}`),
    );
    answer.end();
    if (answer.status !== 200 && answer.status !== 404) {
      throw await this.#failure(answer);
    }
    return answer.status === 200;
  }

  /**
   * "Mounting a blob from another repository". A registry that cannot or may not do it opens an upload, or
   * refuses and is asked plainly.
   */
  async #mount(from: Repository): Promise<Upload | 'mounted' | undefined> {
    const url = this.#session.url(this.#repository, 'blobs/uploads/');
    url.searchParams.set('mount', this.#blob.digest);
    url.searchParams.set('from', from.repository);
    try {
      const answer = await this.#call('POST', url, {}, new Uint8Array(), from);
      answer.end();
      if (answer.status === 201) {
        return 'mounted';
      }
      return answer.status === 202 ? this.#uploadOf(answer) : undefined;
    } catch (error) {
      // A token service may refuse the second scope in words of its own.
      if (error instanceof TcfError && error.code !== 'registry.unreachable') {
        return undefined;
      }
      throw error;
    }
  }

  async #begin(): Promise<Upload> {
    const url = this.#session.url(this.#repository, 'blobs/uploads/');
    const answer = await this.#call('POST', url, {}, new Uint8Array());
    if (answer.status !== 202) {
      throw await this.#failure(answer);
    }
    answer.end();
    return this.#uploadOf(answer);
  }

  #uploadOf(answer: HttpAnswer): Upload {
    const wanted = answer.headers['oci-chunk-min-length'] ?? '0';
    const least = /^\d{1,15}$/.test(wanted) ? Number(wanted) : 0;
    if (least > maxChunkSize) {
      throw cannotTell(
        'registry.limit',
        `${this.#what}: the registry wants chunks of ${formatBytes(least)}, more than the limit of ${formatBytes(maxChunkSize)}`,
      );
    }
    return { url: uploadUrl(answer, this.#what), chunkSize: Math.max(least, this.#chunkSize) };
  }

  async #send(bytes: Bytes, upload: Upload): Promise<void> {
    const buffer = new Uint8Array(Math.min(this.#blob.size, upload.chunkSize));
    let { url } = upload;
    let filled = 0;
    let sent = 0;
    const flush = async (): Promise<void> => {
      url = await this.#sendChunk(url, buffer.subarray(0, filled), sent);
      sent += filled;
      filled = 0;
    };
    for await (const piece of bytes) {
      for (let at = 0; at < piece.length; ) {
        if (filled === buffer.length) {
          await flush();
        }
        const part = piece.subarray(at, at + buffer.length - filled);
        buffer.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    }
    if (sent > 0) {
      await flush();
    }
    await this.#finish(url, buffer.subarray(0, filled));
  }

  /** Sends one chunk, however often the line breaks, and returns where the next one goes. */
  async #sendChunk(to: URL, chunk: Uint8Array, start: number): Promise<URL> {
    let url = to;
    let done = 0;
    for (let attempt = 1; ; attempt += 1) {
      const failed = await this.#patch(url, chunk.subarray(done), start + done);
      if (failed instanceof URL) {
        return failed;
      }
      if (attempt === attempts) {
        throw failed;
      }
      await this.#pause(attempt);
      const arrived = await this.#arrived(url, failed);
      done = arrived.size - start;
      if (done < 0 || done > chunk.length) {
        throw new Lost(failed);
      }
      if (done === chunk.length) {
        return arrived.url;
      }
      url = arrived.url;
    }
  }

  /** Where the next chunk goes; or why this one may not have arrived in full. */
  async #patch(url: URL, bytes: Uint8Array, start: number): Promise<TcfError | URL> {
    let answer: HttpAnswer;
    try {
      answer = await this.#call(
        'PATCH',
        url,
        {
          'content-type': 'application/octet-stream',
          'content-range': `${start}-${start + bytes.length - 1}`,
        },
        bytes,
      );
    } catch (error) {
      if (error instanceof TcfError && isBroken(error)) {
        return error;
      }
      throw error;
    }
    if (answer.status === 202) {
      answer.end();
      return uploadUrl(answer, this.#what);
    }
    const error = await this.#failure(answer);
    // 416: the registry has more or less of it than we believe.
    if (busy.has(answer.status) || answer.status === 416) {
      return error;
    }
    throw answer.status === 404 ? new Lost(error) : error;
  }

  /**
   * "Pushing a blob in chunks": 204 with `Range: 0-LAST`. Where nothing has arrived, docker-registry writes
   * `0-0`.
   */
  async #arrived(upload: URL, failed: TcfError): Promise<{ readonly url: URL; readonly size: number }> {
    const answer = await this.#call('GET', upload);
    answer.end();
    const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(answer.headers['range'] ?? '')?.[1];
    if (answer.status !== 204 || last === undefined) {
      throw new Lost(failed);
    }
    return { url: uploadUrl(answer, this.#what), size: last === '0' ? 0 : Number(last) + 1 };
  }

  /** With the bytes of a blob that fits in one piece, else without any. */
  async #finish(upload: URL, bytes: Uint8Array): Promise<void> {
    const url = new URL(upload);
    url.searchParams.set('digest', this.#blob.digest);
    const answer = await this.#call('PUT', url, { 'content-type': 'application/octet-stream' }, bytes);
    if (answer.status === 201) {
      return answer.end();
    }
    const error = await this.#failure(answer);
    // An answer that was lost on its way looks like an upload that is not known.
    if (answer.status === 404 && (await this.#isThere())) {
      return;
    }
    // What came out of `open` was whole, so it was damaged or forgotten behind it.
    throw [400, 404, 416].includes(answer.status) ? new Lost(error) : error;
  }
}

/** Where the bytes go. Credentials go along, so it must be the registry itself. */
function uploadUrl(answer: HttpAnswer, what: string): URL {
  const location = answer.headers['location'];
  const url =
    location !== undefined && URL.canParse(location, answer.url) ? new URL(location, answer.url) : undefined;
  if (url === undefined || url.origin !== answer.url.origin || url.username !== '' || url.password !== '') {
    throw cannotTell(
      'registry.refused',
      `${what}: the registry wants it sent to ${quoted(location ?? 'nowhere')}`,
    );
  }
  return url;
}
