import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { expectNewDevContainer, writeDevContainer } from '../../app/launch/devcontainer-file.ts';
import { readSelinux } from '../../app/launch/machine.ts';
import { compact } from '../../base/compact.ts';
import { deviceFlags } from '../../launch/dev/devices.ts';
import { type Device, readDevice } from '../../launch/dev/options.ts';
import { newDevContainer } from '../../launch/devcontainer/edit.ts';
import { formatWarnings } from '../../report/diagnostics.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { declareVerifyOptions } from '../options/verify.ts';
import type { Verb } from '../verb.ts';
import { calledByOthers, declareFile, readCheckOptions, readNewImage, resolveAllowed } from './shared.ts';

function gpuFlags(device: Device): readonly string[] {
  const { access, anyMachine } = deviceFlags[device];
  return [...anyMachine, ...access];
}

export const verb: Verb = calledByOthers({
  names: 'signed-images',
  declare(command: Command): void {
    declareFile(command.argument('<image>', 'registry/repository:tag'))
      .option('--device <base|cpu|cuda|rocm>', 'for which hardware', 'base')
      .option('--user <name>', 'the user inside, with the ids of the caller (default: that of the image)');
    declareVerifyOptions(command);
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const file = relative(
      host.cwd,
      resolve(host.cwd, textOption(options, 'file') ?? '.devcontainer/devcontainer.json'),
    );
    const user = textOption(options, 'user');
    const choices = compact({
      runArgs: gpuFlags(readDevice(textOption(options, 'device') ?? 'base')),
      relabel: await readSelinux(host),
      user,
    });
    await expectNewDevContainer(host, file);
    const pinned = await resolveAllowed(host, readNewImage(host, name), options);
    if (pinned === undefined) {
      return 1;
    }
    const text = newDevContainer(pinned, choices, file);
    const warnings = await writeDevContainer(host, file, text, readCheckOptions(options), true);
    await host.stderr.write(formatWarnings(warnings));
    await host.stdout.write(`${pinned}\n`);
    return 0;
  },
});
