import type { Command } from 'commander';
import { containerName, findDevContainer, removeContainer } from '../app/launch/dev-container.ts';
import { withDevLock } from '../app/launch/dev-lock.ts';
import { compact } from '../base/compact.ts';
import { engineGlobals } from '../launch/dev/compose.ts';
import { findEngine } from '../launch/engine.ts';
import type { ExitCode } from '../system/host.ts';
import { textOption } from './options/bag.ts';
import { engineName, stopTime } from './options/start.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'containers',
  declare(command: Command): void {
    command
      .argument('<name>', 'what "tcf up" called it')
      .option('--engine <podman|docker>', 'default: podman where it is installed')
      .option('--connection <name>', 'a remote podman connection or docker context')
      .option('--time <seconds>', 'how long its command has to end by itself (default: 10, or its own)');
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const engine = findEngine(host, engineName(options));
    const globals = engineGlobals(engine.name, textOption(options, 'connection'));
    const seconds = stopTime(options);
    await withDevLock(host, containerName(name), async () => {
      const container = await findDevContainer(host, engine, globals, name);
      await removeContainer(host, engine, globals, container, compact({ name, seconds }));
    });
    await host.stderr.write(`tcf: ${containerName(name)} is gone; mounted folders and caches are not\n`);
    return 0;
  },
};
