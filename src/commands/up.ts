import { ownImages } from '../app/built-images.ts';
import { notStarted } from '../app/launch/launching.ts';
import { startDevContainer } from '../app/launch/start-dev-container.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { shellLine } from '../launch/shell.ts';
import { upHelp } from '../report/start-help.ts';
import type { ExitCode } from '../system/host.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { declareWords, heard, readLaunch, runFlags, stopTime } from './options/start.ts';
import { readStartLine } from './options/start-line.ts';
import type { Verb } from './verb.ts';

const ownFlags = { ...runFlags, name: true, recreate: false, time: true } as const;

export const verb: Verb = {
  names: 'profiles',
  declare: declareWords,
  flags: ownFlags,
  async run(host, args): Promise<ExitCode> {
    const typed = await readStartLine(host, args, ownFlags);
    if (typed.kind === 'help') {
      await host.stdout.write(upHelp);
      return 0;
    }
    if (typed.kind === 'image') {
      throw noProfile(typed.line.image ?? '');
    }
    const { options, wanted } = typed;
    const name = textOption(options, 'name') ?? typed.name;
    const told = heard(host, options);
    const started = await startDevContainer(told, {
      ...readLaunch(options, 'up'),
      name,
      wanted,
      isRecreated: flag(options, 'recreate'),
      ...compact({ stopTime: stopTime(options) }),
    });
    if (started.kind === 'running') {
      const enter = shellLine('tcf', ['exec', ...flagsOfExec(options), name]);
      await told.stderr.write(
        `tcf: ${started.container} is running; ${enter} goes in, tcf down ${name} ends it\n`,
      );
    }
    return started.kind === 'denied' ? notStarted : 0;
  },
};

function noProfile(name: string): TcfError {
  if (Object.hasOwn(ownImages, name)) {
    return askedWrongly(
      'dev.unbuilt',
      `there is no profile ${quoted(name)}, and that image was not built here`,
      {
        hint: `tcf build ${name} --key FILE (tcf keygen makes one), or name the image that your team built: tcf up dev --image IMAGE`,
      },
    );
  }
  return askedWrongly('dev.profile', `there is no profile ${quoted(name)}`, {
    hint: 'dev, triton, torch, helion, vllm, an image that tcf build made here, or one of ~/.config/tcf/profiles.yaml; for a bare image: tcf up dev --image IMAGE',
  });
}

/** exec asks the same policies only if it is told of them. */
function flagsOfExec(options: Options): readonly string[] {
  const policy = textOption(options, 'policy');
  const trustedRoot = textOption(options, 'trustedRoot');
  return [
    ...(policy === undefined ? [] : ['--policy', policy]),
    ...(trustedRoot === undefined ? [] : ['--trusted-root', trustedRoot]),
    ...(flag(options, 'allowHttp') ? ['--allow-http'] : []),
  ];
}
