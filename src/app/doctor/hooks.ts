import { type Diagnostic, note } from '../../base/diagnostic.ts';
import { hookTargets } from '../hooks/index.ts';
import type { DoctorCheck } from './check.ts';

/** Whether the runtimes ask, each proven by an image that has to be denied. */
export const hooks: DoctorCheck = {
  name: 'hooks',
  async examine(host, request) {
    const found = await Promise.all(
      hookTargets.map(async (target) => {
        if (!(await target.isInstalled(host, request))) {
          return host.find(target.name) === undefined
            ? []
            : [
                note(
                  'hook.none',
                  `nothing asks tcf when ${target.name} is called directly`,
                  `tcf hook install ${target.name}, or always use tcf run`,
                ),
              ];
        }
        const findings = await target.status(host, request);
        return findings.map(
          ({ code, hint, level, message }): Diagnostic => ({
            // What stays open here is proven, or not, by tcf hook status.
            level: level === 'unknown' ? 'note' : level,
            code,
            message: `${target.name}: ${message}`,
            ...(level === 'ok' ? {} : { hint: hint ?? `tcf hook status ${target.name}` }),
          }),
        );
      }),
    );
    return found.flat();
  },
};
