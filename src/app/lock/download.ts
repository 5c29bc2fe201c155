import type { Bytes } from '../../base/bytes.ts';
import { cannotTell, reasonOf, TcfError } from '../../base/error.ts';
import { formatBytes } from '../../base/size.ts';
import { quoted } from '../../base/text.ts';
import { fileBytes } from '../../image/files.ts';
import { checked } from '../../oci/digest.ts';
import type { HttpAnswer, Transport } from '../../registry/transport.ts';
import { type Input, nameOfInput } from './inputs.ts';

/** What no lock gives a size for: the largest wheel on PyPI has 3 GB, prebuilt LLVMs 2. */
const maxUnsized = 64 * 1024 ** 3;
const maxRedirects = 5;

/**
 * The bytes of an input from an address, or from a file of this machine by its path, checked against the
 * lock: the error comes with the last of them.
 *
 * @throws TcfError `input.unreachable`, `content.digest`, `content.size` (exit 2).
 */
export async function* download(transport: Transport, input: Input, address: string): Bytes {
  const what = nameOfInput(input);
  const from = `${what} of ${quoted(address)}`;
  const bytes = address.startsWith('/')
    ? fileBytes(address)
    : limited(await ask(transport, new URL(address), what), input.size ?? maxUnsized, what);
  yield* checked(bytes, input.digest, input.size, from);
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
          hint: 'it may have moved on: tcf lock update, or name a mirror that still has it with --mirror',
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
