import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeBom } from '../src/app/scan.ts';
import type { Bom, Component } from '../src/bom/model.ts';
import { memoryImage } from '../test/support/image.ts';
import { archive, file } from '../test/support/tar.ts';

/*
 * Runs the fixtures of syft, trivy and osv-scalibr through tcf and through syft, each where its package
 * manager would have it, and compares the packages. A difference that bench/fixtures.md does not explain ends
 * with exit code 1. Nothing of the peers is kept.
 *
 * usage: node bench/peer-fixtures.ts SYFT-PROGRAM PEER=GIT-FOLDER...      (PEER: syft, trivy, scalibr)
 */

/** Which files of a peer are fixtures of an ecosystem, and where each belongs in an image. */
interface Rule {
  readonly files: RegExp;
  readonly place: (path: string) => string;
}

const at = (place: string) => (): string => place;
const folder = 'testdata';
const rules: readonly Rule[] = [
  {
    files: /\/alpine\/testdata\/[^/]+$|\/os\/apk\/testdata\/[^/]+$|\/pkg\/apk\/testdata\/[^/]+$/,
    place: at('lib/apk/db/installed'),
  },
  { files: /\/debian\/testdata\/var\/lib\/dpkg\/status\.d\/[^/]+$/, place: at('var/lib/dpkg/status') },
  { files: /\/os\/dpkg\/testdata\/dpkg\/[^/]+$/, place: at('var/lib/dpkg/status') },
  { files: /\/os\/rpm\/testdata\/Packages\.db$/, place: at('usr/lib/sysimage/rpm/Packages.db') },
  {
    files: /\/os\/rpm\/testdata\/Packages[^/.]*$|\/rpm\/testdata\/timeout\/Packages$/,
    place: at('var/lib/rpm/Packages'),
  },
  { files: /\/os\/rpm\/testdata\/[^/]+\.sqlite$/, place: at('var/lib/rpm/rpmdb.sqlite') },
  {
    files: /\/gobinary\/testdata\/[^/]+$|\/golang\/binary\/testdata\/[^/]+$/,
    place: (path) => `usr/bin/${basename(path)}`,
  },
  {
    files: /\/cargoauditable\/testdata\/[^/]+\/[^/.]+$|\/rust\/binary\/testdata\/[^/]+$/,
    place: (path) => `usr/bin/${basename(path)}`,
  },
  {
    files:
      /\/conda\/testdata\/.*\.json$|\/conda\/meta\/testdata\/[^/]+\.json$|\/testdata\/conda-meta\/[^/]+\.json$/,
    place: (path) => `opt/conda/conda-meta/${basename(path)}`,
  },
  {
    files:
      /\/linux\/testdata\/(?:os|partial-fields)\/.+\/(?:os-release|redhat-release|system-release-cpe|debian_version)$/,
    place: (path) => path.replace(/^.*\/((?:usr\/lib|etc)\/[^/]+)$/, '$1'),
  },
  { files: /\/redhatbase\/testdata\/[^/]+\/[^/]+-release$/, place: (path) => `etc/${basename(path)}` },
  { files: /\/os\/debian\/testdata\/.*debian_version$/, place: at('etc/debian_version') },
  { files: /\/os\/ubuntu\/testdata\/lsb-release$/, place: at('etc/lsb-release') },
];

interface Fixture {
  readonly label: string;
  readonly place: string;
  readonly content: Uint8Array;
}

const [syft = '', ...peers] = process.argv.slice(2);
const explained = readFileSync(join(import.meta.dirname, 'fixtures.md'), 'utf8');
const fixtures = peers.flatMap(fixturesOf);
const theirs = bySyft(fixtures);
let same = 0;
let unexplained = 0;
for (const [index, { content, label, place }] of fixtures.entries()) {
  const ours = await byTcf(place, content);
  const lacking = theirs[index]?.filter((each) => !ours.includes(each)) ?? [];
  const more = ours.filter((each) => theirs[index]?.includes(each) !== true);
  if (lacking.length + more.length === 0) {
    same += 1;
  } else {
    const isExplained = explained.includes(`\`${label}\``);
    if (!isExplained) {
      unexplained += 1;
    }
    process.stdout.write(
      `${isExplained ? 'explained' : 'NOT EXPLAINED'} ${label}: only syft ${some(lacking)}, only tcf ${some(more)}\n`,
    );
  }
}
process.stdout.write(`${fixtures.length} fixtures, ${same} the same, ${unexplained} not explained\n`);
process.exitCode = unexplained === 0 ? 0 : 1;

function some(list: readonly string[]): string {
  return `${list.length} (${list.slice(0, 3).join(', ')})`;
}

function fixturesOf(peer: string): readonly Fixture[] {
  const [name = '', repository = ''] = peer.split('=');
  const git = (...args: readonly string[]): Buffer =>
    execFileSync('git', ['-C', repository, ...args], {
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  return git('ls-tree', '-r', '--name-only', 'HEAD')
    .toString()
    .split('\n')
    .flatMap((path): readonly Fixture[] => {
      const rule = rules.find(({ files }) => files.test(path));
      if (rule === undefined) {
        return [];
      }
      // Copies of a repository may lack its largest files.
      if (!isHeld(repository, path)) {
        return [];
      }
      return [
        { label: `${name} ${labelOf(path)}`, place: rule.place(path), content: git('show', `HEAD:${path}`) },
      ];
    });
}

function isHeld(repository: string, path: string): boolean {
  return spawnSync('git', ['-C', repository, 'cat-file', '-e', `HEAD:${path}`]).status === 0;
}

/** From the folder around `testdata` on: `dpkg/testdata/dpkg/single`. */
function labelOf(path: string): string {
  const [before = '', ...behind] = path.split(`/${folder}/`);
  return [basename(before), folder, ...behind].join('/');
}

async function byTcf(place: string, content: Uint8Array): Promise<readonly string[]> {
  return flatten((await scanned(place, content)).components).toSorted();
}

function scanned(place: string, content: Uint8Array): Promise<Bom> {
  return makeBom(memoryImage({ layers: [archive(file(place, content))] }), undefined, { jobs: 1 });
}

function flatten(components: readonly Component[]): readonly string[] {
  return components.flatMap(({ name, version, components: nested = [] }) => [
    `${name} ${version ?? ''}`,
    ...flatten(nested),
  ]);
}

interface SyftDocument {
  readonly artifacts: readonly {
    readonly name: string;
    readonly version: string;
    readonly locations: readonly { readonly path: string }[];
  }[];
  readonly distro?: { readonly id?: string; readonly versionID?: string };
}

/**
 * What syft finds in each: names and versions of packages, and the distribution as one more. Databases are
 * read in one run, each in a folder of its own; the distribution is one for a run.
 */
function bySyft(all: readonly Fixture[]): readonly (readonly string[])[] {
  const found = new Map<number, string[]>();
  const root = mkdtempSync(join(tmpdir(), 'tcf-fixtures-'));
  try {
    for (const [index, fixture] of all.entries()) {
      const folderOf = join(root, isRelease(fixture) ? 'releases' : 'packages', String(index));
      mkdirSync(join(folderOf, dirname(fixture.place)), { recursive: true });
      writeFileSync(join(folderOf, fixture.place), fixture.content, { mode: 0o755 });
      if (!isRelease(fixture)) {
        continue;
      }
      const { distro } = runSyft(folderOf);
      if (distro?.id !== undefined && distro.id !== '') {
        found.set(index, [`${distro.id} ${distro.versionID ?? ''}`]);
      }
    }
    for (const { locations, name, version } of runSyft(join(root, 'packages')).artifacts) {
      const index = Number(/^\/(\d+)\//.exec(locations[0]?.path ?? '')?.[1]);
      found.set(index, [...(found.get(index) ?? []), `${name} ${asOurs(name, version)}`]);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
  return all.map((_, index) => found.get(index) ?? []);
}

/** `UNKNOWN` is how syft says nothing; the standard library of Go has the version of Go. */
function asOurs(name: string, version: string): string {
  if (version === 'UNKNOWN') {
    return '';
  }
  return name === 'stdlib' ? version.replace(/^go/, '') : version;
}

function isRelease({ place }: Fixture): boolean {
  return /^(?:etc|usr\/lib)\/[^/]+$/.test(place);
}

function runSyft(directory: string): SyftDocument {
  const args = [
    'scan',
    '--quiet',
    '--override-default-catalogers',
    'image',
    `dir:${directory}`,
    '-o',
    'syft-json',
  ];
  const text = execFileSync(syft, args, {
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { SYFT_CHECK_FOR_APP_UPDATE: 'false', HOME: directory },
  });
  return JSON.parse(text.toString()) as SyftDocument;
}
