import type { Command } from 'commander';
import { containerName, findDevContainer } from '../app/launch/dev-container.ts';
import { connectionGlobals, engineName } from '../app/launch/launching.ts';
import { cannotTell } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { findEngine } from '../launch/engine.ts';
import type { ExitCode } from '../system/host.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<name>', 'what "tcf up" called it')
      .option('--engine <name>', 'podman or docker (default: podman where it is installed)')
      .option('--connection <name>', 'a remote podman connection or docker context');
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const engine = findEngine(host, engineName(options));
    const globals = connectionGlobals(engine, options);
    await findDevContainer(host, engine, globals, name);
    const removed = await host.run(engine.path, [...globals, 'rm', '--force', containerName(name)]);
    if (removed.code !== 0)
      throw cannotTell(
        'engine.remove',
        `${engine.name} did not remove ${containerName(name)}: ${printable(removed.stderr.trim())}`,
      );
    await host.stderr.write(`tcf: ${containerName(name)} is gone; mounted folders and caches are not\n`);
    return 0;
  },
};
