import type { Command } from 'commander';
import type { AddPinsRequest } from '../../app/pins/add.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Options, textOption } from './bag.ts';

/** What pins are read from: a wheel or a checkout. */
export function declarePinSource(command: Command): void {
  command
    .argument('<wheel-or-checkout>', 'a wheel of Triton, or the root of a checkout of its sources')
    .option('--sha256 <hex>', 'the SHA-256 that the wheel has to have, as the index lists it')
    .option('--release <version>', 'the release that the checkout is, where its sources do not tell')
    .option('--distribution <name>', 'the distribution that the checkout makes (default: triton)');
}

/** @throws TcfError `pins.hash` (exit 3). */
export function readPinSource(options: Options, path: string): AddPinsRequest['source'] {
  return compact({
    path,
    sha256: readSha256(options),
    release: textOption(options, 'release'),
    distribution: textOption(options, 'distribution'),
  });
}

function readSha256(options: Options): string | undefined {
  const text = textOption(options, 'sha256');
  if (text === undefined || /^[0-9a-f]{64}$/i.test(text)) {
    return text;
  }
  throw askedWrongly('pins.hash', `cannot read ${quoted(text)} as a SHA-256`, {
    hint: 'write its 64 hexadecimal digits',
  });
}
