import type { SigningConfigName } from '../../attest/tuf/update.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { jsonLimits } from '../../base/json.ts';
import { formatDay, printable, quoted } from '../../base/text.ts';
import {
  chooseServices,
  parseSigningConfig,
  type SigningServices,
  toServices,
} from '../../sigstore/signing-config.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { type InstanceSigningConfig, loadInstance, loadSigningConfigs } from '../trust/instances.ts';
import { maxTrustedRoot } from '../trust/trust.ts';

/** With which services to sign, and what their bundles have to verify against. */
export interface ChosenServices {
  readonly services: SigningServices;
  /** `trusted_root.json`; absent where services were named without one. */
  readonly root?: Uint8Array;
}

/** With which services to sign: named one by one, by a file, or by the name of an instance. */
export interface ServicesRequest {
  /** Sigstore instance; default for keyless: `sigstore`. */
  readonly instance?: string;
  /** File of a signing config, in place of the one of the instance. */
  readonly signingConfig?: string;
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  /** `1` or `2`. */
  readonly rekorVersion?: string;
  readonly tsaUrl?: string;
  /** File of the root that new signatures are checked against, in place of the root of the instance. */
  readonly trustedRoot?: string;
}

/**
 * The services that the user named one by one or by a file; else those of an instance: what `tcf trust
 * update` or `import` keeps of it, or what tcf carries. A key without any of these signs alone.
 *
 * @throws TcfError `sign.services`, `flags.*`, `file.unreadable` (exit 3); `signing-config.unusable`,
 *   `document.malformed`, `trust.*` (exit 2).
 */
export async function readServices(
  host: Host,
  request: ServicesRequest,
  isKeyless: boolean,
): Promise<ChosenServices> {
  const named = await namedServices(host, request);
  const instance = request.instance ?? (named === undefined && isKeyless ? 'sigstore' : undefined);
  const services =
    named ?? (instance === undefined ? alone(request) : await instanceServices(host, request, instance));
  const file = request.trustedRoot;
  if (file !== undefined) {
    return { services, root: await readUserFile(host, file, maxTrustedRoot, 'the trusted root') };
  }
  return instance === undefined
    ? { services }
    : { services, root: (await loadInstance(host, instance)).bytes };
}

async function namedServices(
  host: Host,
  { signingConfig: config, fulcioUrl, rekorUrl, rekorVersion, tsaUrl }: ServicesRequest,
): Promise<SigningServices | undefined> {
  const urls = compact({ fulcioUrl, rekorUrl, rekorVersion, tsaUrl });
  const names = Object.keys(urls);
  if (config === undefined) {
    // The version alone names no service: it chooses among those of an instance.
    return names.every((name) => name === 'rekorVersion') ? undefined : toServices(urls);
  }
  if (names.length > 0) {
    throw askedWrongly('sign.services', 'services are named twice: by --signing-config and by a URL', {
      hint: 'use one of them',
    });
  }
  const bytes = await readUserFile(host, config, jsonLimits.small.maxBytes, 'the signing config');
  return chooseServices(parseSigningConfig(bytes, quoted(config)), host.now());
}

function alone({ rekorVersion }: ServicesRequest): SigningServices {
  if (rekorVersion !== undefined) {
    throw askedWrongly('sign.services', '--rekor-version says of which kind a log is, and none is named', {
      hint: 'name it with --rekor-url, or its instance with --instance',
    });
  }
  return { logs: [], timestamps: [] };
}

/** The one to opt into logs of version 2 with, and the default one. */
const filesOf: Readonly<Record<'1' | '2', SigningConfigName>> = {
  '1': 'signing_config.v0.2.json',
  '2': 'signing_config_rekor_v2.v0.2.json',
};

/** Which ones nobody named, so it is told. */
async function instanceServices(
  host: Host,
  { rekorVersion: version }: ServicesRequest,
  name: string,
): Promise<SigningServices> {
  toServices(version === undefined ? {} : { rekorVersion: version });
  const configs = await loadSigningConfigs(host, name);
  const config =
    version === undefined
      ? configs[0]
      : configs.find(({ file }) => file === filesOf[version === '2' ? '2' : '1']);
  if (config === undefined) {
    const which = version === undefined ? '' : ` with a log of version ${version}`;
    throw askedWrongly('sign.services', `tcf knows no services${which} of ${quoted(name)}`, {
      hint: `tcf trust update ${name}, where its TUF repository has a signing config; or --signing-config FILE`,
    });
  }
  const services = chooseServices(
    parseSigningConfig(config.bytes, `the ${config.file} of ${name}`),
    host.now(),
  );
  const urls = printable(describeServices(services).join(', '), 2000);
  await host.stderr.write(`signing with ${urls} (${originOf(config)})\n`);
  return services;
}

/** Addresses, each log with its version. */
export function describeServices({ fulcio, logs, timestamps }: SigningServices): readonly string[] {
  return [
    ...(fulcio === undefined ? [] : [fulcio.href]),
    ...logs.map(({ url, version }) => `${url.href} (version ${version})`),
    ...timestamps.map(({ href }) => href),
  ];
}

const originOf = ({ asOf, name, origin }: InstanceSigningConfig): string =>
  `${name}, ${origin}, ${formatDay(asOf)}`;
