import { Shape } from '../base/shape.ts';
import { dockerDocument, dockerSocket } from '../image/docker-api.ts';
import { localStoreOf } from '../image/storage-conf.ts';
import { readImages } from '../image/storage-files.ts';
import type { NameKind } from '../report/completion/call.ts';
import type { Host } from '../system/host.ts';
import { loadProfiles } from './launch/dev.ts';

/** Somebody waits with a finger on the tabulator: milliseconds for an engine that has to be asked. */
const patience = 1000;
const maxOutput = 1024 * 1024;
/** Prefix that `tcf up` gives the names of containers. */
const containerPrefix = 'tcf-';

/**
 * The names of a kind in the order of their letters, without one that a shell could take for more than a
 * word. Nothing is scanned and no registry is asked. An engine that is not there, is slow or fails adds
 * nothing: this is a convenience, and the line that somebody types must stay as it is.
 */
export async function knownNames(host: Host, kind: NameKind): Promise<readonly string[]> {
  const found = await Promise.all(sourcesOf(host, kind).map((names) => names.catch(() => [])));
  return [...new Set(found.flat())].filter((name) => /^[\w][\w./:@-]*$/.test(name)).sort();
}

function sourcesOf(host: Host, kind: NameKind): readonly Promise<readonly string[]>[] {
  switch (kind) {
    case 'profiles':
      return [loadProfiles(host).then((profiles) => [...profiles.keys()])];
    case 'containers':
      return [podmanContainers(host), dockerContainers(host)];
    case 'images':
      return [
        podmanImages(host),
        dockerImages(host).then((names) => names.map((name) => `docker-daemon:${name}`)),
      ];
    case 'registry-images':
      return [podmanImages(host), dockerImages(host)].map(async (names) =>
        (await names).filter(isInRegistry),
      );
    case 'signed-images':
      return [
        ...sourcesOf(host, 'registry-images'),
        podmanImages(host).then((names) => names.filter(isLocal).map((name) => `containers-storage:${name}`)),
      ];
  }
}

const isLocal = (name: string): boolean => name.startsWith('localhost/');

/** `quay.io/...`, `localhost:5000/...`: a name without a host means whatever its reader thinks of. */
const isInRegistry = (name: string): boolean => /^[^/]*[.:][^/]*\//.test(name);

async function podmanImages(host: Host): Promise<readonly string[]> {
  const store = await localStoreOf(host);
  const lists = await Promise.all([store, ...(store.additional ?? [])].map(readImages));
  return lists.flat().flatMap(({ names }) => names.filter((name) => !name.includes('@')));
}

async function dockerImages(host: Host): Promise<readonly string[]> {
  const images = await askDocker(host, '/images/json');
  return images.flatMap((image) => {
    const tags = image.optional('RepoTags');
    return tags === undefined || tags.value === null ? [] : tags.list(10_000).map((tag) => tag.string(1000));
  });
}

async function dockerContainers(host: Host): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ name: [`^/${containerPrefix}`] }));
  const containers = await askDocker(host, `/containers/json?all=1&filters=${filters}`);
  return containers.flatMap((container) =>
    ownNames(
      container
        .get('Names')
        .list(100)
        .map((name) => name.string(1000).replace(/^\//, '')),
    ),
  );
}

async function askDocker(host: Host, path: string): Promise<readonly Shape[]> {
  const what = 'what it has';
  return new Shape(await dockerDocument(dockerSocket(host.env), path, what, patience), what).list(100_000);
}

async function podmanContainers(host: Host): Promise<readonly string[]> {
  const podman = host.find('podman');
  if (podman === undefined) {
    return [];
  }
  const call = ['ps', '--all', '--filter', `name=^${containerPrefix}`, '--format', '{{.Names}}'];
  const limits = { timeout: patience, output: maxOutput };
  const { code, stdout } = await host.program(podman, call, new Uint8Array(), limits);
  return code === 0 ? ownNames(Buffer.from(stdout).toString().split('\n')) : [];
}

/** As `tcf exec` and `tcf down` name them. */
function ownNames(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => name.startsWith(containerPrefix))
    .map((name) => name.slice(containerPrefix.length));
}
