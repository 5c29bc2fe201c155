import { hookTargets } from '../hooks/index.ts';
import { broken, type DoctorCheck, note, ok } from './finding.ts';

/** Whether the runtimes ask, each proven by an image that has to be denied. */
export const hooks: DoctorCheck = {
  name: 'hooks',
  async examine(host, options) {
    const found = await Promise.all(
      hookTargets.map(async (target) => {
        const findings = await target.status(host, options);
        const isInstalled = findings.length > 1 || findings[0]?.ok === true;
        if (!isInstalled)
          return host.find(target.name) === undefined
            ? []
            : [
                note(
                  `nothing asks tcf when ${target.name} is called directly`,
                  `tcf hook install ${target.name}, or always use tcf run`,
                ),
              ];
        return findings.map(({ mend, message, ok: isFine }) =>
          isFine
            ? ok(`${target.name}: ${message}`)
            : broken(`${target.name}: ${message}`, mend ?? `tcf hook status ${target.name}`),
        );
      }),
    );
    return found.flat();
  },
};
