import type { Command } from 'commander';
import {
  formatStatement,
  predicateTypes,
  type Statement,
  toSignatureStatement,
  toStatement,
} from '../attest/statement.ts';
import { formatBytes } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { toCycloneDx } from '../bom/cyclonedx.ts';
import { parseSbom } from '../bom/read.ts';
import { toTimestamp } from '../bom/timestamp.ts';
import { chooseManifest, openFromRegistry } from '../image/from-registry.ts';
import type { Descriptor, Manifest } from '../oci/manifest.ts';
import { formatPinnedRef, type ImageRef, pin } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import { attachBundle } from '../sigstore/attach.ts';
import type { Candidate } from '../sigstore/candidate.ts';
import { discoverBundles } from '../sigstore/discover.ts';
import { findEquivalent } from '../sigstore/equivalent.ts';
import { signStatement } from '../sigstore/sign.ts';
import { version } from '../version.ts';
import type { ExitCode, Host } from './host.ts';
import { readUserFile } from './shared/files.ts';
import {
  declareRegistryOptions,
  openUserRegistry,
  parseRegistryName,
  readPlatform,
  resolveImage,
} from './shared/registries.ts';
import { makeBom } from './shared/scan.ts';
import { checkOwnBundle, declareSigningOptions, openSigning, type Signing } from './shared/signing.ts';
import { flag, type Options, textOption, type Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command.argument('<image>', 'registry/repository[:tag][@digest]');
    declareSigningOptions(command);
    command
      .option('--sbom <file>', 'attest this CycloneDX SBOM; it must be about this very image')
      .option('--no-sbom', 'sign the image only')
      .option('--skip-existing', 'do not sign again what the same signer has signed already')
      .option('--platform <os/arch>', 'whose SBOM to make where the image is an index');
    declareRegistryOptions(command);
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const ref = parseRegistryName(name, 'sign');
    const registry = await openUserRegistry(host, options);
    const named = await resolveImage(registry, ref);
    const image = pin(ref, named.descriptor.digest);
    const chosen = await chooseManifest(
      registry,
      ref,
      named,
      readPlatform(host, options),
      formatPinnedRef(image),
    );
    const signing = await openSigning(host, options);

    // Everything is made before anything is pushed: a scan that fails leaves no half-signed image behind. The signature comes last,
    // because whoever sees it expects the SBOM to be there.
    const statements: readonly Signed[] = [
      ...(options['sbom'] === false ? [] : [await attestSbom(host, options, registry, ref, chosen)]),
      { subject: named.descriptor, statement: toSignatureStatement(named.descriptor.digest) },
    ];
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
      checkOwnBundle(bundle, signing, signed.subject.digest, host.now());
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

interface Signed {
  readonly subject: Descriptor;
  readonly statement: Statement;
}

function nameOf({ predicateType }: Statement): string {
  return predicateType === predicateTypes.signature ? 'signature' : 'SBOM attestation';
}

/** Only what is proven counts: otherwise anybody could keep an image from being signed with a bundle that looks right. */
function isThere(
  existing: readonly Candidate[],
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

interface Chosen {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/** The SBOM is about one platform, so it is attached to that platform's manifest. */
async function attestSbom(
  host: Host,
  options: Options,
  registry: Registry,
  ref: ImageRef,
  chosen: Chosen,
): Promise<Signed> {
  const file = textOption(options, 'sbom');
  const predicate =
    file === undefined
      ? await scan(host, options, registry, ref, chosen)
      : await readSbom(host, file, chosen);
  const statement = toStatement({
    subject: chosen.descriptor.digest,
    name: `${ref.registry}/${ref.repository}`,
    predicateType: predicateTypes.cyclonedx,
    predicate,
  });
  return { subject: chosen.descriptor, statement };
}

async function scan(
  host: Host,
  options: Options,
  registry: Registry,
  ref: ImageRef,
  chosen: Chosen,
): Promise<unknown> {
  const pinned: ImageRef = {
    registry: ref.registry,
    repository: ref.repository,
    digest: chosen.descriptor.digest,
  };
  await using image = await openFromRegistry(registry, pinned, readPlatform(host, options));
  return toCycloneDx(await makeBom(image), {
    specVersion: '1.7',
    toolVersion: version,
    timestamp: toTimestamp(image.config.created, host.env['SOURCE_DATE_EPOCH']),
  });
}

/** An SBOM of another image under this image's name would be a lie with our signature on it. */
async function readSbom(host: Host, file: string, { descriptor, manifest }: Chosen): Promise<unknown> {
  const json = parseJson(
    await readUserFile(host, file, jsonLimits.document.maxBytes, 'the SBOM'),
    quoted(file),
    jsonLimits.document,
  );
  const { digests } = parseSbom(json, quoted(file)).subject;
  if (!digests.includes(descriptor.digest) && !digests.includes(manifest.config.digest)) {
    throw askedWrongly('sbom.subject', `${quoted(file)} is not about ${descriptor.digest}`, {
      hint: `it names ${digests.join(', ') || 'no digest'}; make one with tcf sbom, or leave --sbom away`,
    });
  }
  return json;
}
