import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Host } from '../../system/host.ts';
import type { HookPlace } from '../hooks/request.ts';

export interface DoctorRequest extends Pick<HookPlace, 'binDir' | 'hooksDir'> {
  readonly policy?: string;
  readonly trustedRoot?: string;
}

/**
 * One part of the examination. An error means that nothing safe can start, or something unsafe could. A part
 * that cannot be examined throws a TcfError, which is an error as well.
 */
export interface DoctorCheck {
  readonly name: string;
  examine(host: Host, request: DoctorRequest): Promise<readonly Diagnostic[]>;
}
