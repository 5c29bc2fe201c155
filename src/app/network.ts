import { compact } from '../base/compact.ts';
import { openRegistry } from '../registry/client.ts';
import type { Registry } from '../registry/contract.ts';
import { openCredentials } from '../registry/credentials.ts';
import { isInsecure } from '../registry/endpoints.ts';
import { withMirrors } from '../registry/mirrors.ts';
import type { ReferrersMode } from '../registry/referrers-api.ts';
import { noRegistriesConfig, type RegistriesConfig } from '../registry/registries-config.ts';
import { type RetryPolicy, toRetryPolicy, withRetry } from '../registry/retry.ts';
import { openTransport, type Transport, type TransportOptions } from '../registry/transport.ts';
import type { Services } from '../sigstore/services.ts';
import { readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';
import { registryWithWaiting, withWaiting } from './waiting.ts';

/** How registries and services are talked to. */
export interface Network {
  /** Plain HTTP to a registry on loopback. */
  readonly allowHttp?: boolean;
  /**
   * Milliseconds that the other side may stay silent, or take for one document; default 30,000 and 120,000.
   */
  readonly idle?: number;
  /** Where signatures are listed, if the registry does not tell (docs/registries.md). Default: `auto`. */
  readonly referrers?: ReferrersMode;
  /** Ends all requests. */
  readonly signal?: AbortSignal;
}

/** A bundle of CA certificates for a whole company has some hundred; Mozilla's has 150 in 220 KiB. */
const maxCertificates = 4 * 1024 * 1024;

/**
 * A registry client with the logins of the user, which reads content where `config` has it.
 *
 * @throws TcfError `file.unreadable` (exit 3) for SSL_CERT_FILE.
 */
export async function openUserRegistry(
  host: Host,
  network: Network = {},
  config: RegistriesConfig = noRegistriesConfig,
): Promise<Registry> {
  const registry = openRegistry({
    ...(await transportOptions(host, network)),
    allowHttp: (registry) => (network.allowHttp ?? false) || isInsecure(registry, config),
    referrers: network.referrers ?? 'auto',
    credentials: openCredentials({ env: host.env, home: host.home, uid: host.uid }),
  });
  return registryWithWaiting(host, withMirrors(registry, config));
}

/** A connection to Fulcio, logs and timestamp authorities, made as those to registries are. */
export async function openUserServices(host: Host, network: Network = {}): Promise<Services> {
  const { openServices } = await import('../sigstore/services.ts');
  return withWaiting(host, openServices(await transportOptions(host, network)));
}

/** Requests with the certificates and the proxy of the user, for content that is checked by its hash. */
export async function openUserTransport(host: Host, network: Network = {}): Promise<Transport> {
  const options = await transportOptions(host, network);
  return withRetry(openTransport(options), toRetryPolicy(options));
}

async function transportOptions(
  host: Host,
  { idle, signal }: Network,
): Promise<TransportOptions & Pick<RetryPolicy, 'sleep'>> {
  const bundle = host.env['SSL_CERT_FILE'];
  const ca = bundle && Buffer.from(await readUserFile(host, bundle, maxCertificates, 'SSL_CERT_FILE'));
  return compact({
    userAgent: `tcf/${version}`,
    proxyEnv: host.env,
    ca: ca ? [ca.toString('latin1')] : undefined,
    timeouts: idle === undefined ? undefined : { idle, document: idle },
    signal,
    sleep: (ms: number) => host.sleep(ms, signal),
  });
}
