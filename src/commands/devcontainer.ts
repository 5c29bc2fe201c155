import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { allowWords } from '../app/launch/allowed-words.ts';
import {
  type CheckOptions,
  examineDevContainer,
  findDevContainerFile,
  readDevContainer,
  writeDevContainer,
} from '../app/launch/devcontainer-file.ts';
import { readSelinux } from '../app/launch/machine.ts';
import { openUserRegistry } from '../app/network.ts';
import { hostPlatform, resolveImage } from '../app/registries.ts';
import { verifyImage } from '../app/verify-image.ts';
import { collect } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { printable, quoted } from '../base/text.ts';
import { chooseManifest } from '../image/manifests.ts';
import { parseRunArguments } from '../launch/arguments.ts';
import { deviceFlags } from '../launch/dev/devices.ts';
import { type Device, readDevice } from '../launch/dev/options.ts';
import {
  type DevContainer,
  imageOf,
  parseDevContainer,
  pinnedImage,
} from '../launch/devcontainer/document.ts';
import { migrateDevContainer, newDevContainer, pinDevContainer } from '../launch/devcontainer/edit.ts';
import { type DevContainerFault, faultsOf, powersOfLabel } from '../launch/devcontainer/faults.ts';
import { parseImageConfig } from '../oci/config.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import { formatVerdict } from '../report/text.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { flag, type Options, textOption } from './options/bag.ts';
import { readNetwork } from './options/network.ts';
import { readPlatform } from './options/platform.ts';
import { readStartRequest } from './options/start.ts';
import { declareVerifyOptions, readVerifyRequest } from './options/verify.ts';
import type { Verb, VerbEntry } from './verb.ts';

const declareFile = (command: Command): Command =>
  command.option('--file <path>', 'devcontainer.json, where there are several');

/**
 * An action of the verb that the devcontainer CLI may call: it takes 130 for "the user wants to go on", and
 * starts the container.
 */
function action({ declare, run, ...entry }: Omit<VerbEntry, 'load'> & Verb): VerbEntry {
  const verb: Verb = {
    declare,
    run: (host, args, options) => {
      host.onInterrupt(2);
      return run(host, args, options);
    },
  };
  return { ...entry, load: async () => ({ verb }) };
}

export const actions: readonly VerbEntry[] = [
  action({
    name: 'init',
    usage: 'IMAGE [options]',
    summary: 'write a devcontainer.json that starts one verified digest',
    declare: (command) => {
      declareFile(command.argument('<image>', 'registry/repository:tag'))
        .option('--device <name>', 'base, cpu, cuda or rocm', 'base')
        .option('--user <name>', 'the user inside, with the ids of the caller (default: that of the image)');
      declareVerifyOptions(command);
    },
    run: (host, [image = ''], options) => init(host, image, options),
  }),
  action({
    name: 'pin',
    usage: '[IMAGE] [options]',
    summary: 'put the digest into the devcontainer.json that is there, and have tcf asked',
    declare: (command) =>
      declareVerifyOptions(
        declareFile(command.argument('[image]', 'another image than the one that is named')),
      ),
    run: (host, [image], options) => pin(host, image, options),
  }),
  action({
    name: 'migrate',
    usage: 'IMAGE [options]',
    summary: 'turn a devcontainer.json that builds its image into one that starts a verified one',
    declare: (command) =>
      declareVerifyOptions(
        declareFile(command.argument('<image>', 'what its Dockerfile built, pushed and signed')),
      ),
    run: (host, [image = ''], options) => migrate(host, image, options),
  }),
  action({
    name: 'check',
    usage: '[options]',
    summary: 'whether what the file starts is verified; what "initializeCommand" asks',
    declare: (command) => declareVerifyOptions(declareFile(command)),
    run: (host, _, options) => check(host, options),
  }),
  action({
    name: 'allow',
    usage: '-- WORD...',
    summary: 'let the project in this folder have something of the host, by the words that check prints',
    declare: (command) => command.argument('<word...>', 'such as --privileged'),
    run: (host, words) =>
      allow(
        host,
        words.filter((word) => word !== undefined),
      ),
  }),
];

async function check(host: Host, options: Options): Promise<ExitCode> {
  const file = findDevContainerFile(host, textOption(options, 'file'));
  const container = await readDevContainer(host, file);
  const faults = await examineDevContainer(host, container, file);
  await tell(host, file, faults);
  const image = pinnedImage(container);
  if (image === undefined || faults.length > 0) {
    return await nothing(host);
  }
  const { verdict } = await verifyImage(
    host,
    readStartRequest(options, formatImageRef(withoutTag(image)), 'devcontainer'),
  );
  if (verdict.verdict !== 'allow') {
    await host.stderr.write(formatVerdict(verdict));
    return await nothing(host);
  }
  const powers = await powersOf(host, image, container, options);
  if (powers.length === 0) {
    return 0;
  }
  await host.stderr.write(
    `tcf: the image asks for ${powers.join(', ')} in its label devcontainer.metadata, and the project does not\n`,
  );
  await host.stderr.write(`    hint: write what you want of it into ${printable(file)}, in the same words\n`);
  return await nothing(host);
}

async function tell(host: Host, file: string, faults: readonly DevContainerFault[]): Promise<void> {
  for (const { hint, message } of faults) {
    await host.stderr.write(
      `tcf: ${printable(file)}: ${printable(message, 1000)}\n    hint: ${printable(hint, 1000)}\n`,
    );
  }
}

async function nothing(host: Host): Promise<ExitCode> {
  await host.stderr.write('tcf: nothing was started\n');
  return 1;
}

/** The tag beside a digest is for people; nobody has to ask where it leads now. */
function withoutTag({ digest, registry, repository }: ImageRef): ImageRef {
  return compact({ registry, repository, digest });
}

/** The label of the configuration that the verified manifest names: content by digest, all the way. */
async function powersOf(
  host: Host,
  image: ImageRef,
  container: DevContainer,
  options: Options,
): Promise<readonly string[]> {
  const registry = await openUserRegistry(host, readNetwork(options));
  const named = await resolveImage(registry, withoutTag(image));
  const what = formatImageRef(image);
  const { manifest } = await chooseManifest(
    registry,
    image,
    named,
    readPlatform(options) ?? hostPlatform(host),
    what,
  );
  const name = `the configuration of ${what}`;
  const config = parseImageConfig(
    await collect(registry.blob(image, manifest.config), jsonLimits.small.maxBytes, name),
    name,
  );
  const label = config.labels['devcontainer.metadata'];
  return label === undefined ? [] : powersOfLabel(label, container);
}

async function pin(host: Host, name: string | undefined, options: Options): Promise<ExitCode> {
  const file = findDevContainerFile(host, textOption(options, 'file'));
  const container = await readDevContainer(host, file);
  const ref = name === undefined ? imageOf(container.members) : parseImageRef(name);
  if (ref === undefined) {
    throw askedWrongly('devcontainer.image', `${quoted(file)} names no image`, {
      hint: 'a Dockerfile, Compose file or Features cannot be verified before they start: build the image in CI, sign it, and tcf devcontainer migrate IMAGE',
    });
  }
  const pinned = await resolveAllowed(host, ref, options);
  if (pinned === undefined) {
    return 1;
  }
  return await replace(host, file, pinDevContainer(container, pinned, file), pinned, options);
}

async function migrate(host: Host, name: string, options: Options): Promise<ExitCode> {
  const file = findDevContainerFile(host, textOption(options, 'file'));
  const container = await readDevContainer(host, file);
  const pinned = await resolveAllowed(host, parseImageRef(name), options);
  if (pinned === undefined) {
    return 1;
  }
  const { removed, text } = migrateDevContainer(container, pinned, file);
  const exit = await replace(host, file, text, pinned, options);
  if (exit === 0 && removed.length > 0) {
    await host.stderr.write(
      `tcf: took ${removed.join(', ')} out of ${printable(file)}: what they made has to be in the image\n`,
    );
  }
  return exit;
}

/** Writes the new text if nothing but words of the user speaks against it. */
async function replace(
  host: Host,
  file: string,
  text: string,
  pinned: string,
  options: Options,
): Promise<ExitCode> {
  const left = faultsOf(parseDevContainer(text, file), file);
  await tell(host, file, left);
  // What the user may allow is left in: the file says what it wants, and check asks the user.
  if (left.some(({ word }) => word === undefined)) {
    await host.stderr.write('tcf: nothing was changed\n');
    return 1;
  }
  await warn(host, await writeDevContainer(host, file, text, readCheckOptions(options)));
  await host.stdout.write(`${pinned}\n`);
  return 0;
}

async function warn(host: Host, warning: string | undefined): Promise<void> {
  if (warning !== undefined) {
    await host.stderr.write(`tcf: warning: ${printable(warning, 1000)}\n`);
  }
}

const readCheckOptions = (options: Options): CheckOptions =>
  compact({
    policy: textOption(options, 'policy'),
    trustedRoot: textOption(options, 'trustedRoot'),
    platform: textOption(options, 'platform'),
    allowHttp: flag(options, 'allowHttp'),
  });

function gpuFlags(device: Device): readonly string[] {
  const { access, anyMachine } = deviceFlags[device];
  return [...anyMachine, ...access];
}

async function init(host: Host, name: string, options: Options): Promise<ExitCode> {
  const file = relative(
    host.cwd,
    resolve(host.cwd, textOption(options, 'file') ?? '.devcontainer/devcontainer.json'),
  );
  const user = textOption(options, 'user');
  const choices = compact({
    runArgs: gpuFlags(readDevice(textOption(options, 'device') ?? 'base')),
    relabel: await readSelinux(host),
    user,
  });
  const pinned = await resolveAllowed(host, parseImageRef(name), options);
  if (pinned === undefined) {
    return 1;
  }
  await warn(
    host,
    await writeDevContainer(
      host,
      file,
      newDevContainer(pinned, choices, file),
      readCheckOptions(options),
      true,
    ),
  );
  await host.stdout.write(`${pinned}\n`);
  return 0;
}

async function allow(host: Host, words: readonly string[]): Promise<ExitCode> {
  // One that nobody may say is refused here, and one that is no flag at all.
  const { image, judged } = parseRunArguments([...words, 'the-image'], {});
  if (image !== 'the-image' || judged.length !== words.length) {
    throw askedWrongly('devcontainer.allow', `cannot read ${quoted(words.join(' '))} as flags`, {
      hint: 'each is one word with "=", as "tcf devcontainer check" prints it',
    });
  }
  const now = await allowWords(
    host,
    judged.map(({ word }) => word),
  );
  await host.stderr.write(
    `tcf: the project in ${printable(host.cwd)} may say ${now.map(quoted).join(', ')}\n`,
  );
  return 0;
}

/**
 * `registry/repository[:tag]@digest` of an image that the policies allow; what they say otherwise is told.
 */
async function resolveAllowed(host: Host, ref: ImageRef, options: Options): Promise<string | undefined> {
  // A digest that was pinned before is replaced by where its tag leads now.
  const wanted =
    ref.tag === undefined ? ref : { registry: ref.registry, repository: ref.repository, tag: ref.tag };
  const { verdict } = await verifyImage(
    host,
    readVerifyRequest(options, formatImageRef(wanted), 'devcontainer'),
  );
  if (verdict.verdict === 'allow') {
    return formatImageRef({ ...wanted, digest: verdict.image.digest });
  }
  await host.stderr.write(formatVerdict(verdict));
  await host.stderr.write('tcf: nothing was changed\n');
  return undefined;
}
