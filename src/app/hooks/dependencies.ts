import { broken, type Diagnostic, ok } from '../../base/diagnostic.ts';
import { TcfError } from '../../base/error.ts';
import { readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { whoElseWrites } from '../../system/owners.ts';
import { loadPolicies } from '../trust/policies.ts';
import { maxTrustedRoot } from '../trust/trust.ts';
import { filesOfPolicy } from './policy-files.ts';
import { whoElseWritesProgram } from './program.ts';

/**
 * What an installed hook decides by: its program, its policies with their keys, its trusted root. `words`:
 * its command line.
 */
export async function dependencyFindings(
  host: Host,
  words: readonly string[],
  hint: string,
): Promise<readonly Diagnostic[]> {
  const owner = host.uid === 0 ? 0 : host.uid;
  const program = words.slice(0, words.indexOf('hook'));
  const foreign = whoElseWritesProgram(program, owner);
  if (foreign !== undefined) {
    return [
      broken(
        'hook.program',
        `its program is not ${host.uid === 0 ? "root's" : 'yours'} alone: ${foreign}`,
        hint,
      ),
    ];
  }
  try {
    const policies = await loadPolicies(
      { ...host, cwd: '/', env: withoutPolicy(host.env) },
      valueAfter(words, '--policy'),
    );
    const root = valueAfter(words, '--trusted-root');
    const files = [
      ...(await Promise.all(policies.map(({ name }) => filesOfPolicy(host, name)))).flat(),
      ...(root === undefined ? [] : [root]),
    ];
    for (const path of files) {
      const why = whoElseWrites(path, owner);
      if (why !== undefined) {
        return [broken('hook.policy', `what it decides by is not yours alone: ${why}`, hint)];
      }
      await readPlainFile(host, path, maxTrustedRoot, 'the file');
    }
    return [ok('hook.policy', `it decides by ${policies.map(({ name }) => name).join(', ')}`)];
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    return [
      broken(
        'hook.policy',
        `it has no policy that can be read, and refuses everything: ${error.message}`,
        error.hint ?? hint,
      ),
    ];
  }
}

/** A hook has no environment but its own. */
function withoutPolicy({ TCF_POLICY: _, ...env }: Host['env']): Host['env'] {
  return env;
}

function valueAfter(words: readonly string[], flag: string): string | undefined {
  const at = words.indexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}
