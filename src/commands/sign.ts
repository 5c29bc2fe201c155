import type { Command } from 'commander';
import { type SignRequest, signImage } from '../app/sign/sign-image.ts';
import { predicateNames } from '../attest/predicate.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import { formatAttached, nameOfStatement } from '../report/attached.ts';
import { formatJudged } from '../report/judged-sbom.ts';
import type { ExitCode } from '../system/host.ts';
import { collectOption } from './options/bag.ts';
import { declareDatabase } from './options/database.ts';
import { declareNetworkOptions } from './options/network.ts';
import { declarePlatform } from './options/platform.ts';
import { declareSbomOptions } from './options/sbom.ts';
import { readSignRequest } from './options/sign.ts';
import { declareSigningOptions } from './options/signing.ts';
import type { Verb } from './verb.ts';

const attestHelp = `attest this predicate; the type is a URI or one of ${Object.keys(predicateNames).join(', ')}`;

export const verb: Verb = {
  names: 'signed-images',
  declare(command: Command): void {
    command.argument('<image>', 'registry/repository[:tag][@digest]');
    declareSigningOptions(command);
    command
      .option('-a, --annotation <key=value>', 'signed with the image; may be given again', collectOption, [])
      .option('--attest <type=file>', attestHelp, collectOption, [])
      .option('--recursive', 'of an index, sign every platform too, each with its own SBOM')
      .option('--sbom <file>', 'attest this CycloneDX SBOM; it must be valid and about this very image')
      .option('--allow-invalid-sbom', 'attest the SBOM of --sbom though it is not valid CycloneDX')
      .option('--no-sbom', 'sign the image only')
      .option('--attest-vulns', 'attest what is known to be vulnerable in the SBOM, too')
      .option('--skip-existing', 'do not sign again what the same signer has signed already');
    declareDatabase(command);
    declarePlatform(command, 'whose SBOM to make where the image is an index');
    declareSbomOptions(command, 'it says itself what is missing');
    declareNetworkOptions(command);
  },
  async run(host, [image = ''], options): Promise<ExitCode> {
    const request: SignRequest = {
      ...readSignRequest(options, image),
      onAttached: (attached) => host.stderr.write(formatAttached(attached)),
    };
    const signed = await signImage(host, request);
    for (const judged of signed.judged) {
      await host.stderr.write(formatJudged(judged));
    }
    for (const statement of signed.existing) {
      await host.stderr.write(`the ${nameOfStatement(statement)} is there already\n`);
    }
    await host.stdout.write(`${formatPinnedRef(signed.image)}\n`);
    return 0;
  },
};
