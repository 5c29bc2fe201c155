import type { Command } from 'commander';
import { hookTargets } from '../../app/hooks/index.ts';
import type { StatusRequest } from '../../app/hooks/request.ts';
import { type HookTarget, isProven } from '../../app/hooks/target.ts';
import { compact } from '../../base/compact.ts';
import { hasErrors } from '../../base/diagnostic.ts';
import { formatChecked } from '../../report/diagnostics.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { flag, textOption } from '../options/bag.ts';
import type { Verb } from '../verb.ts';
import { declarePlace, readPlace, targetNames, targetOf } from './shared.ts';

export const verb: Verb = {
  declare(command: Command): void {
    declarePlace(command.argument('[runtime]', `${targetNames}; without it, all that are installed`))
      .option('--image <image>', 'an image that the policy allows (default: what was allowed last)')
      .option('--address <socket>', 'containerd: its socket')
      .option('--allow-http', 'containerd: pull that image by plain HTTP');
  },
  async run(host, [name], options): Promise<ExitCode> {
    const request = compact({
      ...readPlace(options),
      image: textOption(options, 'image'),
      address: textOption(options, 'address'),
      allowHttp: flag(options, 'allowHttp'),
    });
    return name === undefined
      ? await statusOfAll(host, request)
      : await status(host, targetOf(name), request);
  },
};

/** 0: proven by the runtime, from both sides; 1: it does not hold; 2: not proven. */
async function status(host: Host, target: HookTarget, request: StatusRequest): Promise<ExitCode> {
  const findings = await target.status(host, request);
  await host.stdout.write(formatChecked(findings.map((found) => ({ ...found, subject: target.name }))));
  if (hasErrors(findings)) {
    return 1;
  }
  return findings.every(isProven) ? 0 : 2;
}

async function statusOfAll(host: Host, request: StatusRequest): Promise<ExitCode> {
  const exits: ExitCode[] = [];
  for (const target of hookTargets) {
    if (await target.isInstalled(host, request)) {
      exits.push(await status(host, target, request));
    }
  }
  if (exits.length === 0) {
    await host.stdout.write('no hook of tcf is installed here\n    hint: tcf hook install RUNTIME\n');
    return 1;
  }
  return exits.includes(1) ? 1 : Math.max(...exits);
}
