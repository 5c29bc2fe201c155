import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { type Bytes, collect } from '../base/bytes.ts';
import { cannotTell, reasonOf } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageRef } from '../oci/reference.ts';
import { judgeDockerRequest, judgeImage } from './docker-authz.ts';

/** The daemon sends bodies of up to 1 MiB, in base64, and all headers. */
const requestLimit = 4 * 1024 * 1024;

/**
 * The image may start, as one of these ids; or why not. `platform`: `os/architecture[/variant]`, where it is
 * not that of the machine.
 */
export type CheckImage = (
  ref: ImageRef & { readonly digest: Digest },
  platform: string | undefined,
) => Promise<{ readonly imageIds: readonly Digest[] } | { readonly reason: string }>;

export interface AuthzServer extends AsyncDisposable {
  readonly socket: string;
}

/**
 * Serves Docker's authorization plugin protocol on a unix socket that only its owner can reach. Whatever goes
 * wrong while a request is looked at is a denial, and a plugin that is gone is one too: the daemon fails
 * closed.
 *
 * @param daemon the daemon's own socket, which is asked what a container was made from.
 */
export async function serveAuthz(socket: string, daemon: string, check: CheckImage): Promise<AuthzServer> {
  const server = createServer((incoming, outgoing) => {
    answer(incoming, daemon, check)
      .catch((error: unknown) => ({ Allow: false, Msg: `tcf: ${printable(reasonOf(error), 1000)}` }))
      .then((body) => send(outgoing, body));
  });
  await mkdir(dirname(socket), { recursive: true, mode: 0o755 });
  await rm(socket, { force: true });
  await listen(server, socket);
  await chmod(socket, 0o600);
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(socket, { force: true });
    },
  };
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(cannotTell('hook.socket', `cannot listen on ${quoted(socket)}: ${error.message}`)),
    );
    server.listen(socket, resolve);
  });
}

async function answer(incoming: IncomingMessage, daemon: string, check: CheckImage): Promise<unknown> {
  const bytes = await collect(incoming as Bytes, requestLimit, 'the request to the plugin');
  switch (incoming.url) {
    case '/Plugin.Activate':
      return { Implements: ['authz'] };
    case '/AuthZPlugin.AuthZRes':
      return { Allow: true };
    case '/AuthZPlugin.AuthZReq':
      return await judge(bytes, daemon, check);
    default:
      throw cannotTell('hook.protocol', `the plugin has no ${quoted(incoming.url ?? '')}`);
  }
}

async function judge(bytes: Uint8Array, daemon: string, check: CheckImage): Promise<unknown> {
  const judged = judgeDockerRequest(bytes);
  // The terminal of the user shows what the daemon passes on: lines stay lines, and all else is escaped.
  const denied = (reason: string) => ({
    Allow: false,
    Msg: `tcf: ${reason
      .trim()
      .split('\n')
      .map((line) => printable(line, 1000))
      .join('\n')}`,
  });
  switch (judged.kind) {
    case 'allow':
      return { Allow: true };
    case 'deny':
      return denied(judged.reason);
    case 'image': {
      const checked = await check(judged.ref, judged.platform);
      return 'reason' in checked ? denied(checked.reason) : { Allow: true };
    }
    case 'running': {
      const { isRunning } = await inspect(daemon, judged.id);
      return isRunning
        ? { Allow: true }
        : denied(
            'what is copied into a container that does not run would start with it, unverified; start it first',
          );
    }
    case 'container': {
      const why = await whyNotStart(daemon, judged.id, check);
      return why === undefined ? { Allow: true } : denied(why);
    }
  }
}

async function whyNotStart(daemon: string, name: string, check: CheckImage): Promise<string | undefined> {
  const container = await inspect(daemon, name);
  const named = judgeImage(container.image);
  if (named.kind === 'deny') {
    return named.reason;
  }
  const checked = await check(named.ref, container.platform);
  if ('reason' in checked) {
    return checked.reason;
  }
  // The name was good; the content that the daemon holds under it has to be the one that was verified.
  const other = container.ids.find((id) => !checked.imageIds.some((known) => known === id));
  if (other !== undefined) {
    return `the container was made from ${other}, which is not what was verified as ${container.image}`;
  }
  // Asking registries takes time, in which a name may be given to another container.
  const now = await inspect(daemon, name);
  return now.container === container.container ? undefined : `${quoted(name)} is another container now`;
}

interface Inspected {
  /** Its own id. */
  readonly container: string;
  /**
   * The image id; where that is the one of an index, also the digest of the manifest that was chosen from it.
   */
  readonly ids: readonly string[];
  /** Of that manifest, as `os/architecture[/variant]`. */
  readonly platform?: string;
  /** The name that it was made with. */
  readonly image: string;
  readonly isRunning: boolean;
}

/**
 * Asks the daemon what a container was made from. The question comes back to the plugin as a GET, which is
 * allowed.
 */
async function inspect(daemon: string, container: string): Promise<Inspected> {
  const what = `the container ${quoted(container)}`;
  const shape = await new Promise<Shape>((resolve, reject) => {
    const asked = request(
      { socketPath: daemon, path: `/containers/${container}/json`, timeout: 10_000 },
      (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          reject(cannotTell('hook.daemon', `the daemon answers ${response.statusCode} for ${what}`));
          return;
        }
        collect(response as Bytes, jsonLimits.small.maxBytes, what)
          .then((bytes) => resolve(new Shape(parseJson(bytes, what), what)))
          .catch(reject);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer in 10 seconds')));
    asked.on('error', (error) =>
      reject(cannotTell('hook.daemon', `cannot ask the daemon about ${what}: ${error.message}`)),
    );
    asked.end();
  });
  // With the image store of containerd the image id is that of the index, whatever platform was asked for
  // (API 1.48 and newer say which).
  const chosen = shape.optional('ImageManifestDescriptor');
  const manifest = chosen === undefined || chosen.value === null ? undefined : chosen;
  const platform = manifest?.optional('platform');
  return {
    container: shape.get('Id').string(200),
    ids: [shape.get('Image').string(200), ...(manifest ? [manifest.get('digest').string(200)] : [])],
    image: shape.get('Config').get('Image').string(1000),
    isRunning: shape.optional('State')?.optional('Running')?.value === true,
    ...(platform === undefined ? {} : { platform: platformText(platform) }),
  };
}

function platformText(platform: Shape): string {
  const variant = platform.optional('variant')?.string(100) ?? '';
  const parts = [platform.get('os').string(100), platform.get('architecture').string(100)];
  return [...parts, ...(variant === '' ? [] : [variant])].join('/');
}

function send(outgoing: ServerResponse, body: unknown): void {
  outgoing.setHeader('Content-Type', 'application/vnd.docker.plugins.v1.2+json');
  outgoing.end(JSON.stringify(body));
}
