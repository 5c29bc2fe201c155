import { execInContainer } from '../app/launch/exec-in-container.ts';
import { execFlags, parseRunArguments } from '../launch/arguments.ts';
import { execHelp } from '../report/start-help.ts';
import type { ExitCode } from '../system/host.ts';
import { textOption } from './options/bag.ts';
import { declareWords, engineName, heard, ownOptions, readStartRequest, runFlags } from './options/start.ts';
import type { Verb } from './verb.ts';

const { 'dry-run': _, ...flags } = runFlags;
const ownFlags = { ...flags, connection: true };

export const verb: Verb = {
  names: 'containers',
  declare: declareWords,
  flags: ownFlags,
  async run(host, args): Promise<ExitCode> {
    const line = parseRunArguments(
      args.filter((word) => word !== undefined),
      ownFlags,
      execFlags,
    );
    if (line.own['help'] !== undefined) {
      await host.stdout.write(execHelp);
      return 0;
    }
    const options = ownOptions(line.own, ownFlags);
    return await execInContainer(heard(host, options), {
      name: line.image ?? '',
      question: (image) => readStartRequest(options, image, 'exec'),
      engine: engineName(options),
      connection: textOption(options, 'connection'),
      engineFlags: line.engineFlags,
      command: line.command,
    });
  },
};
