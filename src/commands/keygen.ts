import type { Command } from 'commander';
import { generateKeyPair } from '../sigstore/keys.ts';
import { writeUserFile } from '../system/files.ts';
import type { ExitCode } from '../system/host.ts';
import { newPassword } from '../system/password.ts';
import { textOption } from './options/bag.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .option('--output-key-prefix <name>', 'write NAME.key and NAME.pub', 'cosign')
      .addHelpText(
        'after',
        '\nThe password comes from COSIGN_PASSWORD or from the terminal. Existing files are never replaced.',
      );
  },
  async run(host, _args, options): Promise<ExitCode> {
    const prefix = textOption(options, 'outputKeyPrefix') ?? 'cosign';
    const { privatePem, publicPem } = await generateKeyPair(await newPassword(host));
    await writeUserFile(host, `${prefix}.key`, privatePem, { mode: 0o600, exclusive: true });
    await writeUserFile(host, `${prefix}.pub`, publicPem, { exclusive: true });
    await host.stdout.write(`wrote ${prefix}.key (private, encrypted) and ${prefix}.pub\n`);
    return 0;
  },
};
