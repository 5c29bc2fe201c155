import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { printable, quoted } from '../../base/text.ts';
import { parseStanzas, type Stanza } from '../../catalogers/dpkg/deb822.ts';
import { fileBytes } from '../../image/files.ts';
import { makeFolder, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { withScratchFolder } from '../../system/scratch.ts';
import { debianRoots } from './archives.ts';
import type { DebianArchive } from './inputs.ts';
import type { LockedDeb, LockedDebian } from './lock.ts';
import type { Mirrors } from './mirrors.ts';
import { packageReasons } from './reasons.ts';

/** The index of Debian's main has 55 MB for one architecture. */
const maxIndex = 512 * 1024 * 1024;
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface DebianRequest extends Pick<LockedDebian, 'suite'> {
  readonly mirrors: Mirrors;
  /** `amd64`. */
  readonly architecture: string;
  readonly want: readonly string[];
  /** What the image below has; it stays as it is and is not in the answer. */
  readonly below: readonly LockedDeb[];
  /** Whether the packages that every system of Debian needs are asked for too. */
  readonly withEssential: boolean;
}

/**
 * Asks apt, in a folder of its own, which packages the wanted ones need today. apt checks the signature of
 * the archive; the hashes are those of its index.
 *
 * @throws TcfError `lock.apt` (exit 2): there is no apt, no network, or no way to install all of them.
 */
export async function resolveDebian(host: Host, request: DebianRequest): Promise<readonly LockedDeb[]> {
  if (host.find('apt-get') === undefined) {
    throw cannotTell('lock.apt', 'found no apt-get on PATH, which chooses the packages of Debian', {
      hint: 'update the lock on Debian or Ubuntu, or in a container of it; a build needs no apt',
    });
  }
  const rootOf = await debianRoots(host, request.mirrors);
  const uriOf = (archive: DebianArchive): string => rootOf(archive).url.replace(/^\//, 'file:///');
  const roots = { main: uriOf('debian'), security: uriOf('debian-security') };
  return await withScratchFolder(async (folder) => {
    await writeConfiguration(host, folder, request, roots);
    await apt(host, folder, ['update', '-qq']);
    const index = await readIndex(join(folder, 'lists'));
    const essential = request.withEssential ? [...index.essential] : [];
    const kept = request.below.map(({ name, version }) => `${name}=${version}`);
    const printed = await apt(host, folder, [
      'install',
      '-qq',
      '-y',
      '--print-uris',
      ...kept,
      ...essential,
      ...request.want,
    ]);
    const chosen = printed.split('\n').flatMap((line) => toStanza(line, roots, index));
    const below = new Set(request.below.map(({ name }) => name));
    const reasons = packageReasons(
      chosen.map(({ stanza }) => stanza),
      [...essential, ...request.want],
    );
    return chosen
      .map(({ from, stanza }) => toDeb(stanza, from, reasons))
      .filter(({ name }) => !below.has(name));
  });
}

/** URLs of the archives, without a slash at their end. */
interface Roots {
  readonly main: string;
  readonly security: string;
}

async function writeConfiguration(
  host: Host,
  folder: string,
  { architecture, suite }: DebianRequest,
  roots: Roots,
): Promise<void> {
  for (const name of [
    'lists/partial',
    'cache/archives/partial',
    'etc/apt.conf.d',
    'etc/preferences.d',
    'dpkg',
  ]) {
    await makeFolder(host, join(folder, name));
  }
  await writeUserFile(host, join(folder, 'dpkg/status'), '');
  const source = (url: string, suites: string): string =>
    `Types: deb\nURIs: ${url}\nSuites: ${suites}\nComponents: main\nSigned-By: ${keyring}\n`;
  const sources = [
    source(roots.main, `${suite} ${suite}-updates`),
    source(roots.security, `${suite}-security`),
  ];
  await writeUserFile(host, join(folder, 'sources.sources'), sources.join('\n'));
  const settings = {
    Dir: folder,
    'Dir::Etc': join(folder, 'etc'),
    'Dir::Etc::sourcelist': join(folder, 'sources.sources'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'dpkg/status'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Architecture': architecture,
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::GzipIndexes': 'false',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} ${JSON.stringify(value)};`);
  await writeUserFile(
    host,
    join(folder, 'apt.conf'),
    `${lines.join('\n')}\nAPT::Architectures { ${JSON.stringify(architecture)}; };\n`,
  );
}

async function apt(host: Host, folder: string, args: readonly string[]): Promise<string> {
  const kept = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => {
    const value = host.env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const environment = [
    '-i',
    `PATH=${host.env['PATH'] ?? ''}`,
    'LC_ALL=C.UTF-8',
    `APT_CONFIG=${join(folder, 'apt.conf')}`,
  ];
  const ran = await host.run('/usr/bin/env', [...environment, ...kept, 'apt-get', ...args]);
  if (ran.code !== 0) {
    throw cannotTell('lock.apt', `apt-get ${args[0]} failed: ${printable(ran.stderr.trim(), 2000)}`, {
      hint: 'check the names under want.debian and the archives (--mirror); where the image below is older than the archive, update its lock first',
    });
  }
  return ran.stdout;
}

interface PackageIndex {
  /** By the path below the root of the archive. */
  readonly byPath: ReadonlyMap<string, Stanza>;
  readonly essential: ReadonlySet<string>;
}

async function readIndex(lists: string): Promise<PackageIndex> {
  const byPath = new Map<string, Stanza>();
  const essential = new Set<string>();
  for (const name of readdirSync(lists)
    .filter((each) => each.endsWith('_Packages'))
    .sort()) {
    const bytes = await collect(fileBytes(join(lists, name)), maxIndex, `the index ${quoted(name)}`);
    for (const stanza of parseStanzas(Buffer.from(bytes).toString())) {
      byPath.set(stanza.fields.get('filename') ?? '', stanza);
      if (stanza.fields.get('essential') === 'yes') {
        essential.add(stanza.fields.get('package') ?? '');
      }
    }
  }
  return { byPath, essential };
}

interface Chosen {
  readonly stanza: Stanza;
  readonly from: 'security' | undefined;
}

/** `'URL' FILE SIZE HASH`, as apt-get --print-uris writes it; other lines are empty. */
function toStanza(line: string, roots: Roots, { byPath }: PackageIndex): readonly Chosen[] {
  const url = /^'([^']+)' /.exec(line)?.[1];
  if (url === undefined) {
    return [];
  }
  const places = [
    [roots.security, 'security'],
    [roots.main, undefined],
  ] as const;
  for (const [root, from] of places) {
    const path = url.startsWith(`${root}/`) ? decodeURIComponent(url.slice(root.length + 1)) : '';
    const stanza = byPath.get(path);
    if (stanza !== undefined) {
      return [{ stanza, from }];
    }
  }
  throw cannotTell('lock.apt', `apt chose ${quoted(url)}, which is in no index of the archives`);
}

function toDeb(stanza: Stanza, from: Chosen['from'], reasons: ReadonlyMap<string, string>): LockedDeb {
  const field = (name: string): string => stanza.fields.get(name) ?? '';
  const name = field('package');
  const why = reasons.get(name);
  return {
    name,
    version: field('version'),
    sha256: field('sha256'),
    size: Number(field('size')),
    path: field('filename'),
    ...(from === undefined ? {} : { from }),
    ...(why === undefined ? {} : { for: why }),
  };
}
