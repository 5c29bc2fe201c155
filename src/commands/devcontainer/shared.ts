import type { Command } from 'commander';
import { refuseFileName } from '../../app/file-names.ts';
import { type CheckOptions, writeDevContainer } from '../../app/launch/devcontainer-file.ts';
import { nameToAsk, readNamedImage } from '../../app/local-image.ts';
import { verifyImage } from '../../app/verify-image.ts';
import { compact } from '../../base/compact.ts';
import { parseDevContainer } from '../../launch/devcontainer/document.ts';
import { faultsOf } from '../../launch/devcontainer/faults.ts';
import { formatImageRef, type ImageRef } from '../../oci/reference.ts';
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

/** Writes the new text if nothing but words of the user speaks against it. */
export async function replaceText(
  host: Host,
  file: string,
  text: string,
  pinned: string,
  options: Options,
): Promise<ExitCode> {
  const left = faultsOf(parseDevContainer(text, file), file);
  await host.stderr.write(formatDiagnostics(left));
  // What the user may allow is left in: the file says what it wants, and check asks the user.
  if (left.some(({ word }) => word === undefined)) {
    await host.stderr.write('tcf: nothing was changed\n');
    return 1;
  }
  const warnings = await writeDevContainer(host, file, text, readCheckOptions(options));
  await host.stderr.write(formatWarnings(warnings));
  await host.stdout.write(`${pinned}\n`);
  return 0;
}

/**
 * `registry/repository[:tag]@digest` of an image that the policies allow; what they say otherwise is told.
 */
export async function resolveAllowed(
  host: Host,
  ref: ImageRef,
  options: Options,
): Promise<string | undefined> {
  // A digest that was pinned before is replaced by where its tag leads now.
  const wanted =
    ref.tag === undefined ? ref : { registry: ref.registry, repository: ref.repository, tag: ref.tag };
  const { verdict } = await verifyImage(host, readVerifyRequest(options, nameToAsk(wanted), 'devcontainer'));
  if (verdict.verdict === 'allow') {
    return formatImageRef({ ...wanted, digest: verdict.image.digest });
  }
  await host.stderr.write(formatVerdict(verdict));
  await host.stderr.write('tcf: nothing was changed\n');
  return undefined;
}
