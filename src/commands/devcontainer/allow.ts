import type { Command } from 'commander';
import { allowWords } from '../../app/launch/allowed-words.ts';
import { askedWrongly } from '../../base/error.ts';
import { printable, quoted } from '../../base/text.ts';
import { parseRunArguments } from '../../launch/arguments.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';
import { calledByOthers } from './shared.ts';

export const verb: Verb = calledByOthers({
  declare(command: Command): void {
    command.argument('<word...>', 'such as --privileged');
  },
  async run(host, args): Promise<ExitCode> {
    const words = args.filter((word) => word !== undefined);
    // One that nobody may say is refused here, and one that is no flag at all.
    const { image, judged } = parseRunArguments([...words, 'the-image'], {});
    if (image !== 'the-image' || judged.length !== words.length) {
      throw askedWrongly('devcontainer.allow', `cannot read ${quoted(words.join(' '))} as flags`, {
        hint: 'each is one word with "=", as "tcf devcontainer check" prints it',
      });
    }
    const now = await allowWords(
      host,
      judged.map(({ word }) => word),
    );
    await host.stderr.write(
      `tcf: the project in ${printable(host.cwd)} may say ${now.map(quoted).join(', ')}\n`,
    );
    return 0;
  },
});
