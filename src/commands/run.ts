import { composeForHost } from '../app/launch/dev.ts';
import { startVerified } from '../app/launch/start-verified.ts';
import { profileHelp, runHelp } from '../report/start-help.ts';
import type { ExitCode } from '../system/host.ts';
import { flag } from './options/bag.ts';
import { declareWords, heard, ownOptions, readLaunch, runFlags } from './options/start.ts';
import { readStartLine } from './options/start-line.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'signed-images',
  declare: declareWords,
  flags: runFlags,
  async run(host, args): Promise<ExitCode> {
    const typed = await readStartLine(host, args, runFlags);
    if (typed.kind === 'help') {
      await host.stdout.write(typed.about === 'verb' ? runHelp : profileHelp);
      return 0;
    }
    if (typed.kind === 'profile') {
      const { options, wanted } = typed;
      return await startVerified(heard(host, options), {
        ...readLaunch(options, 'run'),
        compose: (engine) => composeForHost(host, engine, wanted),
        isVerbose: wanted.verbose === true,
      });
    }
    const { command, engineFlags, image = '', own } = typed.line;
    const options = ownOptions(own, runFlags);
    // The engine is as quiet as tcf: podman and docker know the flag as well.
    const flags = [...(flag(options, 'quiet') ? ['--quiet'] : []), ...engineFlags];
    return await startVerified(heard(host, options), {
      ...readLaunch(options, 'run'),
      compose: () => Promise.resolve({ image, engineFlags: flags, command }),
    });
  },
};
