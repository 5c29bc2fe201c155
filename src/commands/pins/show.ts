import type { Command } from 'commander';
import { type ShownPin, showPins } from '../../app/pins/show.ts';
import { formatJson, printable } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag } from '../options/bag.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('[version]', 'a version of Triton').option('--json', 'for machines');
  },
  /** 1 where nothing is known of the version that was asked for. */
  async run(host, [version], options): Promise<ExitCode> {
    const pins = await showPins(host, version);
    await host.stdout.write(flag(options, 'json') ? formatJson(pins) : pins.map(line).join(''));
    if (pins.length > 0) {
      return 0;
    }
    await host.stderr.write(
      `tcf: the LLVM that Triton ${printable(version ?? '')} pins is not known\ntcf: hint: tcf pins add WHEEL reads it from the wheel\n`,
    );
    return 1;
  },
};

function line({ by, from, pin }: ShownPin): string {
  const words = [
    pin.distribution ?? '',
    pin.triton_version ?? '',
    pin.role ?? 'core',
    pin.llvm_commit ?? '',
    pin.llvm_repository ?? 'repository unknown',
    pin.llvm_version ?? 'version unknown',
    `(${from}${by === undefined ? '' : `, signed by ${by}`})`,
  ];
  return `${words.map((word) => printable(word)).join(' ')}\n`;
}
