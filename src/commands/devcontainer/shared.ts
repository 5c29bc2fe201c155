import type { Command } from 'commander';
import { refuseFileName } from '../../app/file-names.ts';
import type { CheckOptions } from '../../app/launch/devcontainer-file.ts';
import { pinAllowed, replaceDevContainer } from '../../app/launch/pin-dev-container.ts';
import { readNamedImage } from '../../app/local-image.ts';
import { compact } from '../../base/compact.ts';
import type { ImageRef } from '../../oci/reference.ts';
import { formatDiagnostics, formatWarnings } from '../../report/diagnostics.ts';
import { formatVerdict } from '../../report/text.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { flag, type Options, textOption } from '../options/bag.ts';
import { readVerifyRequest } from '../options/verify.ts';
import type { Verb } from '../verb.ts';

/** `--file`, for actions on the file that is there. */
export const declareFile = (command: Command): Command =>
  command.option('--file <path>', 'devcontainer.json, where there are several');

/**
 * A verb that the devcontainer CLI may call: it takes 130 for "the user wants to go on", and starts the
 * container.
 */
export function calledByOthers({ run, ...verb }: Verb): Verb {
  return {
    ...verb,
    run: (host, args, options) => {
      host.onInterrupt(2);
      return run(host, args, options);
    },
  };
}

/**
 * The image that a user names for a file; `containers-storage:localhost/NAME` is one that was built here.
 * @throws TcfError `image.is-file`, `reference.malformed` (exit 3).
 */
export function readNewImage(host: Host, name: string): ImageRef {
  refuseFileName(host, name);
  return readNamedImage(name);
}

/** With which options the script beside the file asks. */
export const readCheckOptions = (options: Options): CheckOptions =>
  compact({
    policy: textOption(options, 'policy'),
    trustedRoot: textOption(options, 'trustedRoot'),
    platform: textOption(options, 'platform'),
    allowHttp: flag(options, 'allowHttp'),
  });

/** Writes the new text, and tells what speaks against it. */
export async function replaceText(
  host: Host,
  file: string,
  text: string,
  pinned: string,
  options: Options,
): Promise<ExitCode> {
  const { faults, isWritten, warnings } = await replaceDevContainer(
    host,
    file,
    text,
    readCheckOptions(options),
  );
  await host.stderr.write(formatDiagnostics(faults));
  await host.stderr.write(isWritten ? formatWarnings(warnings) : 'tcf: nothing was changed\n');
  await host.stdout.write(isWritten ? `${pinned}\n` : '');
  return isWritten ? 0 : 1;
}

/** The image with its digest where the policies allow it; nothing where they do not, which is told. */
export async function resolveAllowed(
  host: Host,
  ref: ImageRef,
  options: Options,
): Promise<string | undefined> {
  const answer = await pinAllowed(host, ref, readVerifyRequest(options, '', 'devcontainer'));
  if ('pinned' in answer) {
    return answer.pinned;
  }
  await host.stderr.write(`${formatVerdict(answer.verdict)}tcf: nothing was changed\n`);
  return undefined;
}
