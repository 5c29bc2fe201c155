import type { Command } from 'commander';
import type { Updated } from '../../app/trust/instances.ts';
import { updateInstances } from '../../app/trust/update.ts';
import { parseTrustedRoot } from '../../attest/trusted-root.ts';
import { compact } from '../../base/compact.ts';
import { cannotTell, type TcfError } from '../../base/error.ts';
import { plural, printable } from '../../base/text.ts';
import { digestOf } from '../../oci/digest.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { declareTimeout, readNetwork } from '../options/network.ts';
import { declareWhose, readWhose } from '../options/whose.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('[name]', 'an instance (default: every one that is kept)')
      .option('--mirror <url>', 'TUF mirror, in place of the one used last')
      .option('--root <file>', 'root.json to begin with, for an instance that tcf does not know');
    declareWhose(command);
    declareTimeout(command, 'a mirror');
  },
  /** The first error is the answer, whatever became of the other instances. */
  async run(host, [name], options): Promise<ExitCode> {
    const updated = await updateInstances(
      host,
      compact({
        name,
        mirror: textOption(options, 'mirror'),
        root: textOption(options, 'root'),
        whose: readWhose(options),
        network: readNetwork(options),
      }),
    );
    const errors: TcfError[] = [];
    for (const one of updated) {
      if (!('error' in one)) {
        await tell(host, one.name, one);
      } else if (errors.push(one.error) > 1) {
        await host.stderr.write(`tcf: error: ${printable(one.error.message, 2000)}\n`);
      }
    }
    const [first] = errors;
    if (first !== undefined) {
      throw first;
    }
    return 0;
  },
};

async function tell(host: Host, name: string, { before, state, warning }: Updated): Promise<void> {
  if (warning !== undefined) {
    await host.stderr.write(`tcf: warning: ${printable(warning, 2000)}\n`);
  }
  const { root, timestamp, trustedRoot } = state.repository;
  if (trustedRoot === undefined) {
    throw cannotTell('trust.corrupt', `there is no trusted root of ${name}`);
  }
  for (const { path, reason } of parseTrustedRoot(trustedRoot.bytes).skipped) {
    await host.stderr.write(`tcf: warning: ${printable(path)} does not count: ${printable(reason)}\n`);
  }
  const digest = digestOf(trustedRoot.bytes);
  const old = before?.repository.trustedRoot;
  const change = old !== undefined && digestOf(old.bytes) === digest ? 'unchanged' : 'new';
  const configs = Object.keys(trustedRoot.signingConfigs).length;
  const more = configs === 0 ? '' : `; ${plural(configs, 'signing config')}`;
  await host.stdout.write(
    `${name} is up to date: TUF root ${root.version}, timestamp ${timestamp?.version}; trusted root ${digest}, ${change}${more}\n`,
  );
}
