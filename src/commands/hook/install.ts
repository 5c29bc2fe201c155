import type { Command } from 'commander';
import { installHook } from '../../app/hooks/install.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';
import { declarePlace, declarePolicy, readAsks, readPlace, targetNames, targetOf } from './shared.ts';

export const verb: Verb = {
  declare(command: Command): void {
    declarePlace(declarePolicy(command.argument('<runtime>', targetNames)));
  },
  async run(host, [name], options): Promise<ExitCode> {
    const target = targetOf(name);
    const request = { ...readAsks(options), ...readPlace(options) };
    const lines = await installHook(host, target, request);
    await host.stdout.write(
      [
        ...lines,
        ...target.gaps.map(({ text }) => `not covered: ${text}`),
        `tcf hook status ${target.name} proves that it works`,
        '',
      ].join('\n'),
    );
    return 0;
  },
};
