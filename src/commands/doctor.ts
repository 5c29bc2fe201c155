import type { Command } from 'commander';
import { broken, type DoctorCheck, type DoctorFinding, type DoctorRequest } from '../app/doctor/finding.ts';
import { doctorChecks } from '../app/doctor/index.ts';
import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { formatJson, printable } from '../base/text.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { paintSigns } from '../system/terminal.ts';
import { flag, textOption } from './options/bag.ts';
import type { Verb } from './verb.ts';

const signs: Readonly<Record<DoctorFinding['level'], string>> = { ok: '✓', note: '•', broken: '✗' };

export const verb: Verb = {
  declare(command: Command): void {
    command
      .option('--policy <file>', 'a policy beside those of machine, user and project')
      .option('--trusted-root <file>', 'trusted_root.json in place of the public Sigstore instance')
      .option('--hooks-dir <folder>', 'podman: where the hook is, other than the usual place')
      .option(
        '--bin-dir <folder>',
        'containerd: the bin_dir of its image verifier, if it is not the usual one',
      )
      .option('--json', 'the findings for machines');
  },
  async run(host, _, options): Promise<ExitCode> {
    const request = compact({
      policy: textOption(options, 'policy'),
      trustedRoot: textOption(options, 'trustedRoot'),
      hooksDir: textOption(options, 'hooksDir'),
      binDir: textOption(options, 'binDir'),
    });
    const found: (DoctorFinding & { readonly part: string })[] = [];
    for (const check of doctorChecks) {
      const findings = await examine(check, host, request);
      found.push(...findings.map((finding) => ({ part: check.name, ...finding })));
      if (!flag(options, 'json')) {
        for (const finding of findings) {
          await host.stdout.write(paintSigns(line(check.name, finding), host.stdout));
        }
      }
    }
    if (flag(options, 'json')) {
      await host.stdout.write(formatJson({ format: 'tcf.doctor/1', findings: found }, 2));
    }
    return found.some(({ level }) => level === 'broken') ? 1 : 0;
  },
};

async function examine(
  check: DoctorCheck,
  host: Host,
  request: DoctorRequest,
): Promise<readonly DoctorFinding[]> {
  try {
    return await check.examine(host, request);
  } catch (error) {
    if (error instanceof TcfError) {
      return [broken(error.message, error.hint ?? 'see the message')];
    }
    throw error;
  }
}

function line(part: string, { level, hint, message }: DoctorFinding): string {
  const text = `${signs[level]} ${part}: ${printable(message, 1000)}\n`;
  return hint === undefined ? text : `${text}    hint: ${printable(hint, 1000)}\n`;
}
