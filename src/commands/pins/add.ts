import type { Command } from 'commander';
import { addPins } from '../../app/pins/add.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { formatJson, printable, quoted } from '../../base/text.ts';
import type { AddedPin } from '../../catalogers/llvm/pins-file.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag, type Options, textOption } from '../options/bag.ts';
import { declareTimeout } from '../options/network.ts';
import { declareSigningOptions, readSigningRequest } from '../options/signing.ts';
import { declareWhose, readWhose } from '../options/whose.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<wheel-or-checkout>', 'a wheel of Triton, or the root of a checkout of its sources')
      .option('--sha256 <hex>', 'the SHA-256 that the wheel has to have, as the index lists it')
      .option('--release <version>', 'the release that the checkout is, where its sources do not tell')
      .option('--distribution <name>', 'the distribution that the checkout makes (default: triton)');
    command.option('--json', 'the rows of the data file, for machines');
    declareWhose(command);
    declareSigningOptions(command);
    declareTimeout(command, 'a service');
  },
  async run(host, [path = ''], options): Promise<ExitCode> {
    const { added, by, known, place } = await addPins(host, {
      source: compact({
        path,
        sha256: readSha256(options),
        release: textOption(options, 'release'),
        distribution: textOption(options, 'distribution'),
      }),
      signing: readSigningRequest(options),
      whose: readWhose(options),
    });
    if (flag(options, 'json')) {
      await host.stdout.write(formatJson([...known, ...added]));
    } else {
      for (const pin of added) {
        await host.stdout.write(`${line(pin)}\n`);
      }
    }
    for (const pin of known) {
      await host.stderr.write(`known already: ${line(pin)}\n`);
    }
    if (by !== undefined) {
      await host.stderr.write(`wrote ${quoted(place.file)} (signed: ${printable(by)})\n`);
    }
    return 0;
  },
};

function readSha256(options: Options): string | undefined {
  const text = textOption(options, 'sha256');
  if (text === undefined || /^[0-9a-f]{64}$/i.test(text)) {
    return text;
  }
  throw askedWrongly('pins.hash', `cannot read ${quoted(text)} as a SHA-256`, {
    hint: 'write its 64 hexadecimal digits',
  });
}

function line({
  distribution,
  llvm_commit,
  llvm_repository,
  llvm_version,
  role,
  triton_version,
}: AddedPin): string {
  const where = llvm_repository === undefined ? 'of an unknown repository' : `of ${llvm_repository}`;
  const version = llvm_version === undefined ? '' : ` (${llvm_version})`;
  return printable(`${distribution} ${triton_version} ${role}: ${llvm_commit} ${where}${version}`, 400);
}
