import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { compact } from '../base/compact.ts';
import type { BaseImage, Bom, Subject } from '../bom/model.ts';
import { assemble, type Run } from '../catalogers/assemble.ts';
import type { Ownership } from '../catalogers/contract.ts';
import { buildIdsIn, elf, namesIn } from '../catalogers/elf.ts';
import { packagesByNote } from '../catalogers/elf-packages.ts';
import { catalogers as builtInCatalogers, catalogersWith } from '../catalogers/index.ts';
import { builtInPins, type PinTable } from '../catalogers/llvm/pins.ts';
import { runCataloger } from '../catalogers/run.ts';
import { others, packed, unreadIn } from '../catalogers/unread.ts';
import type { OpenImage } from '../image/contract.ts';
import { scanImage } from '../image/scan.ts';
import type { ScanOptions } from '../image/scan-layers.ts';
import { startThreadOf } from '../system/executable.ts';

/**
 * Threads that are started where nobody says how many: each takes some 20 MiB, and images have few large
 * layers.
 */
const maxJobs = 8;

/**
 * Reads an opened image once and says what is in it. The layers stream by; nothing of them is kept on disk.
 */
export async function makeBom(
  image: OpenImage,
  base?: BaseImage,
  {
    jobs = Math.min(availableParallelism(), maxJobs),
    pins = builtInPins,
    startThread = ownThread,
    ...options
  }: ScanOptions & { readonly pins?: PinTable } = {},
): Promise<Bom> {
  const catalogers = pins === builtInPins ? builtInCatalogers : catalogersWith(pins);
  const scanned = await scanImage(image, catalogers, { ...options, jobs, startThread });
  const packaged = catalogers.map((cataloger) => ({
    cataloger: cataloger.name,
    catalog: runCataloger(cataloger, scanned.treeFor(cataloger)),
  }));
  const executables = scanned.treeFor(elf).observed();
  const free = unowned(scanned.executables(), namesIn(executables), ownersIn(packaged));
  const noted = { cataloger: elf.name, catalog: packagesByNote(executables, new Set(free)) };
  const isOwned = isOwnedBy(ownersIn(packaged));
  const runs = packaged.map((run) => {
    if (run.cataloger === elf.name) {
      return noted;
    }
    const unread = [others, packed].find(({ name }) => name === run.cataloger);
    return unread === undefined
      ? run
      : { ...run, catalog: { ...run.catalog, leftOut: unreadIn(scanned.treeFor(unread), isOwned) } };
  });
  const { repository, manifestDigest, configDigest, config } = image;
  const bom = assemble(
    compact({
      name: repository?.split('/').at(-1) ?? configDigest,
      configDigest,
      manifestDigest,
      repository,
      os: config.os,
      architecture: config.architecture,
      variant: config.variant,
      created: config.created,
      labels: config.labels,
      base,
      ...claimedBaseOf(image),
    }),
    runs,
    scanned.skipped,
    {
      unownedExecutables: unowned(free, namesIn(executables), ownersIn([noted])),
      buildIds: buildIdsIn(executables),
    },
  );
  return image.isUnverified === true ? { ...bom, properties: [...bom.properties, unverified] } : bom;
}

function isOwnedBy(owners: readonly Ownership[]): (path: string) => boolean {
  return (path) => owners.some((owner) => owner.owns(path));
}

/** What the digests of the layers are worth (docs/sbom.md). */
const unverified = { name: 'tcf:layer-digests', value: 'not recomputed' } as const;

function ownersIn(runs: readonly Run[]): readonly Ownership[] {
  return runs.flatMap(({ catalog }) => catalog.owners ?? []);
}

/**
 * From source and in the built program (toolchain/build.ts) the file lies next to this one, with the same
 * ending.
 */
function ownThread(): Worker {
  return startThreadOf('scan-thread.js', () => {
    const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    return new URL(`./scan-thread${ending}`, import.meta.url);
  });
}

/** By the standard annotations of the manifest, or the labels that older builders write in their place. */
export function claimedBaseOf({ annotations = {}, config }: OpenImage): Pick<Subject, 'claimedBase'> {
  const said = (key: string): string | undefined =>
    (
      annotations[`org.opencontainers.image.base.${key}`] ??
      config.labels[`org.opencontainers.image.base.${key}`]
    )?.trim() || undefined;
  const name = said('name');
  const digest = said('digest');
  if (name === undefined && digest === undefined) {
    return {};
  }
  return {
    claimedBase: compact({ name, digest }),
  };
}

/**
 * Programs and libraries that no package claims under any of their names: each is something nobody vouches
 * for, and the SBOM says so. A hard link in uv's cache is the file of the environment that it was installed
 * to.
 */
function unowned(
  executables: Iterable<string>,
  names: ReadonlyMap<string, readonly string[]>,
  owners: readonly Ownership[],
): readonly string[] {
  const isOwned = isOwnedBy(owners);
  return [...executables].filter((path) => !isOwned(path) && !(names.get(path) ?? []).some(isOwned));
}
