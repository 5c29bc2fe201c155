import type { Command } from 'commander';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { Platform } from '../../oci/manifest.ts';
import { type Options, textOption } from './bag.ts';

export function declarePlatform(
  command: Command,
  use = 'which image of an index (default: the one of this host)',
): void {
  command.option('--platform <os/arch>', use);
}

/** `--platform`; `undefined` where nothing was said. @throws TcfError `cli.platform` (exit 3). */
export function readPlatform(options: Options): Platform | undefined {
  const text = textOption(options, 'platform');
  return text === undefined ? undefined : parsePlatform(text);
}

/** `linux/arm64/v8`. @throws TcfError `cli.platform` (exit 3). */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, more] = text.split('/');
  if (!os || !architecture || more !== undefined || !/^[a-z0-9/_.-]+$/.test(text)) {
    throw askedWrongly('cli.platform', `cannot read ${quoted(text)} as a platform`, {
      hint: 'write os/architecture, such as linux/arm64',
    });
  }
  return compact({ os, architecture, variant });
}
