import { compact } from '../../base/compact.ts';
import type { Host } from '../../system/host.ts';
import type { HookPlace } from '../hooks/request.ts';

/** Something the doctor looked at. */
export interface DoctorFinding {
  /** `broken`: nothing safe can start, or something unsafe could; `note`: worth knowing. */
  readonly level: 'broken' | 'note' | 'ok';
  /** One line. */
  readonly message: string;
  /** What to do, where something is to be done. */
  readonly hint?: string;
}

export interface DoctorRequest extends Pick<HookPlace, 'binDir' | 'hooksDir'> {
  readonly policy?: string;
  readonly trustedRoot?: string;
}

/** One part of the examination. A part that cannot be examined throws a TcfError, which is a finding. */
export interface DoctorCheck {
  readonly name: string;
  examine(host: Host, request: DoctorRequest): Promise<readonly DoctorFinding[]>;
}

export const ok = (message: string): DoctorFinding => ({ level: 'ok', message });
export const note = (message: string, hint?: string): DoctorFinding =>
  compact({
    level: 'note',
    message,
    hint,
  });
export const broken = (message: string, hint: string): DoctorFinding => ({ level: 'broken', message, hint });
