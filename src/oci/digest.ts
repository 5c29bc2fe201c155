import { createHash, type Hash } from 'node:crypto';
import type { Branded } from '../base/brand.ts';
import type { Bytes } from '../base/bytes.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import type { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';

/**
 * A content digest as the OCI image specification spells it: `sha256:` or `sha512:` and lower-case hex of the
 * full length. Weaker, unknown, short and upper-case forms do not exist as a Digest, so no path or URL is
 * ever built from one.
 */
export type Digest = Branded<string, 'Digest'>;

export type DigestAlgorithm = 'sha256' | 'sha512';

const wellFormed = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return wellFormed.test(text);
}

/** A digest typed by the user. @throws TcfError `digest.malformed` (exit 3). */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) {
    return text;
  }
  throw askedWrongly('digest.malformed', `cannot read ${quoted(text)} as a digest`, {
    hint: 'write sha256: and 64 hex digits in lower case',
  });
}

/** A digest inside a document. @throws TcfError `digest.malformed` (exit 2). */
export function readDigest(shape: Shape): Digest {
  const text = shape.string(200);
  if (isDigest(text)) {
    return text;
  }
  throw cannotTell('digest.malformed', `${shape.path} is not a sha256 or sha512 digest: ${quoted(text)}`);
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hexadecimal part, lower case. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return finish(createHash(algorithm).update(bytes), algorithm);
}

function finish(hash: Hash, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

/** Hashes bytes as they pass. */
export class Digester {
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: Hash;

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): Digest {
    return finish(this.#hash, this.#algorithm);
  }
}

/** Checks content against digest and size as it passes. A consumer must not act before `end`. */
export class ContentCheck {
  readonly #digest: Digest;
  readonly #size: number | undefined;
  readonly #what: string;
  readonly #digester: Digester;
  #seen = 0;

  constructor(digest: Digest, size: number | undefined, what: string) {
    this.#digest = digest;
    this.#size = size;
    this.#what = what;
    this.#digester = new Digester(algorithmOf(digest));
  }

  /** @throws TcfError `content.size` (exit 2) as soon as there is more than was announced. */
  push(chunk: Uint8Array): void {
    this.#seen += chunk.length;
    if (this.#size !== undefined && this.#seen > this.#size) {
      throw this.#wrongSize('more');
    }
    this.#digester.update(chunk);
  }

  /**
   * @throws TcfError `content.size` or `content.digest` (exit 2) when the content is not what the descriptor
   *   says.
   */
  end(): void {
    if (this.#size !== undefined && this.#seen !== this.#size) {
      throw this.#wrongSize('fewer');
    }
    const actual = this.#digester.digest();
    if (actual === this.#digest) {
      return;
    }
    throw cannotTell('content.digest', `${this.#what} is ${actual}, not ${this.#digest}`, {
      hint: 'the content was damaged or replaced on its way; try again, and if it stays so do not use this image',
    });
  }

  #wrongSize(how: 'fewer' | 'more'): Error {
    return cannotTell(
      'content.size',
      `${this.#what} has ${how} than the ${this.#size} bytes that were announced`,
    );
  }
}

/**
 * Passes a stream on while it checks it; the error comes with the last chunk, so a consumer must not act
 * before the end.
 *
 * @throws TcfError as `ContentCheck`.
 */
export async function* checked(bytes: Bytes, digest: Digest, size: number | undefined, what: string): Bytes {
  const check = new ContentCheck(digest, size, what);
  for await (const chunk of bytes) {
    check.push(chunk);
    yield chunk;
  }
  check.end();
}

/** Checks content that is already in memory. @throws TcfError as `checked`. */
export function checkContent(bytes: Uint8Array, digest: Digest, what: string): void {
  const actual = digestOf(bytes, algorithmOf(digest));
  if (actual !== digest) {
    throw cannotTell('content.digest', `${what} is ${actual}, not ${digest}`);
  }
}
