import { Agent, request } from 'node:https';
import { getCACertificates } from 'node:tls';
import { isLoopback } from './hosts.ts';
import type { TransportOptions } from './transport.ts';

/** How https is spoken. */
export interface SecureHttp {
  readonly request: typeof request;
  agentFor(host: string): Agent;
}

/** Connections with the certificates of the user, and to other machines by the proxy of the user. */
export function openSecureHttp({ ca: given, proxyEnv }: TransportOptions): SecureHttp {
  const ca = given === undefined ? {} : { ca: [...getCACertificates('default'), ...given] };
  const proxy = proxyEnv === undefined ? {} : { proxyEnv: { ...proxyEnv } };
  const far = new Agent({ keepAlive: true, ...ca, ...proxy });
  // A proxy would take requests for this machine, and the credentials in them, to another one.
  const near = new Agent({ keepAlive: true, ...ca });
  return { request, agentFor: (host) => (isLoopback(host) ? near : far) };
}
