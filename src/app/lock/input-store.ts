import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Bytes, formatBytes } from '../../base/bytes.ts';
import { cannotTell, reasonOf, TcfError } from '../../base/error.ts';
import { inParallel } from '../../base/parallel.ts';
import { quoted } from '../../base/text.ts';
import { fileBytes, isThere } from '../../image/files.ts';
import { checked, hexOf } from '../../oci/digest.ts';
import type { HttpAnswer, Transport } from '../../registry/transport.ts';
import { replaceFile } from '../../system/atomic.ts';
import { cacheFolder, openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { type Network, openUserTransport } from '../network.ts';
import type { Input } from './inputs.ts';

/** Archives slow down whoever asks for more at a time. */
const parallelDownloads = 4;
/** What no lock gives a size for: the largest wheel on PyPI has 3 GB, prebuilt LLVMs 2. */
const maxUnsized = 64 * 1024 ** 3;
const maxRedirects = 5;

export interface StoreRequest {
  /** Folder of the inputs; default: in the user's cache. */
  readonly store?: string | undefined;
  /** Nothing is downloaded. */
  readonly offline?: boolean | undefined;
  /** `FROM=TO`: URLs that begin with FROM are asked at TO. The hashes hold all the same. */
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
   * @throws TcfError `input.missing`, `input.unreachable`, `content.digest`, `content.size` (exit 2).
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
  const rules = mirrors.map(parseMirror);
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
      const transport = await openUserTransport(host, network);
      const sizes = await inParallel(missing, parallelDownloads, async (input) => {
        let size = 0;
        const counted = async function* (): Bytes {
          for await (const chunk of download(transport, input, rules)) {
            size += chunk.length;
            yield chunk;
          }
        };
        await replaceFile(path(input), counted());
        return size;
      });
      return { fetched: missing.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
    },
  };
}

type MirrorRule = (url: string) => string;

/** @throws TcfError `input.mirror` (exit 2) for what is not two URLs. */
function parseMirror(text: string): MirrorRule {
  const [from = '', to = ''] = text.split('=');
  if (!URL.canParse(from) || !URL.canParse(to)) {
    throw cannotTell('input.mirror', `cannot read the mirror ${quoted(text)}`, {
      hint: 'write it as https://deb.debian.org/debian=https://mirror.example/debian',
    });
  }
  return (url) => (url.startsWith(from) ? to + url.slice(from.length) : url);
}

/** `wheel numpy 2.4.6`. */
function nameOfInput({ kind, name, version }: Input): string {
  return version === undefined ? `${kind} ${name}` : `${kind} ${name} ${version}`;
}

async function* download(transport: Transport, input: Input, rules: readonly MirrorRule[]): Bytes {
  const what = nameOfInput(input);
  if (input.url === undefined) {
    throw cannotTell('input.missing', `${what} has no address, and is not in the store`, {
      hint: 'bring it again: tcf build --llvm TARBALL',
    });
  }
  const url = new URL(rules.reduce((at, rule) => rule(at), input.url));
  const answer = await ask(transport, url, what);
  yield* checked(
    limited(answer, input.size ?? maxUnsized, what),
    input.digest,
    input.size,
    `${what} of ${quoted(url.href)}`,
  );
}

/**
 * Follows redirects, as downloads of archives do; what comes is proven by its hash and not by where it came
 * from.
 */
async function ask(transport: Transport, start: URL, what: string): Promise<HttpAnswer> {
  let url = start;
  for (let hops = 0; hops <= maxRedirects; hops += 1) {
    const answer = await asked(transport, url, what, hops === 0);
    const { location } = answer.headers;
    if (answer.status === 200) {
      return answer;
    }
    answer.end();
    if (
      ![301, 302, 303, 307, 308].includes(answer.status) ||
      location === undefined ||
      !URL.canParse(location, url.href)
    ) {
      throw cannotTell(
        'input.unreachable',
        `${quoted(url.host)} answered ${answer.status} to ${what} (${quoted(url.href)})`,
        {
          hint: 'the archive may have moved on: tcf lock update, or name a mirror that still has it with --mirror FROM=TO',
        },
      );
    }
    url = new URL(location, url);
  }
  throw cannotTell('input.unreachable', `${quoted(start.href)} redirects more than ${maxRedirects} times`);
}

async function asked(transport: Transport, url: URL, what: string, isFirst: boolean): Promise<HttpAnswer> {
  try {
    return await transport({ method: 'GET', url, headers: {}, reach: isFirst ? 'any' : 'public' });
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    throw cannotTell('input.unreachable', `could not get ${what}: ${reasonOf(error)}`, {
      hint: 'check the network, or build with --offline from a store that has it',
      cause: error,
    });
  }
}

async function* limited(answer: HttpAnswer, limit: number, what: string): Bytes {
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.length;
    if (size > limit) {
      answer.end();
      throw cannotTell('content.size', `${what} has more than ${formatBytes(limit)}`);
    }
    yield chunk;
  }
}
