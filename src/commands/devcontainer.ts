import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Options, textOption } from '../app/options.ts';
import { openUserRegistry, readPlatform, resolveImage } from '../app/registries.ts';
import { declareVerifyOptions, verifyImage } from '../app/verify-image.ts';
import { collect, decodeUtf8 } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { printable, quoted } from '../base/text.ts';
import { chooseManifest } from '../image/manifests.ts';
import { readDevice } from '../launch/dev/options.ts';
import {
  type DevContainer,
  faultsOf,
  imageOf,
  newDevContainer,
  parseDevContainer,
  pinDevContainer,
  pinnedImage,
  powersOfLabel,
  usualFiles,
} from '../launch/devcontainer.ts';
import { parseImageConfig } from '../oci/config.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import { toText } from '../report/text.ts';
import { isSystemError } from '../system/errors.ts';
import { fileExists, readPlainFile, writeUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Verb } from './verb.ts';

const maxFile = 1024 * 1024;

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<action>',
        'init: write a devcontainer.json; pin: put the digest into the one that is there; check: what "initializeCommand" asks',
      )
      .argument('[image]', 'init: the image; pin: another image than the one that is named')
      .option('--file <path>', 'devcontainer.json, where there are several')
      .option('--device <name>', 'init: base, cpu, cuda or rocm', 'base');
    declareVerifyOptions(command);
  },
  async run(host, [action, image], options): Promise<ExitCode> {
    // The devcontainer CLI takes 130 for "the user wants to go on", and starts the container (devcontainers/cli).
    host.onInterrupt(2);
    if (action === 'check' && image === undefined) return await check(host, options);
    if (action === 'pin') return await pin(host, image, options);
    if (action === 'init' && image !== undefined) return await init(host, image, options);
    throw askedWrongly(
      'devcontainer.action',
      `tcf devcontainer does not know ${quoted([action, image].join(' ').trim())}`,
      {
        hint: 'tcf devcontainer init IMAGE, pin, or check',
      },
    );
  },
};

/** Verified at each start, from what was found today if it was verified today. */
const asked = (options: Options): Options => ({ ...options, cache: true });

async function check(host: Host, options: Options): Promise<ExitCode> {
  const file = findFile(host, options);
  const container = await readContainer(host, file);
  const faults = faultsOf(container, file);
  for (const { hint, message } of faults)
    await host.stderr.write(`tcf: ${printable(file)}: ${printable(message, 1000)}\n    hint: ${hint}\n`);
  const image = pinnedImage(container);
  if (image === undefined || faults.length > 0) return await nothing(host);
  const { verdict } = await verifyImage(
    host,
    formatImageRef(withoutTag(image)),
    asked(options),
    'devcontainer',
  );
  if (verdict.verdict !== 'allow') {
    await host.stderr.write(toText(verdict));
    return await nothing(host);
  }
  const powers = await powersOf(host, image, container, options);
  if (powers.length === 0) return 0;
  await host.stderr.write(
    `tcf: the image asks for ${powers.join(', ')} in its label devcontainer.metadata, and the project does not\n`,
  );
  await host.stderr.write(`    mend: write what you want of it into ${printable(file)}, in the same words\n`);
  return await nothing(host);
}

async function nothing(host: Host): Promise<ExitCode> {
  await host.stderr.write('tcf: nothing was started\n');
  return 1;
}

/** The tag beside a digest is for people; nobody has to ask where it leads by now. */
function withoutTag({ digest, registry, repository }: ImageRef): ImageRef {
  return { registry, repository, ...(digest === undefined ? {} : { digest }) };
}

/** The label of the configuration that the verified manifest names: content by digest, all the way. */
async function powersOf(
  host: Host,
  image: ImageRef,
  container: DevContainer,
  options: Options,
): Promise<readonly string[]> {
  const registry = await openUserRegistry(host, options);
  const named = await resolveImage(registry, withoutTag(image));
  const what = formatImageRef(image);
  const { manifest } = await chooseManifest(registry, image, named, readPlatform(host, options), what);
  const name = `the configuration of ${what}`;
  const config = parseImageConfig(
    await collect(registry.blob(image, manifest.config), jsonLimits.small.maxBytes, name),
    name,
  );
  const label = config.labels['devcontainer.metadata'];
  return label === undefined ? [] : powersOfLabel(label, container);
}

async function pin(host: Host, name: string | undefined, options: Options): Promise<ExitCode> {
  const file = findFile(host, options);
  const container = await readContainer(host, file);
  const ref = name === undefined ? imageOf(container.members) : parseImageRef(name);
  if (ref === undefined) {
    throw askedWrongly('devcontainer.image', `${quoted(file)} names no image`, {
      hint: 'a Dockerfile, Compose file or Features cannot be verified before they start: build the image in CI, sign it, and name it here',
    });
  }
  const pinned = await resolveAllowed(host, ref, options);
  if (pinned === undefined) return 1;
  const text = pinDevContainer(container, pinned, file);
  const left = faultsOf(parseDevContainer(text, file), file);
  for (const { hint, message } of left)
    await host.stderr.write(`tcf: ${printable(file)}: ${printable(message, 1000)}\n    hint: ${hint}\n`);
  if (left.length > 0) {
    await host.stderr.write('tcf: nothing was changed\n');
    return 1;
  }
  await writeUserFile(host, file, text);
  await host.stdout.write(`${pinned}\n`);
  return 0;
}

async function init(host: Host, name: string, options: Options): Promise<ExitCode> {
  const file = relative(
    host.cwd,
    resolve(host.cwd, textOption(options, 'file') ?? '.devcontainer/devcontainer.json'),
  );
  const pinned = await resolveAllowed(host, parseImageRef(name), options);
  if (pinned === undefined) return 1;
  const gpu = {
    base: [],
    cpu: [],
    cuda: ['--device=nvidia.com/gpu=all'],
    rocm: [
      '--device=/dev/kfd',
      '--device=/dev/dri',
      '--cap-add=SYS_PTRACE',
      '--group-add=keep-groups',
      '--ipc=host',
      '--security-opt=seccomp=unconfined',
    ],
  }[readDevice(textOption(options, 'device') ?? 'base')];
  await mkdir(dirname(resolve(host.cwd, file)), { recursive: true });
  await writeUserFile(host, file, newDevContainer(pinned, gpu, file), { exclusive: true });
  await host.stdout.write(`${pinned}\n`);
  return 0;
}

/** `registry/repository[:tag]@digest` of an image that the policies allow; what they say otherwise is told. */
async function resolveAllowed(host: Host, ref: ImageRef, options: Options): Promise<string | undefined> {
  // A digest that was pinned before is replaced by where its tag leads now.
  const wanted =
    ref.tag === undefined ? ref : { registry: ref.registry, repository: ref.repository, tag: ref.tag };
  const { verdict } = await verifyImage(host, formatImageRef(wanted), options, 'devcontainer');
  if (verdict.verdict === 'allow') return formatImageRef({ ...wanted, digest: verdict.image.digest });
  await host.stderr.write(toText(verdict));
  await host.stderr.write('tcf: nothing was changed\n');
  return undefined;
}

async function readContainer(host: Host, file: string): Promise<DevContainer> {
  const text = decodeUtf8(await readPlainFile(host, file, maxFile, 'the configuration'));
  if (text === undefined) throw askedWrongly('devcontainer.malformed', `${quoted(file)} is not UTF-8`);
  return parseDevContainer(text, file);
}

/** The usual file, else the only one of `.devcontainer/NAME/devcontainer.json`. */
function findFile(host: Host, options: Options): string {
  const given = textOption(options, 'file');
  if (given !== undefined) return relative(host.cwd, resolve(host.cwd, given));
  const usual = usualFiles.find((path) => fileExists(host, path));
  if (usual !== undefined) return usual;
  const found = inFolders(host).filter((path) => fileExists(host, path));
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only;
  throw askedWrongly(
    'devcontainer.file',
    only === undefined
      ? `there is no devcontainer.json in ${quoted(host.cwd)}`
      : `there are several: ${found.join(', ')}`,
    { hint: only === undefined ? 'tcf devcontainer init IMAGE writes one' : 'name one with --file' },
  );
}

function inFolders(host: Host): readonly string[] {
  try {
    return readdirSync(join(host.cwd, '.devcontainer'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join('.devcontainer', name, 'devcontainer.json'))
      .sort();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return [];
    throw error;
  }
}
