import type { Command } from 'commander';
import { updatePins } from '../../app/pins/update.ts';
import { compact } from '../../base/compact.ts';
import { plural, printable, quoted } from '../../base/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { declareTimeout, readNetwork } from '../options/network.ts';
import { declareWhose, readWhose } from '../options/whose.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<file-or-url>', 'pins.json with a trusted signature')
      .option('--bundle <file-or-url>', 'its signature (default: the same with .sigstore.json)');
    declareWhose(command);
    declareTimeout(command, 'the other side');
  },
  async run(host, [from = ''], options): Promise<ExitCode> {
    const { before, by, pins, place, written } = await updatePins(
      host,
      compact({
        from,
        bundle: textOption(options, 'bundle'),
        whose: readWhose(options),
        network: readNetwork(options),
      }),
    );
    const was = before === undefined ? '' : `, before of ${printable(before)}`;
    await host.stdout.write(
      `${quoted(place.file)} has ${plural(pins.length, 'pin')} of ${printable(written)}${was} (signed: ${printable(by)})\n`,
    );
    return 0;
  },
};
