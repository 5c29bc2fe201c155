import { dirname } from 'node:path';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { jsonLimits } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import { type PinsFile, parsePinsFile } from '../../catalogers/llvm/pins-file.ts';
import { isServiceUrl } from '../../sigstore/signing-config.ts';
import { makeFolder, readUserFile, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { isStandard } from '../../system/standard.ts';
import { type Network, openUserServices } from '../network.ts';
import type { Whose } from '../trust/instances.ts';
import { type PinsPlace, pinsPlace } from './place.ts';
import { maxPinsFile, readPins, signerOf } from './store.ts';

export interface UpdatePinsRequest {
  /** A file of pins that somebody signed, or its https address. */
  readonly from: string;
  /** Default: the same with `.sigstore.json`. */
  readonly bundle?: string;
  /** Default: the user's pins. */
  readonly whose?: Whose;
  readonly network?: Network;
}

export interface UpdatedPins extends PinsFile {
  readonly place: PinsPlace;
  readonly by: string;
  /** When the file that was there before was written; absent where there was none. */
  readonly before?: string;
}

/**
 * Takes over a file of pins that another signed, if the signature counts here. An older one than the one that
 * is kept is refused.
 *
 * @throws TcfError `pins.untrusted`, `pins.older`, `pins.unreachable`, `document.malformed` (exit 2),
 * `file.unreadable` (exit 3).
 */
export async function updatePins(
  host: Host,
  { bundle, from, network, whose = 'user' }: UpdatePinsRequest,
): Promise<UpdatedPins> {
  if (isStandard(from) && bundle === undefined) {
    throw askedWrongly('pins.bundle', 'nothing stands beside standard input', {
      hint: 'name the signature with --bundle',
    });
  }
  const place = pinsPlace(host, whose);
  const before = await readPins(host, whose);
  const content = await fetched(host, from, maxPinsFile, 'the pins', network);
  const signature = await fetched(
    host,
    bundle ?? `${from}.sigstore.json`,
    jsonLimits.bundle.maxBytes,
    'the bundle',
    network,
  );
  const by = await signerOf(host, place, content, signature);
  const pins = parsePinsFile(content);
  if (before !== undefined && Date.parse(pins.written) < Date.parse(before.written)) {
    throw cannotTell(
      'pins.older',
      `${quoted(from)} is of ${pins.written}, and the one that is kept of ${before.written}`,
      {
        hint: 'ask for the newest; an old file forgets what was added since',
      },
    );
  }
  await makeFolder(host, dirname(place.file));
  await writeUserFile(host, place.bundle, signature);
  await writeUserFile(host, place.file, content);
  return { ...pins, place, by, ...(before === undefined ? {} : { before: before.written }) };
}

async function fetched(
  host: Host,
  from: string,
  limit: number,
  what: string,
  network: Network | undefined,
): Promise<Uint8Array> {
  if (!/^https?:/i.test(from)) {
    return await readUserFile(host, from, limit, what);
  }
  if (!isServiceUrl(from)) {
    throw askedWrongly('pins.address', `${quoted(from)} is not an address that tcf asks`, {
      hint: 'write https://...',
    });
  }
  const services = await openUserServices(host, network);
  const { body, status } = await services({ method: 'GET', url: new URL(from), what, limit });
  if (status === 200) {
    return body;
  }
  throw cannotTell('pins.unreachable', `cannot get ${what} from ${quoted(from)}: status ${status}`, {
    hint: 'check the address',
  });
}
