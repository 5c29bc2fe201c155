import type { Host } from '../../system/host.ts';
import type { Options } from '../options.ts';

/** Something the doctor looked at. */
export interface DoctorFinding {
  /** `broken`: nothing safe can start, or something unsafe could; `note`: worth knowing. */
  readonly level: 'broken' | 'note' | 'ok';
  /** One line. */
  readonly message: string;
  /** What to do, where something is to be done. */
  readonly mend?: string;
}

/** One part of the examination. A part that cannot be examined throws a TcfError, which is a finding. */
export interface DoctorCheck {
  readonly name: string;
  examine(host: Host, options: Options): Promise<readonly DoctorFinding[]>;
}

export const ok = (message: string): DoctorFinding => ({ level: 'ok', message });
export const note = (message: string, mend?: string): DoctorFinding => ({
  level: 'note',
  message,
  ...(mend === undefined ? {} : { mend }),
});
export const broken = (message: string, mend: string): DoctorFinding => ({ level: 'broken', message, mend });
