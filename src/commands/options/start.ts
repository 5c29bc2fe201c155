import type { Command } from 'commander';
import type { VerifyRequest } from '../../app/verify-image.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { OwnFlags, RunArguments } from '../../launch/arguments.ts';
import { engineGlobals } from '../../launch/dev/compose.ts';
import type { Engine, Launch } from '../../launch/engine.ts';
import type { Options } from './bag.ts';
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

/** `--connection`, as the engine spells it. */
export function connectionGlobals(engine: Engine, options: Options): readonly string[] {
  const connection = options['connection'];
  return typeof connection === 'string' ? engineGlobals(engine.name, connection) : [];
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

/** How the engine pulls, in the words of the flags that verified. */
export function transport(options: Options): Pick<Launch, 'plainHttp' | 'platform'> {
  const platform = options['platform'];
  return {
    plainHttp: options['allowHttp'] === true,
    ...(typeof platform === 'string' ? { platform } : {}),
  };
}
