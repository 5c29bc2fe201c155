import type { Command } from 'commander';
import { attestVerdict } from '../app/sign/attest-verdict.ts';
import type { Attached } from '../app/sign/sign-image.ts';
import { verifyImage } from '../app/verify-image.ts';
import { readBaseline } from '../app/vulns/baseline.ts';
import { TcfError } from '../base/error.ts';
import { exitOfGate, type GateOutcome } from '../report/gate.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { type Options, textOption } from './options/bag.ts';
import { declareDatabase } from './options/database.ts';
import { declareGateReports, expectGateReports, writeGateReports } from './options/gate-reports.ts';
import { declareSummaryOptions, readSummaryRequest } from './options/verification-summary.ts';
import { declareVerifyOptions, readVerifyRequest } from './options/verify.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'signed-images',
  declare(command: Command): void {
    command.argument(
      '<image...>',
      'registry/repository[:tag][@digest]; several are decided about one after the other',
    );
    declareVerifyOptions(command);
    declareDatabase(command);
    command.option(
      '--baseline <image|sbom>',
      'what was there before, or :TAG of the same repository, for a policy that lets only new vulnerabilities deny (default: the image before under this name)',
    );
    declareGateReports(command);
    declareSummaryOptions(command);
  },
  async run(host, images, options): Promise<ExitCode> {
    const attest = readSummaryRequest(options);
    await expectGateReports(host, options);
    const outcomes: GateOutcome[] = [];
    for (const image of images.flatMap((name) => name ?? [])) {
      outcomes.push(await outcomeOf(host, image, options, attest));
    }
    await writeGateReports(host, outcomes, options);
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

async function tell(host: Host, { digest, statement }: Attached): Promise<void> {
  await host.stderr.write(
    `attached the verification summary of ${statement.subjects[0]?.digests[0]}: ${digest}\n`,
  );
}
