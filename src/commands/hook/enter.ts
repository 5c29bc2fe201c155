import type { Command } from 'commander';
import { callerHost } from '../../app/hooks/caller.ts';
import { enterContainerd, enterPodman } from '../../app/hooks/enter.ts';
import type { ExitCode } from '../../system/host.ts';
import type { Verb } from '../verb.ts';
import { declarePolicy, readAsks, unknownRuntime } from './shared.ts';

export const verb: Verb = {
  declare(command: Command): void {
    declarePolicy(command.argument('<runtime>').argument('[arguments...]', 'what containerd says'));
  },
  async run(host, [name, ...words], options): Promise<ExitCode> {
    const args = words.filter((word) => word !== undefined);
    const asks = readAsks(options);
    if (name === 'podman' && args.length === 0) {
      return await enterPodman(await callerHost(host), asks);
    }
    if (name === 'containerd') {
      return await enterContainerd(host, args, asks);
    }
    throw unknownRuntime([name ?? '', ...args].join(' '));
  },
};
