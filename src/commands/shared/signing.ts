import type { Command } from 'commander';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { openPrivateKey } from '../../sigstore/keys.ts';
import { keySigner, type Signer } from '../../sigstore/signer.ts';
import type { Witness } from '../../sigstore/witness.ts';
import type { Host } from '../host.ts';
import { type Options, textOption } from '../verb.ts';
import { readUserFile } from './files.ts';
import { password } from './password.ts';
import { maxKey } from './trust.ts';

export interface Signing {
  readonly signer: Signer;
  readonly witnesses: readonly Witness[];
}

export function declareSigningOptions(command: Command): void {
  command.option(
    '--key <file>',
    'private key of tcf keygen, cosign or openssl; its password is COSIGN_PASSWORD',
  );
}

export async function openSigning(host: Host, options: Options): Promise<Signing> {
  const file = textOption(options, 'key');
  if (file === undefined) throw askedWrongly('sign.who', 'say who signs', { hint: 'give --key FILE' });
  const pem = decodeUtf8(await readUserFile(host, file, maxKey, 'the key'));
  if (pem === undefined) throw askedWrongly('key.malformed', `${quoted(file)} is not a PEM file`);
  const key = await openPrivateKey(pem, () => password(host, file), quoted(file));
  return { signer: keySigner(key), witnesses: [] };
}
