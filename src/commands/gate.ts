import type { Command } from 'commander';
import { attestVerdict } from '../app/sign/attest-verdict.ts';
import type { Attached } from '../app/sign/sign-image.ts';
import { verifyImage } from '../app/verify-image.ts';
import { readBaseline } from '../app/vulns/baseline.ts';
import { TcfError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import {
  cutSummary,
  exitOfGate,
  type GateOutcome,
  toAnnotations,
  toCodeQuality,
  toGateJson,
  toJunit,
} from '../report/gate.ts';
import { toJson } from '../report/json.ts';
import { escapedMarkdown, toMarkdown } from '../report/markdown.ts';
import { toSarifLog } from '../report/sarif.ts';
import { formatVerdict } from '../report/text.ts';
import { appendUserFile, expectWritable, writeUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { isStandard, refuseTwoOnStandardOutput } from '../system/standard.ts';
import { paintSigns } from '../system/terminal.ts';
import { version } from '../version.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { declareDatabase } from './options/database.ts';
import { declareSummaryOptions, readSummaryRequest } from './options/verification-summary.ts';
import { declareVerifyOptions, readVerifyRequest } from './options/verify.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument(
      '<image...>',
      'registry/repository[:tag][@digest]; several are decided about one after the other',
    );
    declareVerifyOptions(command);
    declareDatabase(command);
    command
      .option(
        '--baseline <image|sbom>',
        'with a policy that asks for new vulnerabilities only: what was there before',
      )
      .option('--sarif <file>', 'write SARIF 2.1.0, for code scanning')
      .option('--junit <file>', 'write JUnit, an image as a suite and a rule as a case')
      .option('--codequality <file>', "write GitLab's Code Quality report")
      .option('--annotations', 'print annotations of GitHub Actions')
      .option('--summary <file>', 'append Markdown, for GITHUB_STEP_SUMMARY')
      .option('--json', 'the whole decision on standard output');
    declareSummaryOptions(command);
  },
  async run(host, images, options): Promise<ExitCode> {
    const attest = readSummaryRequest(options);
    await expectOutputs(host, options);
    const outcomes: GateOutcome[] = [];
    for (const image of images.flatMap((name) => name ?? [])) {
      outcomes.push(await outcomeOf(host, image, options, attest));
    }
    await writeReports(host, outcomes, options);
    const [first] = outcomes;
    if (outcomes.length === 1 && first !== undefined && 'error' in first) {
      throw first.error;
    }
    return exitOfGate(outcomes);
  },
};

/** What cannot be decided goes into the reports too, and costs no other image its decision. */
async function outcomeOf(
  host: Host,
  image: string,
  options: Options,
  attest: ReturnType<typeof readSummaryRequest>,
): Promise<GateOutcome> {
  try {
    const request = readVerifyRequest(options, image, 'gate');
    const baseline = await readBaseline(host, request, textOption(options, 'baseline'));
    const asked = baseline === undefined ? request : { ...request, baseline };
    const { verdict } =
      attest === undefined
        ? await verifyImage(host, asked)
        : await attestVerdict(host, { ...asked, ...attest, onAttached: (attached) => tell(host, attached) });
    return { image, verdict };
  } catch (error) {
    if (error instanceof TcfError) {
      return { image, error };
    }
    throw error;
  }
}

async function writeReports(host: Host, outcomes: readonly GateOutcome[], options: Options): Promise<void> {
  const verdicts = outcomes.flatMap((outcome) => ('verdict' in outcome ? [outcome.verdict] : []));
  const files: readonly (readonly [string, () => string])[] = [
    ['sarif', () => toSarifLog(outcomes, version)],
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

/** @throws TcfError `file.unwritable`, `output.twice` (exit 3), before anything is asked. */
async function expectOutputs(host: Host, options: Options): Promise<void> {
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
  await expectWritable(host, summary, 'append');
}

async function tell(host: Host, { digest, statement }: Attached): Promise<void> {
  await host.stderr.write(
    `attached the verification summary of ${statement.subjects[0]?.digests[0]}: ${digest}\n`,
  );
}
