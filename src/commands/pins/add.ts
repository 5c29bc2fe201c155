import type { Command } from 'commander';
import { addPins } from '../../app/pins/add.ts';
import { formatJson, printable, quoted } from '../../base/text.ts';
import { formatPin } from '../../report/pin.ts';
import type { ExitCode } from '../../system/host.ts';
import { flag } from '../options/bag.ts';
import { declareTimeout } from '../options/network.ts';
import { declarePinSource, readPinSource } from '../options/pin-source.ts';
import { declareSigningOptions, readSigningRequest } from '../options/signing.ts';
import { declareWhose, readWhose } from '../options/whose.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    declarePinSource(command);
    command.option('--json', 'the rows of the data file, for machines');
    declareWhose(command);
    declareSigningOptions(command);
    declareTimeout(command, 'a service');
  },
  async run(host, [path = ''], options): Promise<ExitCode> {
    const { added, by, known, place } = await addPins(host, {
      source: readPinSource(options, path),
      signing: readSigningRequest(options),
      whose: readWhose(options),
    });
    if (flag(options, 'json')) {
      await host.stdout.write(formatJson([...known, ...added]));
    } else {
      for (const pin of added) {
        await host.stdout.write(`${formatPin(pin)}\n`);
      }
    }
    for (const pin of known) {
      await host.stderr.write(`known already: ${formatPin(pin)}\n`);
    }
    if (by !== undefined) {
      await host.stderr.write(`wrote ${quoted(place.file)} (signed: ${printable(by)})\n`);
    }
    return 0;
  },
};
