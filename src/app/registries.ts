import type { Command } from 'commander';
import { decodeUtf8 } from '../base/bytes.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Platform } from '../oci/manifest.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import { openRegistry } from '../registry/client.ts';
import type { Fetched, Registry, Store } from '../registry/contract.ts';
import { openCredentials } from '../registry/credentials.ts';
import type { ReferrersMode } from '../registry/referrers-api.ts';
import type { TransportOptions } from '../registry/transport.ts';
import { openServices, type Services } from '../sigstore/services.ts';
import { readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';
import { flag, type Options, textOption } from './options.ts';

/** A bundle of CA certificates for a whole company has some hundred; Mozilla's has 150 in 220 KiB. */
const maxCertificates = 4 * 1024 * 1024;

/** The options of every verb that talks to a registry. */
export function declareRegistryOptions(command: Command): void {
  command
    .option('--allow-http', 'speak plain HTTP to a registry on loopback')
    .option(
      '--timeout <seconds>',
      'how long a registry may stay silent, or send one document (default: 30, 120)',
    )
    .option(
      '--referrers <auto|api|tag>',
      'where signatures are listed, if the registry does not tell (docs/registries.md)',
    );
}

export async function openUserRegistry(host: Host, options: Options): Promise<Registry> {
  return openRegistry({
    ...(await transportOptions(host, options)),
    allowHttp: flag(options, 'allowHttp'),
    referrers: readReferrersMode(options),
    credentials: openCredentials({ env: host.env, home: host.home, uid: host.uid }),
  });
}

/** @throws TcfError `cli.referrers` (exit 3). */
function readReferrersMode(options: Options): ReferrersMode {
  const mode = textOption(options, 'referrers') ?? 'auto';
  if (mode === 'auto' || mode === 'api' || mode === 'tag') return mode;
  throw askedWrongly('cli.referrers', `--referrers is auto, api or tag, not ${quoted(mode)}`, {
    hint: 'docs/registries.md says what each of them asks',
  });
}

/** A connection to Fulcio, logs and timestamp authorities, made as those to registries are. */
export async function openUserServices(host: Host, options: Options): Promise<Services> {
  return openServices(await transportOptions(host, options));
}

/** `signal` is no flag: hooks end all requests with it in time. */
async function transportOptions(host: Host, options: Options): Promise<TransportOptions> {
  const bundle = host.env['SSL_CERT_FILE'];
  const ca =
    bundle === undefined
      ? undefined
      : decodeUtf8(await readUserFile(host, bundle, maxCertificates, 'SSL_CERT_FILE'));
  const idle = readSeconds(options, 'timeout');
  const { signal } = options;
  return {
    userAgent: `tcf/${version}`,
    proxyEnv: host.env,
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(idle === undefined ? {} : { timeouts: { idle, document: idle } }),
    ...(signal instanceof AbortSignal ? { signal } : {}),
  };
}

/** Milliseconds of an option in seconds. @throws TcfError `cli.timeout` (exit 3). */
export function readSeconds(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw askedWrongly('cli.timeout', `${quoted(text)} is not a number of seconds from 1 to 9999`);
  }
  return Number(text) * 1000;
}

/** A name that must lead to a registry, because that is where signatures are. `docker://` may stand before it. */
export function parseRegistryName(text: string, verb: string): ImageRef {
  const transport = /^(oci|oci-archive|docker-archive|containers-storage|docker-daemon):/.exec(text)?.[1];
  if (transport !== undefined) {
    throw askedWrongly('image.transport', `tcf ${verb} cannot use ${transport}:, it works on a registry`, {
      hint: 'push the image and name it as registry/repository:tag',
    });
  }
  return parseImageRef(text.replace(/^docker:\/\//, ''));
}

/** Asks the registry for the name, once. Whatever follows uses the digest that came back. @throws TcfError `image.missing` (exit 2). */
export async function resolveImage(registry: Store, ref: ImageRef): Promise<Fetched> {
  const fetched = await registry.manifest(ref, ref.digest ?? ref.tag ?? 'latest');
  if (fetched !== undefined) return fetched;
  throw cannotTell('image.missing', `the registry has no ${formatImageRef(ref)}`, {
    hint: 'check the name and the tag; a private repository may need a login first (podman login, docker login)',
  });
}

/** `linux/arm64/v8`, as in `--platform`; the host's own where nothing was said. Images are for Linux. @throws TcfError (exit 3). */
export function readPlatform(host: Host, options: Options): Platform {
  const text = textOption(options, 'platform');
  if (text === undefined) return { os: 'linux', architecture: host.architecture };
  const [os, architecture, variant, more] = text.split('/');
  if (!os || !architecture || more !== undefined || !/^[a-z0-9/_.-]+$/.test(text)) {
    throw askedWrongly('cli.platform', `cannot read ${quoted(text)} as a platform`, {
      hint: 'write os/architecture, such as linux/arm64',
    });
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
