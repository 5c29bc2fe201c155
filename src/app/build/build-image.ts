import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { fileBytes } from '../../image/files.ts';
import { normalLayer } from '../../image/normal-layer.ts';
import { type Digest, Digester } from '../../oci/digest.ts';
import { replaceFile } from '../../system/atomic.ts';
import { fileExists, makeFolder } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { InputStore } from '../lock/input-store.ts';
import type { OpenLock } from '../lock/load-lock.ts';
import { buildContainerfile } from './containerfile.ts';
import { debootstrap } from './debootstrap.ts';
import type { BuiltByEngine, findBuildEngine } from './engine.ts';
import { layInputs } from './input-folder.ts';
import { makeRpmRoot } from './rpm-root.ts';
import { packLayer, type Stage, type StageHistory, type StageLayer, writeStage } from './stage.ts';

/** What stands in the folder of an image besides its lock: the Containerfile and what it copies. */
export interface ContextFile {
  readonly name: string;
  readonly digest: Digest;
}

/** An image and what it was built from; those below it come first. */
export interface BuiltStage {
  readonly open: OpenLock;
  readonly stage: Stage;
  readonly context: readonly ContextFile[];
  /** Layout of the base image that the lock names by its digest. */
  readonly pulled?: string;
}

export interface StageRequest {
  readonly open: OpenLock;
  readonly store: InputStore;
  readonly engine: ReturnType<typeof findBuildEngine>;
  /** Empty folder on a disk with room for several times the image. */
  readonly work: string;
  /** Told before each image. */
  readonly onBegin: (image: string) => Promise<void>;
  /** Opens a base image that a lock names by digest. */
  readonly pull: (base: { readonly image: string; readonly digest: string }, work: string) => Promise<Stage>;
}

/** A folder of an image holds a Containerfile and some scripts. */
const maxContextFiles = 1000;

/**
 * Builds the images of a lock from the lowest up. Nothing is taken from a build before: what the locks and
 * the folders say is all that goes in.
 *
 * @throws TcfError as `debootstrap`, `buildContainerfile` and `layInputs` do; `build.containerfile` (exit 3).
 */
export async function buildStages(host: Host, request: StageRequest): Promise<readonly BuiltStage[]> {
  const { open, work } = request;
  const below = open.base === undefined ? [] : await buildStages(host, { ...request, open: open.base });
  const folder = join(work, `${below.length}-${open.lock.image}`);
  await makeFolder(host, folder);
  await request.onBegin(open.lock.image);
  const context = join(folder, 'context');
  await layInputs(host, open, request.store, join(context, 'inputs'));
  const files = await copyContext(host, open.folder, context);
  const base = below.at(-1)?.stage ?? (await bottom(host, request, folder, context));
  const stage = await buildOn(host, request, { base, context, folder, hasFile: files.length > 0 });
  // What is packed is all that is needed from here on.
  await rm(context, { recursive: true });
  const pulled = 'image' in open.lock.base ? { pulled: base.layout } : {};
  return [...below, { open, stage, context: files, ...pulled }];
}

/** The image under the first Containerfile. */
async function bottom(
  host: Host,
  { open, pull }: StageRequest,
  folder: string,
  context: string,
): Promise<Stage> {
  const { lock } = open;
  const work = join(folder, 'base');
  await makeFolder(host, work);
  if ('image' in lock.base) {
    return await pull(lock.base, work);
  }
  const isRpm = 'rpm' in lock.base;
  const layer = isRpm
    ? await makeRpmRoot(host, lock, join(context, 'inputs/rpms'), work)
    : await debootstrap(host, lock, join(context, 'inputs/debs'), work);
  const maker = isRpm ? 'rpm' : `mmdebstrap ${lock.debian?.suite ?? ''}`;
  const history = [{ createdBy: `${maker}, from the packages of the lock`, isEmpty: false }];
  return await writeStage(join(work, 'layout'), {
    lock,
    layers: [layer],
    history,
    runtime: {},
    annotations: {},
  });
}

interface Place {
  readonly base: Stage;
  readonly context: string;
  readonly folder: string;
  readonly hasFile: boolean;
}

async function buildOn(
  host: Host,
  { engine, open }: StageRequest,
  { base, context, folder, hasFile }: Place,
): Promise<Stage> {
  const { lock } = open;
  const epoch = Date.parse(lock.epoch) / 1000;
  // A base that mmdebstrap makes has the packages already.
  const hasPackages =
    (!('debootstrap' in lock.base) && lock.debian !== undefined) ||
    (!('rpm' in lock.base) && lock.rpm !== undefined);
  if (!hasFile && (hasPackages || lock.python !== undefined || lock.files !== undefined)) {
    throw askedWrongly(
      'build.containerfile',
      `the lock of ${lock.image} has inputs, and no Containerfile installs them`,
      {
        hint: `write ${join(open.folder, 'Containerfile')}: ARG BASE, FROM \${BASE}, and RUN lines that read /inputs`,
      },
    );
  }
  const built: BuiltByEngine = hasFile
    ? await buildContainerfile(host, { engine, base, context, epoch, work: folder })
    : { layers: [], history: [], runtime: base.runtime };
  const own = await packOwn(built, folder, epoch, lock.compression);
  return await writeStage(join(folder, 'layout'), {
    lock,
    layers: [...base.layers, ...own.layers],
    history: [...base.history, ...own.history],
    runtime: runtimeOf(built.runtime, open),
    annotations: annotationsOf(open, base.digest),
  });
}

/**
 * The layers of an engine in their normal form; those that held nothing else than what is left out are not
 * there.
 */
async function packOwn(
  { history, layers }: BuiltByEngine,
  folder: string,
  epoch: number,
  compression: OpenLock['lock']['compression'],
): Promise<{ readonly layers: readonly StageLayer[]; readonly history: readonly StageHistory[] }> {
  const packed: StageLayer[] = [];
  const lines: StageHistory[] = [];
  let next = 0;
  for (const { createdBy, isEmpty } of history) {
    const file = isEmpty ? undefined : layers[next];
    next += isEmpty ? 0 : 1;
    const layer = file === undefined ? undefined : await normalLayer(file, epoch, false);
    if (layer === undefined || layer.entries.length === 0) {
      lines.push({ createdBy, isEmpty: true });
      continue;
    }
    packed.push(await packLayer(join(folder, `layer-${packed.length}`), layer, compression));
    lines.push({ createdBy, isEmpty: false });
  }
  return { layers: packed, history: lines };
}

/**
 * What an image may say about how it is run (image specification, "config"; Healthcheck as Docker writes it).
 */
const runtimeMembers = [
  'Cmd',
  'Entrypoint',
  'Env',
  'ExposedPorts',
  'Healthcheck',
  'Labels',
  'StopSignal',
  'User',
  'Volumes',
  'WorkingDir',
] as const;

function runtimeOf(
  built: Readonly<Record<string, unknown>>,
  open: OpenLock,
): Readonly<Record<string, unknown>> {
  const labels = Object.entries((built['Labels'] ?? {}) as Readonly<Record<string, string>>).filter(
    ([name]) => name !== 'io.buildah.version',
  );
  const own = Object.entries(annotationsOf(open, undefined));
  const env = (built['Env'] ?? []) as readonly string[];
  const llvm = open.lock.llvm?.some(({ in: where }) => where === 'tarball') ? ['LLVM_SYSPATH=/opt/llvm'] : [];
  const all: Readonly<Record<string, unknown>> = {
    ...built,
    Env: [...env.filter((line) => !line.startsWith('LLVM_SYSPATH=')), ...llvm],
    Labels: Object.fromEntries([...labels, ...own].sort(([a], [b]) => Number(a > b) - Number(a < b))),
  };
  return Object.fromEntries(
    runtimeMembers.flatMap((name) => {
      const value = all[name];
      const isEmpty =
        value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
      return isEmpty ? [] : [[name, value]];
    }),
  );
}

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md */
function annotationsOf(
  { base, digest, lock }: OpenLock,
  below: Digest | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(below === undefined ? {} : { 'org.opencontainers.image.base.digest': below }),
    ...(base === undefined ? {} : { 'org.opencontainers.image.base.name': base.lock.image }),
    'org.opencontainers.image.created': lock.epoch,
    ...(lock.title === undefined ? {} : { 'org.opencontainers.image.title': lock.title }),
    'tcf.lock': digest,
  };
}

/**
 * Copies the folder of an image but for its lock; a folder in it would be read by nobody's eye and is
 * refused.
 */
async function copyContext(host: Host, folder: string, context: string): Promise<readonly ContextFile[]> {
  if (!fileExists(host, join(folder, 'Containerfile'))) {
    return [];
  }
  const entries = readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'lock.yaml')
    .toSorted((a, b) => Number(a.name > b.name) - Number(a.name < b.name));
  const strange = entries.find((entry) => !entry.isFile());
  if (strange !== undefined || entries.length > maxContextFiles) {
    const why =
      strange === undefined
        ? `more than ${maxContextFiles} files`
        : `${quoted(strange.name)}, which is not a file`;
    throw askedWrongly('build.context', `${quoted(folder)} holds ${why}`, {
      hint: 'a folder of an image holds its lock, its Containerfile and files that it copies; large inputs belong into the lock',
    });
  }
  const files: ContextFile[] = [];
  for (const { name } of entries) {
    const digester = new Digester();
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of fileBytes(join(folder, name))) {
        digester.update(chunk);
        yield chunk;
      }
    };
    await replaceFile(resolve(context, name), bytes());
    files.push({ name, digest: digester.digest() });
  }
  return files;
}
