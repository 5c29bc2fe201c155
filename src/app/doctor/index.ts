import { broken, type Diagnostic } from '../../base/diagnostic.ts';
import { TcfError } from '../../base/error.ts';
import type { Host } from '../../system/host.ts';
import type { DoctorCheck, DoctorRequest } from './check.ts';
import { credentials } from './credentials.ts';
import { engine } from './engine.ts';
import { gpu } from './gpu.ts';
import { hooks } from './hooks.ts';
import { policy } from './policy.ts';
import { state } from './state.ts';
import { tcf } from './tcf.ts';

const checks: readonly DoctorCheck[] = [tcf, policy, engine, gpu, credentials, state, hooks];

/**
 * Looks at everything that a safe start depends on, part by part; `subject` is the part.
 */
export async function* examineMachine(host: Host, request: DoctorRequest): AsyncGenerator<Diagnostic> {
  for (const { examine, name } of checks) {
    try {
      for (const found of await examine(host, request)) {
        yield { ...found, subject: name };
      }
    } catch (error) {
      // Without a current folder each check would say the same.
      if (!(error instanceof TcfError) || error.code === 'host.cwd') {
        throw error;
      }
      yield { ...broken(error.code, error.message, error.hint ?? 'see the message'), subject: name };
    }
  }
}
