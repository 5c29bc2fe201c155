import type { Command } from 'commander';
import { declareSbomOptions } from '../app/make-sbom.ts';
import { collect, flag } from '../app/options.ts';
import {
  declareRegistryOptions,
  openUserRegistry,
  parseRegistryName,
  resolveImage,
} from '../app/registries.ts';
import { checkOwnBundle, declareSigningOptions, openSigning, type Signing } from '../app/sign/signing.ts';
import { readWishes, type Signed, toStatements } from '../app/sign/statements.ts';
import { predicateNames } from '../attest/predicate.ts';
import { formatStatement, predicateTypes, type Statement } from '../attest/statement.ts';
import { formatBytes } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { formatPinnedRef, pin } from '../oci/reference.ts';
import { attachBundle } from '../sigstore/attach.ts';
import { discoverBundles } from '../sigstore/discover.ts';
import { findEquivalent } from '../sigstore/equivalent.ts';
import type { FoundBundle } from '../sigstore/found-bundle.ts';
import { signStatement } from '../sigstore/sign.ts';
import type { ExitCode } from '../system/host.ts';
import type { Verb } from './verb.ts';

const attestHelp = `attest this predicate; the type is a URI or one of ${Object.keys(predicateNames).join(', ')}`;

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<image>', 'registry/repository[:tag][@digest]');
    declareSigningOptions(command);
    command
      .option('-a, --annotation <key=value>', 'signed with the image; may be given again', collect, [])
      .option('--attest <type=file>', attestHelp, collect, [])
      .option('--recursive', 'of an index, sign every platform too, each with its own SBOM')
      .option('--sbom <file>', 'attest this CycloneDX SBOM; it must be about this very image')
      .option('--no-sbom', 'sign the image only')
      .option('--skip-existing', 'do not sign again what the same signer has signed already')
      .option('--platform <os/arch>', 'whose SBOM to make where the image is an index');
    declareSbomOptions(command, 'it says itself what is missing');
    declareRegistryOptions(command);
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const ref = parseRegistryName(name, 'sign');
    const wishes = readWishes(options);
    const registry = await openUserRegistry(host, options);
    const named = await resolveImage(registry, ref);
    const image = pin(ref, named.descriptor.digest);
    const signing = await openSigning(host, options);

    // Everything is made before anything is pushed: a scan that fails leaves no half-signed image behind. The signature comes last,
    // because whoever sees it expects the SBOM to be there.
    const statements = await toStatements(host, options, registry, { ref, named, image }, wishes);
    const existing = flag(options, 'skipExisting')
      ? await discoverBundles(registry, ref, ...statements.map(({ subject }) => subject.digest))
      : [];
    const fresh = statements.filter((signed) => !isThere(existing, signed, signing, host.now()));
    const bundles: (Signed & { readonly bundle: Uint8Array })[] = [];
    for (const signed of fresh) {
      const bundle = await signStatement(
        formatStatement(signed.statement),
        signing.signer,
        signing.witnesses,
      );
      checkOwnBundle(bundle, signing, { subject: signed.subject.digest }, host.now());
      bundles.push({ ...signed, bundle });
    }
    for (const { subject, statement, bundle } of bundles) {
      const { digest } = await attachBundle(
        registry,
        ref,
        subject,
        bundle,
        statement.predicateType,
        host.now(),
      );
      await host.stderr.write(
        `attached the ${nameOf(statement)}: ${digest} (${formatBytes(bundle.length)})\n`,
      );
    }
    for (const signed of statements.filter((one) => !fresh.includes(one))) {
      await host.stderr.write(`the ${nameOf(signed.statement)} is there already\n`);
    }
    await host.stdout.write(`${formatPinnedRef(image)}\n`);
    return 0;
  },
};

function nameOf({ predicateType }: Statement): string {
  if (predicateType === predicateTypes.signature) return 'signature';
  return predicateType === predicateTypes.cyclonedx
    ? 'SBOM attestation'
    : `attestation ${printable(predicateType)}`;
}

/** Only what is proven counts: otherwise anybody could keep an image from being signed with a bundle that looks right. */
function isThere(
  existing: readonly FoundBundle[],
  { statement, subject }: Signed,
  signing: Signing,
  now: Date,
): boolean {
  if (existing.length === 0) return false;
  if (signing.trust === undefined) {
    throw askedWrongly('sign.trust', '--skip-existing has nothing to check existing signatures against', {
      hint: 'name the trusted root of these services with --trusted-root',
    });
  }
  const { isSigner, trust } = signing;
  const wanted = { statement: formatStatement(statement), subject: subject.digest, trust, isSigner, now };
  return findEquivalent(existing, wanted) !== undefined;
}
