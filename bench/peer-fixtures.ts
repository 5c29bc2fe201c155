import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { makeBom } from '../src/app/scan.ts';
import type { Component } from '../src/bom/model.ts';
import { memoryImage } from '../test/support/image.ts';
import { archive, file } from '../test/support/tar.ts';
import { fixtureAround, type Placed, placed, pythonSite } from './fixture-rules.ts';

/*
 * Runs the fixtures of syft, trivy and osv-scalibr through tcf and through syft, each where its package
 * manager would have it, and compares the packages. A difference that bench/fixtures.md does not explain ends
 * with exit code 1. Nothing of the peers is kept.
 *
 * usage: node bench/peer-fixtures.ts SYFT-PROGRAM PEER=GIT-FOLDER...      (PEER: syft, trivy, scalibr)
 */

interface Fixture {
  readonly label: string;
  readonly files: Placed;
}

const [syft = '', ...peers] = process.argv.slice(2);
const explained = readFileSync(join(import.meta.dirname, 'fixtures.md'), 'utf8');
const fixtures = peers.flatMap(fixturesOf);
const theirs = bySyft(fixtures);
let same = 0;
let unexplained = 0;
for (const [index, { files, label }] of fixtures.entries()) {
  const { found, isSilent } = await byTcf(files);
  const lacking = theirs[index]?.filter((each) => !found.includes(each)) ?? [];
  const more = found.filter((each) => theirs[index]?.includes(each) !== true);
  if (lacking.length + more.length === 0) {
    same += 1;
    continue;
  }
  const isExplained = explained.includes(`\`${label}\``);
  if (!isExplained) {
    unexplained += 1;
  }
  const words = [
    isExplained ? 'explained' : 'NOT EXPLAINED',
    `${label}: only syft ${some(lacking)}, only tcf ${some(more)}`,
    ...(lacking.length > 0 && isSilent ? ['and tcf names nothing as left out'] : []),
  ];
  process.stdout.write(`${words.join(' ')}\n`);
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
  // Copies of a repository may lack its largest files.
  const paths = git('ls-tree', '-r', '--name-only', 'HEAD')
    .toString()
    .split('\n')
    .filter((path) => fixtureAround(path) !== undefined && isHeld(repository, path));
  return [...Map.groupBy(paths, (path) => fixtureAround(path) ?? '')].map(([fixture, members]) => ({
    label: `${name} ${labelOf(fixture)}`,
    files: placed(fixture, new Map(members.map((path) => [path, git('show', `HEAD:${path}`)]))),
  }));
}

function isHeld(repository: string, path: string): boolean {
  return (
    spawnSync('git', ['-C', repository, 'cat-file', '-e', `HEAD:${path}`], { stdio: 'ignore' }).status === 0
  );
}

/** From the folder around `testdata` on: `dpkg/testdata/dpkg/single`. */
function labelOf(path: string): string {
  const [before = '', ...behind] = path.split('/testdata/');
  return [basename(before), 'testdata', ...behind].join('/');
}

interface Answer {
  readonly found: readonly string[];
  /** The SBOM names nothing that was skipped or left out. */
  readonly isSilent: boolean;
}

async function byTcf(files: Placed): Promise<Answer> {
  const layer = archive(...[...files].map(([path, content]) => file(path, content)));
  const { components, properties } = await makeBom(memoryImage({ layers: [layer] }), undefined, { jobs: 1 });
  return {
    found: flatten(components, files).toSorted(),
    isSilent: !properties.some(({ name }) => /^tcf:(?:left-out|skipped|unowned-executable)$/.test(name)),
  };
}

function flatten(components: readonly Component[], files: Placed): readonly string[] {
  return components.flatMap(({ name, version, components: nested = [] }) => [
    `${known(name, files)} ${version ?? ''}`,
    ...flatten(nested, files),
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

/** As far as Python tells two names apart (PEP 503); other package managers do not fold theirs. */
function known(name: string, files: Placed): string {
  const isPython = [...files.keys()].every((place) => place.startsWith(`${pythonSite}/`));
  return isPython ? name.toLowerCase().replace(/[-_.]+/g, '-') : name;
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
      for (const [place, content] of fixture.files) {
        mkdirSync(join(folderOf, dirname(place)), { recursive: true });
        writeFileSync(join(folderOf, place), content, { mode: 0o755 });
      }
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
      found.set(index, [
        ...(found.get(index) ?? []),
        `${known(name, all[index]?.files ?? new Map())} ${asOurs(name, version)}`,
      ]);
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

function isRelease({ files }: Fixture): boolean {
  return [...files.keys()].every((place) => /^(?:etc|usr\/lib)\/[^/]+$/.test(place));
}

function runSyft(directory: string): SyftDocument {
  const args = [
    'scan',
    '--quiet',
    ...['--override-default-catalogers', 'image', '--select-catalogers', '+conda-meta-cataloger'],
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
