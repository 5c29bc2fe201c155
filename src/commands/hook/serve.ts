import type { Command } from 'commander';
import { pluginSocket } from '../../app/hooks/docker.ts';
import { askedByHook } from '../../app/hooks/enter.ts';
import { verifyImage } from '../../app/verify-image.ts';
import { TcfError } from '../../base/error.ts';
import { type AuthzServer, serveAuthz } from '../../launch/authz-server.ts';
import { formatImageRef } from '../../oci/reference.ts';
import { formatVerdict } from '../../report/text.ts';
import type { ExitCode } from '../../system/host.ts';
import { textOption } from '../options/bag.ts';
import { parsePlatform } from '../options/platform.ts';
import type { Verb } from '../verb.ts';
import { declarePolicy, readAsks, unknownRuntime } from './shared.ts';

export const verb: Verb = {
  declare(command: Command): void {
    declarePolicy(command.argument('<runtime>'))
      .option('--socket <path>', 'where the plugin listens')
      .option('--daemon <path>', 'the socket of the daemon');
  },
  async run(host, [name], options): Promise<ExitCode> {
    if (name !== 'docker') {
      throw unknownRuntime(name ?? '');
    }
    const asks = readAsks(options);
    const socket = textOption(options, 'socket') ?? pluginSocket;
    const daemon = textOption(options, 'daemon') ?? '/var/run/docker.sock';
    await using server: AuthzServer = await serveAuthz(socket, daemon, async (ref, platform) => {
      try {
        const { imageIds, verdict } = await verifyImage(host, {
          ...askedByHook(asks, 'hook docker')(formatImageRef(ref)),
          ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        });
        return verdict.verdict === 'allow' ? { imageIds } : { reason: formatVerdict(verdict) };
      } catch (error) {
        if (error instanceof TcfError) {
          return { reason: error.message };
        }
        throw error;
      }
    });
    await host.stderr.write(`tcf: asked by Docker on ${server.socket}\n`);
    await host.stopped();
    return 0;
  },
};
