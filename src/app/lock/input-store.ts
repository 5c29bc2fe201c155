import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Bytes } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { fileBytes, isThere } from '../../image/files.ts';
import { checked, hexOf } from '../../oci/digest.ts';
import { replaceFile } from '../../system/atomic.ts';
import { cacheFolder, openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { type Network, openUserTransport } from '../network.ts';
import { fetchInputs } from './fetch-inputs.ts';
import { type Input, nameOfInput } from './inputs.ts';
import { parseMirrors } from './mirrors.ts';

export interface StoreRequest {
  /** Folder of the inputs; default: in the user's cache. */
  readonly store?: string | undefined;
  /** Nothing is downloaded. */
  readonly offline?: boolean | undefined;
  /** `NAME=PLACE` or `URL=URL`, as `parseMirrors` reads them. The hashes hold all the same. */
  readonly mirrors?: readonly string[] | undefined;
  readonly network?: Network | undefined;
}

/** Files by their hash, filled before a build, so that the build itself needs no network. */
export interface InputStore {
  /** Where an input lies; whoever reads it checks it (`open`). */
  path(input: Input): string;
  /** The bytes, checked against the lock: the error comes with the last of them. */
  open(input: Input): Bytes;
  /**
   * Downloads what is not there. Returns how many came, and their bytes.
   *
   * @throws TcfError as `fetchInputs` does; `input.missing` (exit 2) where nothing may be downloaded.
   */
  fill(inputs: readonly Input[]): Promise<{ readonly fetched: number; readonly bytes: number }>;
}

export async function openInputStore(host: Host, request: StoreRequest = {}): Promise<InputStore> {
  const { mirrors = [], network = {}, offline = false, store } = request;
  const folder = store === undefined ? join(cacheFolder(host), 'inputs') : resolve(host.cwd, store);
  openPrivateFolder(host, folder);
  mkdirSync(join(folder, 'sha256'), { recursive: true });
  const path = ({ digest }: Input): string => join(folder, 'sha256', hexOf(digest));
  const open = (input: Input): Bytes =>
    checked(fileBytes(path(input)), input.digest, input.size, nameOfInput(input));
  const known = parseMirrors(mirrors, host.cwd);
  return {
    path,
    open,
    async fill(inputs) {
      const missing: Input[] = [];
      for (const input of inputs) {
        if (!(await isThere(path(input)))) {
          missing.push(input);
        }
      }
      const [first] = missing;
      if (offline && first !== undefined) {
        throw cannotTell(
          'input.missing',
          `${nameOfInput(first)} is not in ${quoted(folder)}, and ${missing.length - 1} more are not`,
          {
            hint: 'build it once where there is a network, without --offline, and take that folder along with --store',
          },
        );
      }
      let bytes = 0;
      const keep = async (input: Input, content: Bytes): Promise<void> => {
        const whole = checked(content, input.digest, input.size, nameOfInput(input));
        await replaceFile(
          path(input),
          (async function* (): Bytes {
            for await (const chunk of whole) {
              bytes += chunk.length;
              yield chunk;
            }
          })(),
        );
      };
      if (first !== undefined) {
        const transport = await openUserTransport(host, network);
        const work = join(folder, `.fetch-${crypto.randomUUID()}`);
        mkdirSync(work);
        try {
          await fetchInputs(host, missing, { mirrors: known, transport, work, keep });
        } finally {
          await rm(work, { recursive: true, force: true });
        }
      }
      return { fetched: missing.length, bytes };
    },
  };
}
