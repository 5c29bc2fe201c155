import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { fileBytes } from '../../image/files.ts';
import { type Digest, Digester, hexOf } from '../../oci/digest.ts';
import { writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { Input } from './inputs.ts';
import type { Lock } from './lock.ts';
import type { Mirrors } from './mirrors.ts';

/** A line of 10 Mbit takes an hour for the largest set of wheels, torch with CUDA. */
const pipTimeout = 12 * 3_600_000;
/** pip is told to be quiet; what it says is words about errors. */
const outputLimit = 1024 * 1024;

/** The newest glibc that our bases have: Debian 13. */
const newestGlibc = 41;

/**
 * Options that make pip choose wheels for an image and not for the machine that it runs on (PEP 600, PEP
 * 599).
 */
export function pipTarget(python: string, platform: Lock['platform']): readonly string[] {
  const machine = platform === 'linux/amd64' ? 'x86_64' : 'aarch64';
  const glibcs = Array.from({ length: newestGlibc - 4 }, (_, index) => `manylinux_2_${newestGlibc - index}`);
  const tags = [...glibcs, 'manylinux2014', 'manylinux2010', 'manylinux1', 'linux'];
  return [
    ...['--only-binary', ':all:', '--python-version', python, '--implementation', 'cp'],
    ...tags.flatMap((tag) => ['--platform', `${tag}_${machine}`]),
  ];
}

/** The index that pip is to ask: the mirror that people name, else the one that pip is configured with. */
export function pipIndex(mirrors: Mirrors): readonly string[] {
  const root = mirrors.rootOf('python');
  if (root === undefined) {
    return [];
  }
  return root.startsWith('/') ? ['--no-index', '--find-links', root] : ['--index-url', root];
}

/**
 * Lets pip download wheels, each checked by pip against the hash of the lock. pip knows its index, its
 * passwords and its proxies (pip.conf, PIP_INDEX_URL); no code of a wheel runs.
 *
 * @param work an empty folder.
 * @returns the files that came, by their hash.
 * @throws TcfError `input.pip` (exit 2).
 */
export async function downloadByPip(
  host: Host,
  inputs: readonly Input[],
  mirrors: Mirrors,
  work: string,
): Promise<ReadonlyMap<Digest, string>> {
  const first = inputs[0]?.source;
  if (first?.kind !== 'index') {
    return new Map();
  }
  const list = join(work, 'requirements.txt');
  const lines = inputs.map(
    ({ digest, name, version = '' }) => `${name}==${version} --hash=sha256:${hexOf(digest)}\n`,
  );
  await writeUserFile(host, list, lines.join(''));
  const ran = await host.program(
    'python3',
    [
      ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', ...pipIndex(mirrors)],
      ...pipTarget(first.python, first.platform),
      ...['--dest', work, '--requirement', list],
    ],
    new Uint8Array(),
    { timeout: pipTimeout, output: outputLimit },
  );
  if (ran.code !== 0) {
    throw cannotTell(
      'input.pip',
      `pip could not get the wheels of the lock: ${printable(ran.stderr.trim(), 2000)}`,
      {
        hint: 'the index is the one that pip is configured with (pip.conf, PIP_INDEX_URL) or --mirror python=PLACE; without pip, build with --offline from a store that has them',
      },
    );
  }
  const found = new Map<Digest, string>();
  for (const name of readdirSync(work).filter((each) => each.endsWith('.whl'))) {
    const digester = new Digester();
    for await (const chunk of fileBytes(join(work, name))) {
      digester.update(chunk);
    }
    found.set(digester.digest(), join(work, name));
  }
  return found;
}
