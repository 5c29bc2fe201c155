import { dirname } from 'node:path';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { builtInPins } from '../../catalogers/llvm/pins.ts';
import { type AddedPin, formatPinsFile, keyOf } from '../../catalogers/llvm/pins-file.ts';
import { signArtifact } from '../../sigstore/sign.ts';
import { fileExists, makeFolder, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { checkOwnBundle, openSigning, type Signing, type SigningRequest } from '../sign/signing.ts';
import type { Whose } from '../trust/instances.ts';
import { type PinsPlace, pinsPlace } from './place.ts';
import { type PinSource, readPinsFrom } from './read.ts';
import { readPins, signerOf } from './store.ts';

export interface AddPinsRequest {
  readonly source: PinSource;
  readonly signing: SigningRequest;
  /** Default: the user's pins. */
  readonly whose?: Whose;
}

export interface AddedPins {
  readonly place: PinsPlace;
  readonly added: readonly AddedPin[];
  /** Rows that stood there, or that tcf brings along, and say the same. */
  readonly known: readonly AddedPin[];
  /** Who signed, as `signerOf` names it. */
  readonly by?: string;
}

/**
 * Reads the pins of a release and writes them, signed, beside the built-in table. The first key that signs
 * here counts from then on; any other signer has to be named by a policy. What contradicts a known pin is not
 * added.
 *
 * @throws TcfError `pins.conflict` (exit 2), `pins.untrusted` (exit 2), and as reading and signing do.
 */
export async function addPins(
  host: Host,
  { source, signing: request, whose = 'user' }: AddPinsRequest,
): Promise<AddedPins> {
  const place = pinsPlace(host, whose);
  const before = (await readPins(host, whose))?.pins ?? [];
  const read = await readPinsFrom(host, source);
  for (const pin of read) {
    refuseConflict(pin, before);
  }
  const known = read.filter((pin) => isKnown(pin, before));
  const added = read.filter((pin) => !known.includes(pin));
  if (added.length === 0) {
    return { place, added, known };
  }
  const signing = await openSigning(host, request, 'checked');
  const written = host.now().toISOString();
  const content = Buffer.from(formatPinsFile({ written, pins: [...before, ...added] }));
  const bundle = await signArtifact(content, signing.signer, signing.witnesses);
  checkOwnBundle(bundle, signing, { artifact: content }, host.now(), 'written');
  await makeFolder(host, dirname(place.file));
  await trustFirstKey(host, place, signing);
  const by = await signerOf(host, place, content, bundle);
  await writeUserFile(host, place.bundle, bundle);
  await writeUserFile(host, place.file, content);
  return { place, added, known, by };
}

function refuseConflict(pin: AddedPin, before: readonly AddedPin[]): void {
  const { distribution, llvm_commit: commit, role, triton_version: version } = pin;
  const builtIn = builtInPins.pinOf(distribution, version, role)?.commit;
  const other = before.find((each) => keyOf(each) === keyOf(pin))?.llvm_commit ?? builtIn;
  if (other === undefined || commit.startsWith(other)) {
    return;
  }
  throw cannotTell(
    'pins.conflict',
    `${quoted(pin.source)} says that ${distribution} ${version} pins ${commit}, and ${other} is known (${role})`,
    { hint: 'one of the two is another build: compare the SHA-256 with the one that the index lists' },
  );
}

function isKnown(pin: AddedPin, before: readonly AddedPin[]): boolean {
  const { distribution, llvm_commit: commit, role, triton_version: version } = pin;
  return (
    before.some((each) => keyOf(each) === keyOf(pin)) ||
    builtInPins.pinOf(distribution, version, role)?.commit === commit
  );
}

/**
 * Where nobody was named yet: the key of whoever makes the file. An identity has to be named in a policy,
 * which says at which issuer.
 */
async function trustFirstKey(host: Host, place: PinsPlace, { trust }: Signing): Promise<void> {
  const [own] = trust?.keys ?? [];
  if (own === undefined || fileExists(host, place.key) || fileExists(host, place.file)) {
    return;
  }
  const pem = own.key.export({ type: 'spki', format: 'pem' });
  if (typeof pem !== 'string') {
    throw askedWrongly('key.malformed', 'the public key of the signer has no PEM form');
  }
  await writeUserFile(host, place.key, pem, { exclusive: true });
}
