import { buildFromLock } from '../app/build/build.ts';
import { checkBuild } from '../app/build/check.ts';
import { formatBuildCheck, formatNextStep } from '../report/built-image.ts';
import { formatComparison } from '../report/lock-comparison.ts';
import type { ExitCode } from '../system/host.ts';
import { declareBuildOptions, readBuildQuestion } from './options/build.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare: declareBuildOptions,
  /** 1 where SBOM and lock disagree, or another image comes out than the one that was to be checked. */
  async run(host, [name = ''], options): Promise<ExitCode> {
    const asked = readBuildQuestion(host, name, options);
    if (asked.about === 'check') {
      const checked = await checkBuild(host, asked.request);
      await host.stderr.write(formatBuildCheck(checked));
      await host.stdout.write(`${checked.built}\n`);
      return checked.built === checked.expected ? 0 : 1;
    }
    const built = await buildFromLock(host, asked.request);
    const agrees = built.comparison.missing.length + built.comparison.unlocked.length === 0;
    await host.stderr.write(formatComparison(built.comparison));
    await host.stdout.write(`${built.pushed ?? built.digest}\n`);
    await host.stderr.write(agrees ? formatNextStep(name, built) : '');
    return agrees ? 0 : 1;
  },
};
