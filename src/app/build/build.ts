import { join, resolve } from 'node:path';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { plural, printable, quoted } from '../../base/text.ts';
import type { SbomFacts } from '../../bom/read.ts';
import { parseSbom } from '../../bom/read.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { makeFolder, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';

import { version } from '../../version.ts';
import { copyImage } from '../copy-image.ts';
import { openInputStore, type StoreRequest } from '../lock/input-store.ts';
import { inputsOf } from '../lock/inputs.ts';
import { type OpenLock, openLock } from '../lock/load-lock.ts';
import { chainOf } from '../lock/why.ts';
import { openImage } from '../open-image.ts';
import { during } from '../waiting.ts';
import { type BuiltStage, buildStages } from './build-image.ts';
import { compareWithLock, type LockComparison } from './compare-lock.ts';
import { type BuildEngine, findBuildEngine } from './engine.ts';
import { type Overrides, withOverrides } from './overrides.ts';
import { toProvenance } from './provenance.ts';
import { type PublishRequest, placeToPublish, publish } from './publish.ts';
import { pullBase } from './pull-base.ts';
import { stageTag } from './stage.ts';
import { withWorkFolder } from './work-folder.ts';

export interface ImageBuildRequest extends StoreRequest, Overrides, PublishRequest {
  /** Name of an image, or the folder of its lock. */
  readonly name: string;
  readonly engine?: BuildEngine | undefined;
  /** Folder for the layout, the SBOM, the provenance and the lock; default: `build/NAME`. */
  readonly output?: string | undefined;
  /** URI that names who builds, in the provenance. */
  readonly builder?: string | undefined;
  readonly onProgress?: ((line: string) => Promise<void>) | undefined;
}

export interface BuiltImage {
  readonly digest: Digest;
  readonly output: string;
  /** Where it was given to: in a registry with its digest. */
  readonly pushed?: string;
  readonly facts: SbomFacts;
  readonly comparison: LockComparison;
}

/** Who builds where nobody says it: this machine, for itself. */
export const localBuilder = 'urn:tcf:builder:local';

/**
 * Builds an image from its lock: fills the store of inputs, builds without network, brings the layers in
 * their normal form, writes SBOM and provenance, and, where a registry or a key is named, gives it away and
 * signs all of it. An image that holds something else than its lock is written and stays.
 *
 * @throws TcfError as the lock, the store, the engine, the registry and the signer do.
 */
export async function buildFromLock(host: Host, request: ImageBuildRequest): Promise<BuiltImage> {
  const started = host.now();
  const open = await withOverrides(host, await openLock(host, request.name), request);
  const output = resolve(host.cwd, request.output ?? join('build', open.lock.image));
  const place = await placeToPublish(host, request, open.lock.image);
  return await withWorkFolder(host, async (work) => {
    const stages = await buildInto(host, request, open, work);
    const top = stages.at(-1);
    if (top === undefined) {
      throw new Error('a lock has at least one stage');
    }
    await makeFolder(host, output);
    await copyImage(host, {
      from: `oci:${top.stage.layout}:${stageTag}`,
      to: `oci:${output}/image:${open.lock.image}`,
    });
    await writeUserFile(host, join(output, 'lock.yaml'), open.text);
    const { facts, sbom } = await writeSbom(host, output, open.lock.image);
    const comparison = compareWithLock(
      facts,
      [...chainOf(open)].map(({ lock }) => lock),
      await baseFacts(host, stages[0]),
    );
    const provenance = toProvenance({
      stages,
      builder: request.builder ?? localBuilder,
      started,
      finished: host.now(),
      sbom,
      tools: { tcf: version, ...(await versionsOf(host, request)) },
    });
    await writeUserFile(
      host,
      join(output, 'provenance.json'),
      `${JSON.stringify(provenance, undefined, 2)}\n`,
    );
    const isSame = comparison.missing.length === 0 && comparison.unlocked.length === 0;
    const pushed =
      place !== undefined && isSame
        ? await publish(host, request, { image: open.lock.image, layout: top.stage.layout, output, place })
        : undefined;
    return compact({ digest: top.stage.digest, output, facts, comparison, pushed });
  });
}

/** By their own word: the same lock may come out otherwise where they differ. */
async function versionsOf(
  host: Host,
  { engine }: ImageBuildRequest,
): Promise<Readonly<Record<string, string>>> {
  const found = findBuildEngine(host, engine);
  const programs = [found.name, ...(host.find('mmdebstrap') === undefined ? [] : ['mmdebstrap'])];
  const said = await Promise.all(
    programs.map(async (name) => {
      const { stdout } = await host.run(host.find(name) ?? name, ['--version']);
      return [name, printable(stdout.trim().split('\n')[0] ?? '', 100)] as const;
    }),
  );
  return Object.fromEntries(said);
}

/** Fills the store and builds every image of the chain into `work`. */
export async function buildInto(
  host: Host,
  request: ImageBuildRequest,
  open: OpenLock,
  work: string,
): Promise<readonly BuiltStage[]> {
  const engine = findBuildEngine(host, request.engine);
  const store = await openInputStore(host, request);
  const tell = request.onProgress ?? (async () => undefined);
  [...chainOf(open)].forEach(requireFilled);
  const inputs = [...chainOf(open)].flatMap(({ folder, lock }) => inputsOf(lock, folder));
  const { bytes, fetched } = await during(host, `fetching ${plural(inputs.length, 'input')}`, () =>
    store.fill(inputs),
  );
  await tell(`inputs: ${fetched} fetched, ${bytes} bytes`);
  return await buildStages(host, {
    open,
    store,
    engine,
    work,
    onBegin: (image) => tell(`building ${image} with ${engine.name}`),
    pull: (base, folder) =>
      pullBase(host, base, { network: request.network, platform: open.lock.platform, work: folder }),
  });
}

/** What people want and no archive was asked for would be missing in the image. */
function requireFilled({ file, lock }: OpenLock): void {
  const { debian, python, rpm, want = {} } = lock;
  const parts = [
    ['want.debian', want.debian, debian?.packages],
    ['want.rpm', want.rpm, rpm?.packages],
    ['want.python', want.python, python?.wheels],
  ] as const;
  const empty = parts.find(([, wanted, locked]) => (wanted?.length ?? 0) > 0 && (locked?.length ?? 0) === 0);
  if (empty !== undefined) {
    throw askedWrongly('lock.unfilled', `${quoted(file)} has ${empty[0]}, and no input of it`, {
      hint: `tcf lock update ${lock.image}, where its archives can be reached`,
    });
  }
}

async function writeSbom(
  host: Host,
  output: string,
  name: string,
): Promise<{ readonly facts: SbomFacts; readonly sbom: Digest }> {
  // Catalogers and the licence list load only where an SBOM is made.
  const { makeSbom } = await import('../make-sbom.ts');
  await using image = await openImage(host, `oci:${output}/image:${name}`, {});
  const { document } = await makeSbom(host, image, {});
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  await writeUserFile(host, join(output, 'bom.json'), text);
  return { facts: parseSbom(document, 'the SBOM of the build'), sbom: digestOf(Buffer.from(text)) };
}

/** The SBOM of a base that a lock names by its digest; one that is made of a lock needs none of its own. */
async function baseFacts(host: Host, lowest: BuiltStage | undefined): Promise<SbomFacts | undefined> {
  if (lowest?.pulled === undefined) {
    return undefined;
  }
  const { makeSbom } = await import('../make-sbom.ts');
  await using image = await openImage(host, `oci:${lowest.pulled}:${stageTag}`, {});
  const { document } = await makeSbom(host, image, {});
  return parseSbom(document, 'the SBOM of the base');
}
