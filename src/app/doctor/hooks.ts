import { hookTargets } from '../hooks/index.ts';
import { broken, type DoctorCheck, note, ok } from './finding.ts';

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
                  `nothing asks tcf when ${target.name} is called directly`,
                  `tcf hook install ${target.name}, or always use tcf run`,
                ),
              ];
        }
        const findings = await target.status(host, request);
        return findings.map(({ hint, message, state }) => {
          const text = `${target.name}: ${message}`;
          if (state === 'proven') {
            return ok(text);
          }
          return (state === 'open' ? note : broken)(text, hint ?? `tcf hook status ${target.name}`);
        });
      }),
    );
    return found.flat();
  },
};
