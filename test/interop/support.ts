import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';

export interface Ran {
  readonly code: number;
  /** Both outputs, as they came. */
  readonly text: string;
}

/** Runs a real program in `cwd` to its end. */
export function run(
  cwd: string,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, COSIGN_PASSWORD: 'interop', ...env } });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 128, text }));
  });
}

/** A failure of the program is a failure of the test. */
export async function must(ran: Promise<Ran>): Promise<void> {
  const { code, text } = await ran;
  if (code !== 0) {
    throw new Error(`exit code ${code}: ${text}`);
  }
}

const main = join(import.meta.dirname, '../../src/main.ts');

/** Of those that are used here, the ones that speak to no registry. */
const localVerbs = ['keygen', 'sign-bundle', 'verify-bundle'];

/** The product, from source. */
export function tcfIn(
  cwd: string,
): (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ran> {
  return (args, env) =>
    run(
      cwd,
      process.execPath,
      [main, ...args, ...(localVerbs.includes(args[0] ?? '') ? [] : ['--allow-http'])],
      env,
    );
}

/** An index around an image for linux/amd64 that is there already. */
export async function pushIndex(host: string, repository: string, digest: Digest): Promise<string> {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const there = { registry: host, repository };
  const image = await client.manifest(there, digest);
  const manifests = [{ ...image?.descriptor, platform: { os: 'linux', architecture: 'amd64' } }];
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  const pushed = await client.pushManifest(there, 'all', mediaTypes.index, index);
  return `${host}/${repository}@${pushed.digest}`;
}

export interface RealRegistry {
  readonly host: string;
  stop(): void;
}

/** docker-registry 2.8 of Debian: no referrers API. */
export function startDockerRegistry(_: string, cwd: string): Promise<RealRegistry> {
  return startServer(cwd, (port) => {
    const config = join(cwd, 'registry.yml');
    writeFileSync(
      config,
      `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${cwd}/registry }, delete: { enabled: true } }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
    );
    return ['docker-registry', ['serve', config]];
  });
}

/**
 * A registry with the referrers API: the one that `TCF_INTEROP_REGISTRY=HOST:PORT` names, on loopback, over
 * HTTP and empty, or else olareg.
 */
export async function startReferrersRegistry(bin: string, cwd: string): Promise<RealRegistry> {
  const host = process.env['TCF_INTEROP_REGISTRY'];
  if (host !== undefined) {
    return { host, stop: () => {} };
  }
  return startServer(cwd, (port) => [
    join(bin, 'olareg'),
    ['serve', '--addr', '127.0.0.1', '--port', `${port}`, '--store-type', 'mem', '--api-delete'],
  ]);
}

/** zot 1.4: checks what a manifest names, and has no referrers API of OCI. */
export function startZot(bin: string, cwd: string): Promise<RealRegistry> {
  return startServer(cwd, (port) => {
    const config = join(cwd, 'zot.json');
    writeFileSync(
      config,
      JSON.stringify({
        distSpecVersion: '1.0.1',
        storage: { rootDirectory: join(cwd, 'zot') },
        http: { address: '127.0.0.1', port: `${port}` },
        log: { level: 'error' },
      }),
    );
    return [join(bin, 'zot'), ['serve', config]];
  });
}

/** versitygw, an S3 server over a folder: with one bucket `team`, for whoever has these keys. */
export function startS3(
  bin: string,
  cwd: string,
  { id, secret }: { readonly id: string; readonly secret: string },
): Promise<RealRegistry> {
  mkdirSync(join(cwd, 's3/team'), { recursive: true });
  const env = { ROOT_ACCESS_KEY: id, ROOT_SECRET_KEY: secret };
  return startServer(
    cwd,
    (port) => [join(bin, 'versitygw'), ['--port', `127.0.0.1:${port}`, 'posix', join(cwd, 's3')]],
    // Without a signature it says no, which is an answer.
    { env, isUp: () => true },
  );
}

async function startServer(
  cwd: string,
  command: (port: number) => readonly [string, readonly string[]],
  {
    env = {},
    isUp = ({ ok }: Response) => ok,
  }: { readonly env?: NodeJS.ProcessEnv; readonly isUp?: (answer: Response) => boolean } = {},
): Promise<RealRegistry> {
  const port = await freePort();
  const [file, args] = command(port);
  const child = spawn(file, args, { cwd, stdio: 'ignore', env: { ...process.env, ...env } });
  const host = `127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    // Not listening yet is what is waited for.
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer !== undefined && isUp(answer)) {
      return { host, stop: () => child.kill() };
    }
    await sleep(100);
  }
  child.kill();
  throw new Error(`${file} does not answer`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
