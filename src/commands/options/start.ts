import type { Command } from 'commander';
import type { StartRequest } from '../../app/launch/start-verified.ts';
import type { VerifyRequest } from '../../app/verify-image.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { OwnFlags, RunArguments } from '../../launch/arguments.ts';
import type { Engine } from '../../launch/engine.ts';
import type { Host } from '../../system/host.ts';
import { quieted } from '../../system/quiet.ts';
import { flag, type Options, textOption } from './bag.ts';
import { readVerifyRequest } from './verify.ts';

/** The question of a verb that starts something: the cache answers unless `--no-cache` stands there. */
export function readStartRequest(options: Options, image: string, verb: string): VerifyRequest {
  const cache = options['noCache'] !== true && options['cache'] !== false;
  return { ...readVerifyRequest(options, image, verb), cache };
}

/** Everything is left to `parseRunArguments`: `tcf run IMAGE python --help` asks python, not us. */
export function declareWords(command: Command): void {
  command.argument('[arguments...]').allowUnknownOption().helpOption(false);
}

/** tcf's own flags of the verbs that start something; `true`: with a value. */
export const runFlags: OwnFlags = {
  policy: true,
  'trusted-root': true,
  platform: true,
  engine: true,
  timeout: true,
  'allow-http': false,
  'dry-run': false,
  'no-cache': false,
  'update-trust': false,
  quiet: false,
  help: false,
};

/**
 * Our flags in the names that the other verbs use for them.
 *
 * @throws TcfError `run.flag` (exit 3) for one that stands twice.
 */
export function ownOptions(own: RunArguments['own'], flags: OwnFlags): Options {
  return Object.fromEntries(
    Object.entries(own).map(([name, values]) => {
      const camel = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (values.length > 1) {
        throw askedWrongly('run.flag', `--${name} stands ${values.length} times`);
      }
      return [camel, flags[name] ? values[0] : true];
    }),
  );
}

/**
 * `--time`: seconds that a container has to end by itself, as podman and docker count them.
 *
 * @throws TcfError `run.time` (exit 3).
 */
export function stopTime(options: Options): number | undefined {
  const time = options['time'];
  if (time === undefined) {
    return undefined;
  }
  if (typeof time === 'string' && /^\d{1,5}$/.test(time)) {
    return Number(time);
  }
  throw askedWrongly('run.time', `${quoted(String(time))} is not a time in whole seconds`);
}

/** `--engine`; `undefined` means podman where it is installed. @throws TcfError `run.engine` (exit 3). */
export function engineName(options: Options): Engine['name'] | undefined {
  const name = options['engine'];
  if (name === undefined || name === 'podman' || name === 'docker') {
    return name;
  }
  throw askedWrongly('run.engine', `tcf run does not know the engine ${quoted(String(name))}`, {
    hint: 'podman or docker',
  });
}

/** The host that a verb which starts something speaks to: `--quiet` as the other verbs have it. */
export function heard(host: Host, options: Options): Host {
  return flag(options, 'quiet') ? quieted(host) : host;
}

/** What the flags of a verb that starts something say, whatever it starts. */
export function readLaunch(options: Options, verb: string): Omit<StartRequest, 'compose'> {
  return {
    question: (image) => readStartRequest(options, image, verb),
    engine: engineName(options),
    // How the engine pulls, in the words of the flags that verified.
    transport: compact({
      plainHttp: flag(options, 'allowHttp'),
      platform: textOption(options, 'platform'),
    }),
    isDry: flag(options, 'dryRun'),
  };
}
