import { encodeUtf8 } from '../base/bytes.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import type { RunProgram } from '../system/program.ts';
import type { Credential } from './authorize.ts';

/** Runs a program without a shell: its exit code and what it wrote. */
export type RunHelper = (
  file: string,
  args: readonly string[],
  input: string,
) => Promise<{ readonly code: number; readonly stdout: string }>;

/** A helper may ask the user to unlock a key ring; longer than that it is stuck. */
const helperTimeout = 60_000;
const maxHelperOutput = 256 * 1024;

/**
 * @throws TcfError `credentials.helper` (exit 2) for one that cannot be started, takes too long or says too
 * much.
 */
export function helperRunner(program: RunProgram): RunHelper {
  return async (file, args, input) => {
    try {
      const ran = await program(file, args, encodeUtf8(input), {
        timeout: helperTimeout,
        output: maxHelperOutput,
      });
      return { code: ran.code, stdout: Buffer.from(ran.stdout).toString('utf8') };
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
      throw cannotTell('credentials.helper', error.message, {
        hint: 'install the credential helper, or remove it from the credentials file',
        cause: error,
      });
    }
  };
}

/**
 * Asks `docker-credential-NAME get`. `undefined`: the helper knows nobody for this server.
 *
 * @throws TcfError `credentials.helper` when it fails in another way.
 */
export async function askHelper(
  run: RunHelper,
  name: string,
  server: string,
): Promise<Credential | undefined> {
  // The name becomes a program; a slash would choose any file.
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    throw cannotTell('credentials.helper', `${quoted(name)} cannot be the name of a credential helper`);
  }
  const file = `docker-credential-${name}`;
  const { code, stdout } = await run(file, ['get'], server);
  if (code !== 0) {
    // docker-credential-helpers says so on stdout; it is the only failure that means "none".
    if (/credentials not found/i.test(stdout)) {
      return undefined;
    }
    // An object may be the credentials that it printed before it failed.
    const said = stdout.includes('{') ? '' : `: ${quoted(stdout.trim())}`;
    throw cannotTell('credentials.helper', `${file} failed with ${code}${said}`, {
      hint: `try it by hand: echo ${server} | ${file} get`,
    });
  }
  const shape = new Shape(parseJson(stdout, `the answer of ${file}`), file);
  const username = shape.get('Username').string();
  const secret = shape.get('Secret').string();
  if (secret === '') {
    return undefined;
  }
  return username === '<token>'
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret };
}
