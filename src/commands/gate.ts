import { gateImages } from '../app/gate-images.ts';
import { exitOfGate } from '../report/gate.ts';
import type { ExitCode } from '../system/host.ts';
import { declareGateOptions, readGateRequest } from './options/gate.ts';
import { expectGateReports, writeGateReports } from './options/gate-reports.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'signed-images',
  declare: declareGateOptions,
  async run(host, images, options): Promise<ExitCode> {
    const request = readGateRequest(
      host,
      options,
      images.flatMap((image) => image ?? []),
    );
    await expectGateReports(host, options);
    const outcomes = await gateImages(host, request);
    await writeGateReports(host, outcomes, options);
    const [first] = outcomes;
    if (outcomes.length === 1 && first !== undefined && 'error' in first) {
      throw first.error;
    }
    return exitOfGate(outcomes);
  },
};
