import type { Command } from 'commander';
import { printable } from '../../base/text.ts';
import {
  cutSummary,
  type GateOutcome,
  toAnnotations,
  toCodeQuality,
  toGateJson,
  toJunit,
} from '../../report/gate.ts';
import { toJson } from '../../report/json.ts';
import { escapedMarkdown, toMarkdown } from '../../report/markdown.ts';
import { toSarifLog } from '../../report/sarif.ts';
import { formatVerdict } from '../../report/text.ts';
import { appendUserFile, expectWritable, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { isStandard, refuseTwoOnStandardOutput } from '../../system/standard.ts';
import { paintSigns } from '../../system/terminal.ts';
import { version } from '../../version.ts';
import { flag, type Options, textOption } from './bag.ts';
import { declareContainerfile, readContainerfileOption } from './containerfile.ts';

/** What CI shows of a gate, each in a file or on standard output. */
export function declareGateReports(command: Command): void {
  declareContainerfile(command);
  command
    .option('--sarif <file>', 'write SARIF 2.1.0, for code scanning')
    .option('--junit <file>', 'write JUnit, an image as a suite and a rule as a case')
    .option('--codequality <file>', "write GitLab's Code Quality report")
    .option('--annotations', 'print annotations of GitHub Actions')
    .option('--summary <file>', 'append Markdown, for GITHUB_STEP_SUMMARY')
    .option('--json', 'the whole decision on standard output');
}

/** The reports that were asked for, then the decisions for people. */
export async function writeGateReports(
  host: Host,
  outcomes: readonly GateOutcome[],
  options: Options,
): Promise<void> {
  const containerfile = await readContainerfileOption(host, options);
  const verdicts = outcomes.flatMap((outcome) => ('verdict' in outcome ? [outcome.verdict] : []));
  const files: readonly (readonly [string, () => string])[] = [
    ['sarif', () => toSarifLog(outcomes, version, containerfile)],
    ['junit', () => toJunit(outcomes)],
    ['codequality', () => toCodeQuality(outcomes)],
  ];
  for (const [name, write] of files) {
    const file = textOption(options, name);
    if (file !== undefined) {
      await writeUserFile(host, file, write());
    }
  }
  const summary = textOption(options, 'summary');
  if (summary !== undefined) {
    await appendUserFile(host, summary, cutSummary(outcomes.map(sectionOf)));
  }
  if (flag(options, 'annotations')) {
    await host.stdout.write(toAnnotations(outcomes));
  }
  const [first] = verdicts;
  if (flag(options, 'json') && (outcomes.length > 1 || first !== undefined)) {
    await host.stdout.write(
      outcomes.length === 1 && first !== undefined ? toJson(first) : toGateJson(outcomes),
    );
  }
  for (const outcome of outcomes) {
    if ('verdict' in outcome) {
      await host.stderr.write(paintSigns(formatVerdict(outcome.verdict), host.stderr));
    } else if (outcomes.length > 1) {
      await host.stderr.write(
        `${printable(outcome.image)}: cannot tell\ntcf: error: ${printable(outcome.error.message, 2000)}\n`,
      );
    }
  }
}

function sectionOf(outcome: GateOutcome): string {
  return 'verdict' in outcome
    ? toMarkdown(outcome.verdict)
    : `## ? cannot tell\n\n${escapedMarkdown(outcome.image)}\n\n${escapedMarkdown(outcome.error.message)}\n`;
}

/**
 * @throws TcfError `file.unwritable`, `output.twice`, and as `readContainerfile` does, before anything is
 *   asked.
 */
export async function expectGateReports(host: Host, options: Options): Promise<void> {
  const summary = textOption(options, 'summary');
  const files = ['sarif', 'junit', 'codequality'] as const;
  refuseTwoOnStandardOutput({
    ...Object.fromEntries(files.map((name) => [`--${name}`, isStandard(textOption(options, name))])),
    '--summary': isStandard(summary),
    '--json': flag(options, 'json'),
    '--annotations': flag(options, 'annotations'),
  });
  for (const name of files) {
    await expectWritable(host, textOption(options, name));
  }
  await readContainerfileOption(host, options);
  await expectWritable(host, summary, 'append');
}
