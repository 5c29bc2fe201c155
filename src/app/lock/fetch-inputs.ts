import type { Bytes } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { inParallel } from '../../base/parallel.ts';
import { fileBytes } from '../../image/files.ts';
import type { Transport } from '../../registry/transport.ts';
import type { Host } from '../../system/host.ts';
import { debianRoots, downloadByApt } from './archives.ts';
import { download } from './download.ts';
import { type Input, nameOfInput } from './inputs.ts';
import { type Mirrors, rpmRoot } from './mirrors.ts';
import { downloadByPip } from './wheels.ts';

/** Archives slow down whoever asks for more at a time. */
const parallelDownloads = 4;

export interface FetchRequest {
  readonly mirrors: Mirrors;
  readonly transport: Transport;
  /** Folder on the disk of the store, for what clients download. */
  readonly work: string;
  /** Takes the bytes of one input; whoever reads them checks them. */
  readonly keep: (input: Input, bytes: Bytes) => Promise<void>;
}

/**
 * Gets inputs from whoever has them: debs through apt, wheels through pip, the rest and what lies at a mirror
 * that people named by ourselves.
 *
 * @throws TcfError `input.missing`, `input.archive`, `input.unreachable`, `input.pip`, `content.*` (exit 2).
 */
export async function fetchInputs(
  host: Host,
  inputs: readonly Input[],
  request: FetchRequest,
): Promise<void> {
  const { keep, mirrors, transport, work } = request;
  const { byApt, byUrl, byPip } = await planOf(host, inputs, mirrors);
  await inParallel(byUrl, parallelDownloads, ({ input, url }) =>
    keep(input, download(transport, input, url)),
  );
  const debs = await downloadByApt(host, byApt, work);
  for (const [index, { input }] of byApt.entries()) {
    await keep(input, fileBytes(debs[index] ?? ''));
  }
  // pip chooses for one Python and one platform at a time.
  for (const group of Map.groupBy(byPip, ({ source }) => JSON.stringify(source)).values()) {
    const wheels = await downloadByPip(host, group, mirrors, work);
    for (const input of group) {
      const file = wheels.get(input.digest);
      if (file === undefined) {
        throw cannotTell('input.pip', `pip brought no file with the hash of ${nameOfInput(input)}`);
      }
      await keep(input, fileBytes(file));
    }
  }
}

interface Located {
  readonly input: Input;
  readonly url: string;
}

async function planOf(
  host: Host,
  inputs: readonly Input[],
  mirrors: Mirrors,
): Promise<{ byApt: readonly Located[]; byUrl: readonly Located[]; byPip: readonly Input[] }> {
  const roots = inputs.some(({ source }) => source?.kind === 'archive')
    ? await debianRoots(host, mirrors)
    : undefined;
  const byApt: Located[] = [];
  const byUrl: Located[] = [];
  const byPip: Input[] = [];
  for (const input of inputs) {
    const { source } = input;
    if (source?.kind === 'index') {
      byPip.push(input);
    } else if (source?.kind === 'url') {
      byUrl.push({ input, url: mirrors.rewrite(source.url) });
    } else if (source?.kind === 'repository') {
      byUrl.push({ input, url: `${rpmRoot(mirrors, source.repository)}/${source.path}` });
    } else if (source?.kind === 'path') {
      byUrl.push({ input, url: source.path });
    } else if (source !== undefined && roots !== undefined) {
      const root = roots(source.archive);
      (root.byApt ? byApt : byUrl).push({ input, url: `${root.url}/${source.path}` });
    } else {
      throw cannotTell('input.missing', `${nameOfInput(input)} has no address, and is not in the store`, {
        hint: 'bring it again: tcf build --llvm TARBALL',
      });
    }
  }
  return { byApt, byUrl, byPip };
}
