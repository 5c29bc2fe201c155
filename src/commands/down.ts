import type { Command } from 'commander';
import { containerName, findDevContainer, removeContainer } from '../app/launch/dev-container.ts';
import { withDevLock } from '../app/launch/dev-lock.ts';
import { engineGlobals } from '../launch/dev/compose.ts';
import { findEngine } from '../launch/engine.ts';
import type { ExitCode } from '../system/host.ts';
import { textOption } from './options/bag.ts';
import { engineName } from './options/start.ts';
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
    const globals = engineGlobals(engine.name, textOption(options, 'connection'));
    await withDevLock(host, containerName(name), async () => {
      await findDevContainer(host, engine, globals, name);
      await removeContainer(host, engine, globals, containerName(name), containerName(name));
    });
    await host.stderr.write(`tcf: ${containerName(name)} is gone; mounted folders and caches are not\n`);
    return 0;
  },
};
