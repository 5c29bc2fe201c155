import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Options } from '../app/options.ts';
import { declareRegistryOptions, openUserRegistry, readPlatform, resolveImage } from '../app/registries.ts';
import { formatBytes } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import { plural, printable, quoted } from '../base/text.ts';
import { isOciLayoutName, layoutFiles } from '../image/from-oci.ts';
import { isRegistryName } from '../image/from-registry.ts';
import { layoutRepository, openLayoutStore } from '../image/layout-store.ts';
import { openLayoutWriter } from '../image/layout-writer.ts';
import { isBareName, parseImageName } from '../image/source.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPinnedRef, type ImageRef, parseImageRef, pin } from '../oci/reference.ts';
import type { Fetched, Registry, Repository, Store } from '../registry/contract.ts';
import { type Copied, copyImage, type Target } from '../registry/copy.ts';
import { registryTarget } from '../registry/copy-target.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument('<from>', 'registry/repository[:tag][@digest] or oci:DIR[:TAG]')
      .argument('<to>', 'the same')
      .addHelpText(
        'after',
        '\nCopies an image, or an index with all its platforms, byte for byte, and everything that refers to it. Signatures are copied, not verified.',
      );
    declareRegistryOptions(command);
  },
  async run(host, [fromText = '', toText = ''], options): Promise<ExitCode> {
    const from = parsePlace(fromText);
    const to = parsePlace(toText);
    const registry = await openUserRegistry(host, options);
    const { image, repository, store } = await openSource(host, options, registry, from, fromText);
    const { digest } = image.descriptor;
    if (to.kind === 'registry' && (to.ref.digest ?? digest) !== digest) {
      throw askedWrongly('copy.digest', `${quoted(fromText)} is ${digest}, not ${quoted(toText)}`, {
        hint: 'a copy keeps its digest: leave it away, or name the source by it',
      });
    }
    const copied = await copyImage(store, repository, image, await openTarget(host, registry, from, to));
    await host.stderr.write(summaryOf(copied));
    await host.stdout.write(`${nameOf(to, digest)}\n`);
    return 0;
  },
};

type Place =
  | { readonly kind: 'registry'; readonly ref: ImageRef }
  | { readonly kind: 'layout'; readonly directory: string; readonly reference?: string };

function parsePlace(text: string): Place {
  const name = parseImageName(text);
  if (isBareName(name)) return { kind: 'registry', ref: parseImageRef(name.name) };
  if (isRegistryName(name)) return { kind: 'registry', ref: name.ref };
  if (isOciLayoutName(name)) {
    const { directory, reference } = name;
    return { kind: 'layout', directory, ...(reference === undefined ? {} : { reference }) };
  }
  throw askedWrongly('image.transport', `tcf copy cannot use ${name.transport}:`, {
    hint: 'only registries and oci: layouts hold signatures beside images',
  });
}

interface Source {
  readonly store: Store;
  readonly repository: Repository;
  readonly image: Fetched;
}

async function openSource(
  host: Host,
  options: Options,
  registry: Registry,
  from: Place,
  text: string,
): Promise<Source> {
  if (from.kind === 'registry') {
    return { store: registry, repository: from.ref, image: await resolveImage(registry, from.ref) };
  }
  const { named, store } = await openLayoutStore(
    layoutFiles(resolve(host.cwd, from.directory)),
    from.reference,
    readPlatform(host, options),
    quoted(text),
  );
  return { store, repository: layoutRepository, image: named };
}

async function openTarget(host: Host, registry: Registry, from: Place, to: Place): Promise<Target> {
  if (to.kind === 'layout') {
    // `@N` is how an entry of a layout is chosen, so it cannot be given as a name.
    if (to.reference?.startsWith('@')) {
      throw askedWrongly('copy.name', `${quoted(to.reference)} cannot be the name of an image in a layout`);
    }
    return await openLayoutWriter(resolve(host.cwd, to.directory), to.reference);
  }
  const isNear = from.kind === 'registry' && from.ref.registry === to.ref.registry;
  const mountable = isNear && from.ref.repository !== to.ref.repository ? from.ref : undefined;
  return registryTarget(registry, to.ref, to.ref.tag, mountable);
}

function summaryOf({ blobs, bytes, companions, manifests, warnings }: Copied): string {
  const lines = [
    ...warnings.map((warning) => `tcf: warning: ${printable(warning, 1000)}`),
    `copied the image and ${companions} that speak of it: ${plural(manifests, 'manifest')}; ${plural(blobs.copied, 'blob')} sent (${formatBytes(bytes)}), ${blobs.mounted} mounted, ${blobs.there} there already`,
  ];
  return `${lines.join('\n')}\n`;
}

function nameOf(place: Place, digest: Digest): string {
  return place.kind === 'registry' ? formatPinnedRef(pin(place.ref, digest)) : digest;
}
