import { predicateTypes, toStatement } from '../../attest/statement.ts';
import { collect } from '../../base/bytes.ts';
import { jsonLimits } from '../../base/json.ts';
import { toPurl } from '../../bom/purl.ts';
import { parseImageConfig } from '../../oci/config.ts';
import { type Digest, hexOf, isDigest, parseDigest } from '../../oci/digest.ts';
import type { ImageRef } from '../../oci/reference.ts';
import type { Fetched, Registry } from '../../registry/contract.ts';
import type { Host } from '../../system/host.ts';
import { version } from '../../version.ts';
import { openLock } from '../lock/load-lock.ts';
import { openUserRegistry } from '../network.ts';
import { parseRegistryName, resolveImage } from '../registries.ts';
import { attachSigned } from '../sign/sign-image.ts';
import { openSigning } from '../sign/signing.ts';
import { buildInto, type ImageBuildRequest, localBuilder } from './build.ts';
import { withOverrides } from './overrides.ts';
import type { StageLayer } from './stage.ts';
import { withWorkFolder } from './work-folder.ts';

export interface BuildCheckRequest extends Omit<ImageBuildRequest, 'onAttached' | 'output' | 'to'> {
  /** `sha256:HEX`, or an image in a registry. */
  readonly expected: string;
}

export interface CheckedBuild {
  readonly expected: Digest;
  readonly built: Digest;
  /**
   * Where the digests differ and the contents of all layers do not: another version of a library packed them.
   */
  readonly isSameContent: boolean;
  /** Digest of the attestation, where one was made. */
  readonly attested?: Digest;
}

/**
 * Builds a lock again and compares the digest with the one that somebody else got. For an image in a
 * registry, and with a signer, the answer is attested: a verification summary by this builder
 * (https://slsa.dev/spec/v1.0/verification_summary) that says PASSED where the digest is the same. A digest
 * that differs is attested as FAILED.
 *
 * @throws TcfError as `buildFromLock` does.
 */
export async function checkBuild(host: Host, request: BuildCheckRequest): Promise<CheckedBuild> {
  const open = await withOverrides(host, await openLock(host, request.name), request);
  const typed = request.expected;
  const target = isDigest(typed) ? undefined : await openTarget(host, request);
  const expected = isDigest(typed) ? typed : (target?.named.descriptor.digest ?? parseDigest(typed));
  return await withWorkFolder(host, async (work) => {
    const stages = await buildInto(host, request, open, work);
    const stage = stages.at(-1)?.stage;
    const built = stage?.digest ?? expected;
    const isSame = built === expected;
    const isSameContent =
      isSame || (target !== undefined && (await haveSameContent(target, stage?.layers ?? [])));
    const attested =
      target === undefined || request.signing === undefined
        ? undefined
        : await attest(host, request, target, { isSame, lock: open.digest });
    return { expected, built, isSameContent, ...(attested === undefined ? {} : { attested }) };
  });
}

interface Target {
  readonly registry: Registry;
  readonly ref: ImageRef;
  readonly named: Fetched;
}

async function openTarget(host: Host, { expected, network }: BuildCheckRequest): Promise<Target> {
  const ref = parseRegistryName(expected, 'build --check');
  const registry = await openUserRegistry(host, network);
  return { ref, registry, named: await resolveImage(registry, ref) };
}

async function haveSameContent(
  { named, ref, registry }: Target,
  layers: readonly StageLayer[],
): Promise<boolean> {
  if (named.document.kind !== 'manifest') {
    return false;
  }
  const bytes = await collect(
    registry.blob(ref, named.document.config),
    jsonLimits.small.maxBytes,
    'the configuration',
  );
  const { diffIds } = parseImageConfig(bytes, 'the configuration');
  return diffIds.length === layers.length && layers.every(({ diffId }, index) => diffIds[index] === diffId);
}

async function attest(
  host: Host,
  request: BuildCheckRequest,
  { named, ref, registry }: Target,
  { isSame, lock }: { readonly isSame: boolean; readonly lock: Digest },
): Promise<Digest | undefined> {
  const { digest } = named.descriptor;
  const name = `${ref.registry}/${ref.repository}`;
  const statement = toStatement({
    subject: digest,
    name,
    predicateType: predicateTypes.summary,
    predicate: {
      verifier: { id: request.builder ?? localBuilder, version: { tcf: version } },
      timeVerified: host.now().toISOString(),
      resourceUri: toPurl({
        type: 'oci',
        name: ref.repository.split('/').at(-1) ?? ref.repository,
        version: digest,
        qualifiers: { repository_url: name },
      }),
      // What decided: the lock, built again.
      policy: { uri: `urn:tcf:lock:${lock}`, digest: { sha256: hexOf(lock) } },
      inputAttestations: [],
      verificationResult: isSame ? 'PASSED' : 'FAILED',
      verifiedLevels: isSame ? [reproducedLevel] : ['FAILED'],
      slsaVersion: '1.0',
    },
  });
  const signing = await openSigning(host, request.signing ?? {});
  const signed = [{ subject: named.descriptor, statement }];
  const attached = await attachSigned(host, { registry, ref: { ...ref, digest }, signing, signed });
  return attached[0]?.digest;
}

/** What `verifiedLevels` of a summary says where a second builder got the same digest. */
const reproducedLevel = 'TCF_REPRODUCED';
