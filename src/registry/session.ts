import { compact } from '../base/compact.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { failure } from './answers.ts';
import type { Action, Authorizer, TokenScope } from './authorize.ts';
import type { Repository } from './contract.ts';
import { hostOf, isLoopback } from './hosts.ts';
import type { SentSecrets } from './secrets.ts';
import type { Exchange, HttpAnswer, Timeouts, Transport } from './transport.ts';

export interface Call {
  readonly method: Exchange['method'];
  readonly url: URL;
  readonly action: Action;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Not to be sent again without looking first. */
  readonly once?: boolean;
  /** A repository of the same registry that is read for this call. */
  readonly from?: Repository;
  /** For messages: `manifest quay.io/a/b:1`. */
  readonly what: string;
}

/** Asks a registry with credentials where it wants them, and follows its redirects where that is safe. */
export interface Session {
  readonly timeouts: Timeouts;
  readonly secrets: SentSecrets;
  /**
   * `https://HOST/v2/REPOSITORY/PATH`.
   * @throws TcfError `reference.malformed` when the parts do not stay in their places.
   */
  url(repository: Repository, path: string): URL;
  call(repository: Repository, call: Call): Promise<HttpAnswer>;
}

const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function openSession(
  transport: Transport,
  authorizer: Authorizer,
  allowHttp: (registry: string) => boolean,
  timeouts: Timeouts,
  secrets: SentSecrets,
): Session {
  return {
    timeouts,
    secrets,
    url: (repository, path) => toUrl(repository, path, allowHttp),
    call: async (repository, call) => {
      const asked = (authorization: string | undefined) =>
        transport(
          compact({
            method: call.method,
            url: call.url,
            headers: { ...call.headers, ...compact({ authorization }) },
            body: call.body,
            once: call.once ?? false,
            reach: call.url.protocol === 'http:' ? 'loopback' : 'any',
          }),
        );
      const { action, from } = call;
      const scope: TokenScope = compact({ repository, action, from });
      const sent = authorizer.cached(scope);
      let answer = await asked(sent);
      if (answer.status === 401) {
        // Another question may have been answered meanwhile.
        const newer = authorizer.cached(scope);
        const authorization = newer === sent ? await authorizer.authorize(scope, answer) : newer;
        if (authorization === undefined) {
          throw await failure(answer, call.what, timeouts);
        }
        answer.end();
        answer = await asked(authorization);
        if (answer.status === 401) {
          authorizer.evict(scope);
          throw await failure(answer, call.what, timeouts);
        }
      }
      return call.method === 'GET' || call.method === 'HEAD' ? follow(transport, call, answer) : answer;
    },
  };
}

function toUrl(
  { registry, repository }: Repository,
  path: string,
  allowHttp: (registry: string) => boolean,
): URL {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const text = `//${host}/v2/${repository}/${path}`;
  const url = URL.canParse(`https:${text}`) ? new URL(`https:${text}`) : undefined;
  const given = `//${host.replace(/:443$/, '')}/v2/${repository}/${path}`;
  if (url === undefined || `//${url.host}${url.pathname}` !== given) {
    throw askedWrongly('reference.malformed', `cannot make an address of ${quoted(text.slice(2))}`);
  }
  // Plain HTTP has no way to prove who answers, so it needs both: the user's word, and a wire that does not
  // leave the machine.
  return isLoopback(hostOf(url)) && allowHttp(registry) ? new URL(`http:${text}`) : url;
}

async function follow(transport: Transport, call: Call, first: HttpAnswer): Promise<HttpAnswer> {
  let answer = first;
  for (let hops = 0; redirects.has(answer.status); hops += 1) {
    answer.end();
    if (hops === maxRedirects) {
      throw cannotTell(
        'registry.limit',
        `${call.what}: more than ${maxRedirects} redirects from ${quoted(call.url.host)}`,
      );
    }
    answer = await transport(redirected(call, answer));
  }
  return answer;
}

function redirected(call: Call, answer: HttpAnswer): Exchange {
  const location = answer.headers['location'];
  const url =
    location !== undefined && URL.canParse(location, answer.url) ? new URL(location, answer.url) : undefined;
  if (url === undefined) {
    throw cannotTell('registry.protocol', `${quoted(answer.url.host)} redirects ${call.what} to nowhere`);
  }
  const reach = reachOfRedirect(call.url, url);
  // What was meant for the registry stays there: elsewhere, only what the request asks for.
  const { accept, range } = call.headers ?? {};
  return {
    method: call.method,
    url,
    headers: compact({ accept, range }),
    reach,
  };
}

/**
 * How far a registry's redirect may lead. Addresses behind names are looked at when connecting.
 *
 * @throws TcfError `registry.refused` where it may not be followed.
 */
export function reachOfRedirect(registry: URL, url: URL): Exchange['reach'] {
  const refuse = (why: string) =>
    cannotTell('registry.refused', `${quoted(registry.host)} redirects to ${quoted(url.origin)}: ${why}`);
  if (url.username !== '' || url.password !== '') {
    throw refuse('the address holds user info');
  }
  if (url.origin === registry.origin) {
    return 'any';
  }
  const both = isLoopback(hostOf(registry)) && isLoopback(hostOf(url));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && registry.protocol === 'http:' && both)) {
    throw refuse('only https: is followed');
  }
  if (both) {
    return 'loopback';
  }
  if (url.port !== '') {
    throw refuse('only the port of https is followed');
  }
  if (isLoopback(hostOf(url))) {
    throw refuse('it leads into this machine');
  }
  return 'public';
}
