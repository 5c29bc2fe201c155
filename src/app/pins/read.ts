import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { headCommit } from '../../catalogers/git.ts';
import type { AddedPin } from '../../catalogers/llvm/pins-file.ts';
import { pinsInCheckout, pinsInWheel } from '../../catalogers/llvm/read-pins.ts';
import { llvm } from '../../catalogers/llvm.ts';
import { treeOfWheel } from '../../image/wheel.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';

/** Where a pin is read from. */
export interface PinSource {
  /** A wheel, or the root of a checkout. */
  readonly path: string;
  /** What the wheel has to have, 64 hexadecimal digits, as the index lists it. */
  readonly sha256?: string;
  /** For a checkout: the release that it is, in place of what its sources say. */
  readonly release?: string;
  /** For a checkout. Default: `triton`. */
  readonly distribution?: string;
}

const pinFiles = ['llvm-info.json', 'llvm-hash.txt', 'amd-llvm-info.json', 'nvidia-llvm-info.json'];
/** A pin file with the sums of eight tarballs has 2 KiB; sources have 100. */
const maxText = 1024 * 1024;

/**
 * Reads the pins of one release, from the bytes of its wheel or from what its sources declare.
 *
 * @throws TcfError `pins.hash`, `pins.none`, `pins.ambiguous`, `zip.*` (exit 2), `pins.release`,
 * `file.unreadable` (exit 3).
 */
export async function readPinsFrom(host: Host, source: PinSource): Promise<readonly AddedPin[]> {
  const full = resolve(host.cwd, source.path);
  if (!fileExists(host, full)) {
    throw askedWrongly('file.unreadable', `there is nothing at ${quoted(source.path)}`, {
      hint: 'name a wheel (pip download --no-deps triton==VERSION) or a checkout of Triton',
    });
  }
  return statSync(full).isDirectory()
    ? await readCheckout(host, full, source)
    : await readWheel(full, source);
}

async function readWheel(full: string, { path, sha256 }: PinSource): Promise<readonly AddedPin[]> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(full)) {
    hash.update(chunk as Buffer);
  }
  const found = hash.digest('hex');
  if (sha256 !== undefined && sha256.toLowerCase() !== found) {
    throw cannotTell('pins.hash', `${quoted(path)} has the SHA-256 ${found}, not ${quoted(sha256)}`, {
      hint: 'download it again, or compare with the page of the release',
    });
  }
  return pinsInWheel(await treeOfWheel(full, llvm), `${basename(full)} sha256:${found}`);
}

async function readCheckout(
  host: Host,
  root: string,
  { distribution = 'triton', path, release }: PinSource,
): Promise<readonly AddedPin[]> {
  const read = async (name: string): Promise<Uint8Array | undefined> =>
    fileExists(host, join(root, name))
      ? await readPlainFile(host, join(root, name), maxText, 'the sources')
      : undefined;
  const files = await Promise.all(
    pinFiles.map(async (name) => ({ path: `cmake/${name}`, bytes: await read(`cmake/${name}`) })),
  );
  const commit = await headOf(read);
  const init = decodeUtf8((await read('python/triton/__init__.py')) ?? new Uint8Array());
  const stated = /^__version__\s*=\s*['"]([\w.]{1,50})['"]/m.exec(init ?? '')?.[1];
  const version = release ?? stated;
  // Between two releases the number stays and the pin moves: a number alone does not say which of them the
  // sources are.
  if (version === undefined || (commit === undefined && release === undefined)) {
    throw askedWrongly('pins.release', `${quoted(path)} does not say which release it is`, {
      hint: 'name it: --release 3.9.0',
    });
  }
  return pinsInCheckout({
    files: files.flatMap(({ bytes, path: name }) =>
      bytes === undefined ? [] : [{ path: name, content: () => bytes }],
    ),
    distribution,
    version,
    ...(release === undefined && commit !== undefined ? { commit } : {}),
    source: `checkout${commit === undefined ? '' : ` of ${commit}`}`,
  });
}

/** The commit that is checked out. */
async function headOf(read: (name: string) => Promise<Uint8Array | undefined>): Promise<string | undefined> {
  const head = await read('.git/HEAD');
  const ref = /^ref: (refs\/heads\/[\w./-]{1,255})\s*$/.exec(Buffer.from(head ?? []).toString())?.[1];
  const names = [
    '.git/packed-refs',
    ...(ref === undefined || ref.split('/').includes('..') ? [] : [`.git/${ref}`]),
  ];
  const texts = new Map([['.git/HEAD', head]]);
  for (const name of names) {
    texts.set(name, await read(name));
  }
  return headCommit(
    {
      file: (path) => {
        const bytes = texts.get(path.replace(/^\//, ''));
        return bytes === undefined
          ? undefined
          : { path, size: bytes.length, layer: { index: 0, diffId: '' }, content: () => bytes };
      },
    },
    '',
  );
}
