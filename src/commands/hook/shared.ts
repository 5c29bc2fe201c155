import type { Command } from 'commander';
import { hookTargets } from '../../app/hooks/index.ts';
import type { HookAsks, HookPlace } from '../../app/hooks/request.ts';
import type { HookTarget } from '../../app/hooks/target.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly, type TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { isStandard } from '../../system/standard.ts';
import { flag, type Options, textOption } from '../options/bag.ts';
import { readSeconds } from '../options/network.ts';

export const targetNames: string = hookTargets.map(({ name }) => name).join(', ');

export const declarePolicy = (command: Command): Command =>
  command
    .option('--policy <file>', 'a policy that has to allow every image, beside those of machine and user')
    .option('--trusted-root <file>', 'trusted_root.json for policies but that of the machine')
    .option('--allow-http', 'speak plain HTTP to a registry on loopback')
    .option('--timeout <seconds>', 'how long a registry may stay silent (default: 30)')
    .option('--deadline <seconds>', 'when a hook answers at the latest (default: 110, and 8 for containerd)')
    .option(
      '--allow-builds',
      'podman: let RUN steps of podman build and buildah run, which nothing has verified',
    );

export const declarePlace = (command: Command): Command =>
  command
    .option('--hooks-dir <folder>', 'podman: where the hook is, other than the usual place')
    .option('--bin-dir <folder>', 'containerd: the bin_dir of its image verifier, if it is not the usual one')
    .option('--root <folder>', 'docker: the root of the machine, to prepare one that does not run');

/** @throws TcfError `hook.policy` (exit 3): a hook reads its files at each start. */
export function readAsks(options: Options): HookAsks {
  for (const name of ['policy', 'trustedRoot']) {
    if (isStandard(textOption(options, name))) {
      throw askedWrongly(
        'hook.policy',
        'a hook reads its files at each start, and standard input is over then',
        {
          hint: 'name a file',
        },
      );
    }
  }
  return compact({
    policy: textOption(options, 'policy'),
    trustedRoot: textOption(options, 'trustedRoot'),
    allowHttp: flag(options, 'allowHttp'),
    timeout: readSeconds(options, 'timeout'),
    deadline: readSeconds(options, 'deadline'),
    allowBuilds: flag(options, 'allowBuilds'),
  });
}

export function readPlace(options: Options): HookPlace {
  return compact({
    hooksDir: textOption(options, 'hooksDir'),
    binDir: textOption(options, 'binDir'),
    root: textOption(options, 'root'),
  });
}

export function unknownRuntime(name: string): TcfError {
  return askedWrongly('hook.runtime', `tcf hook does not know ${quoted(name)}`, {
    hint: `one of ${targetNames}`,
  });
}

export function targetOf(name: string | undefined): HookTarget {
  const target = hookTargets.find((candidate) => candidate.name === name);
  if (target !== undefined) {
    return target;
  }
  throw unknownRuntime(name ?? '');
}
