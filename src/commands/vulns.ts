import { findImageVulnerabilities } from '../app/vulns/find-vulnerabilities.ts';
import { scanFleet } from '../app/vulns/scan-fleet.ts';
import { TcfError } from '../base/error.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import { exitOfFleet } from '../report/vulns/fleet.ts';
import { vulnsErrorForm } from '../report/vulns/forms.ts';
import { exitOf } from '../report/vulns/found.ts';
import { expectWritable, writeOutput } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { version } from '../version.ts';
import { readAttested, wantsAttested } from './options/attested.ts';
import { textOption } from './options/bag.ts';
import { listWidth } from './options/look.ts';
import { declareVulnsOptions, readVulnsQuestion } from './options/vulns.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  names: 'images',
  declare: declareVulnsOptions,
  /** 1 where something is affected, 2 where nothing is and something cannot be told. */
  async run(host, [source = ''], options): Promise<ExitCode> {
    const output = textOption(options, 'output');
    await expectWritable(host, output);
    const asked = readVulnsQuestion(options, source);
    if (asked.about === 'fleet') {
      const { digest, images } = await scanFleet(host, asked.request);
      await writeOutput(host, asked.form(images, digest), output);
      return exitOfFleet(images);
    }
    const attested = wantsAttested(options) ? await readAttested(host, source, options) : undefined;
    if (attested !== undefined && 'exit' in attested) {
      return attested.exit;
    }
    const request =
      attested === undefined ? asked.request : { ...asked.request, attested: attested.document };
    try {
      const found = await findImageVulnerabilities(host, request);
      const columns = output === undefined ? listWidth(host.stdout) : Number.POSITIVE_INFINITY;
      await writeOutput(host, asked.form(found, saidAt(host), version, columns), output);
      return exitOf(found);
    } catch (error) {
      const form = vulnsErrorForm(asked.form);
      if (form !== undefined && error instanceof TcfError) {
        await writeOutput(host, form(source, error, version), output);
      }
      throw error;
    }
  },
};

/** Now, or the time that a reproducible build states. */
function saidAt(host: Host): Date {
  const epoch = host.env['SOURCE_DATE_EPOCH'];
  return epoch === undefined || epoch === '' ? host.now() : new Date(toTimestamp(undefined, epoch));
}
