import { builtProfile } from '../../app/built-images.ts';
import { loadProfiles, readDevLine } from '../../app/launch/dev.ts';
import type { OwnFlags } from '../../launch/arguments.ts';
import { parseRunArguments, type RunArguments } from '../../launch/arguments.ts';
import type { DevOptions } from '../../launch/dev/options.ts';
import type { Host } from '../../system/host.ts';
import type { Options } from './bag.ts';
import { ownOptions } from './start.ts';

/** The words behind `tcf run` or `tcf up`: an image, a profile, or the wish to read about one of them. */
export type StartLine =
  | { readonly kind: 'help'; readonly about: 'profile' | 'verb' }
  | { readonly kind: 'image'; readonly line: RunArguments }
  | {
      readonly kind: 'profile';
      readonly name: string;
      /** tcf's own flags, wherever they stood. */
      readonly options: Options;
      readonly wanted: DevOptions;
    };

/**
 * Reads the words of a verb that starts something.
 *
 * @throws TcfError `run.*`, `profile.*` (exit 3).
 */
export async function readStartLine(
  host: Host,
  args: readonly (string | undefined)[],
  flags: OwnFlags,
): Promise<StartLine> {
  const line = parseRunArguments(
    args.filter((word) => word !== undefined),
    flags,
  );
  if (line.own['help'] !== undefined) {
    return { kind: 'help', about: 'verb' };
  }
  const name = line.image ?? '';
  const profile = (await loadProfiles(host)).get(name) ?? (await builtProfile(host, name));
  if (profile === undefined) {
    return { kind: 'image', line };
  }
  const { help, options: wanted, own } = readDevLine(line, profile, flags);
  return help
    ? { kind: 'help', about: 'profile' }
    : { kind: 'profile', name, options: ownOptions(own, flags), wanted };
}
