import { join, resolve } from 'node:path';
import type { Bytes } from '../../base/bytes.ts';
import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { isServiceUrl } from '../../sigstore/signing-config.ts';
import { replaceFile } from '../../system/atomic.ts';
import { isSystemError } from '../../system/errors.ts';
import type { Host } from '../../system/host.ts';
import { type Network, openUserTransport } from '../network.ts';

/** The archive of everything that OSV has is some 1.5 GB. */
const maxArchive = 8 * 1024 * 1024 * 1024;

/**
 * The inputs as paths of this machine: addresses are fetched into `scratch` first, as a stream to the disk. Without TLS
 * only this machine is asked.
 *
 * @throws TcfError `db.input` (exit 3), `db.unreachable` (exit 2).
 */
export async function fetchedInputs(
  host: Host,
  inputs: readonly string[],
  scratch: string,
  network?: Network,
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const [at, input] of inputs.entries()) {
    if (/^https?:/i.test(input)) {
      const path = join(scratch, `input-${at}.zip`);
      await fetchArchive(host, input, path, network);
      paths.push(path);
    } else {
      paths.push(resolve(host.cwd, input));
    }
  }
  return paths;
}

async function fetchArchive(host: Host, address: string, path: string, network?: Network): Promise<void> {
  if (!isServiceUrl(address)) {
    // A password in it is not repeated into a log.
    throw askedWrongly(
      'db.input',
      `${quoted(address.replace(/\/\/[^/]*@/, '//...@'))} is not an address that tcf asks`,
      { hint: 'write https://..., without a user and a password' },
    );
  }
  const what = `the archive ${quoted(address)}`;
  const url = new URL(address);
  try {
    const transport = await openUserTransport(host, network);
    const answer = await transport({
      method: 'GET',
      url,
      headers: {},
      reach: url.protocol === 'http:' ? 'loopback' : 'any',
    });
    if (answer.status !== 200) {
      answer.end();
      throw unreachable(what, `status ${answer.status}`);
    }
    await replaceFile(path, whole(answer.body, answer.headers['content-length'], what));
  } catch (error) {
    if (error instanceof TcfError && error.code === 'db.unreachable') {
      throw error;
    }
    if (error instanceof TcfError || isSystemError(error)) {
      throw unreachable(what, error.message);
    }
    throw error;
  }
}

/** As many bytes as the server has promised, where it has. */
async function* whole(body: Bytes, promised: string | undefined, what: string): Bytes {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxArchive) {
      throw unreachable(what, `it has more than ${maxArchive} bytes`);
    }
    yield chunk;
  }
  if (promised !== undefined && Number(promised) !== size) {
    throw unreachable(what, `it has ${size} bytes, and the server promised ${promised}`);
  }
}

function unreachable(what: string, why: string): TcfError {
  return cannotTell('db.unreachable', `cannot get ${what}: ${why}`, {
    hint: 'check the network and the address; the database that is kept stays as it is',
  });
}
