import type { Command } from 'commander';
import type { GateRequest } from '../../app/gate-images.ts';
import { compact } from '../../base/compact.ts';
import type { Host } from '../../system/host.ts';
import { type Options, textOption } from './bag.ts';
import { declareDatabase } from './database.ts';
import { declareGateReports } from './gate-reports.ts';
import { declareSummaryOptions, readSummaryRequest } from './verification-summary.ts';
import { declareVerifyOptions, readVerifyRequest } from './verify.ts';

export function declareGateOptions(command: Command): void {
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
}

/** @throws TcfError as `readVerifyRequest` and `readSigningRequest` do (exit 3). */
export function readGateRequest(host: Host, options: Options, images: readonly string[]): GateRequest {
  const { image: _, ...verify } = readVerifyRequest(options, '', 'gate');
  const summary = readSummaryRequest(options);
  return compact({
    images,
    verify,
    baseline: textOption(options, 'baseline'),
    attest: summary === undefined ? undefined : { ...summary, onAttached: tell(host) },
  });
}

type OnAttached = NonNullable<NonNullable<GateRequest['attest']>['onAttached']>;

const tell =
  (host: Host): OnAttached =>
  async ({ digest, statement }) =>
    await host.stderr.write(
      `attached the verification summary of ${statement.subjects[0]?.digests[0]}: ${digest}\n`,
    );
