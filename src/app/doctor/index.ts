import { credentials } from './credentials.ts';
import { engine, gpu } from './engine.ts';
import type { DoctorCheck } from './finding.ts';
import { hooks } from './hooks.ts';
import { policy } from './policy.ts';
import { state } from './state.ts';
import { tcf } from './tcf.ts';

export const doctorChecks: readonly DoctorCheck[] = [tcf, policy, engine, gpu, credentials, state, hooks];
