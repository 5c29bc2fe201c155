import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { normalizePurl, readPurl } from '../../src/bom/purl.ts';
import { must, run, scratch, tcf } from '../e2e/support.ts';

/*
 * What other programs read in our SBOM of four real images: the readers of trivy, grype, osv-scanner,
 * cyclonedx-go and Dependency-Track, built from their newest releases (build.sh). Each sees the
 * same packages, versions and source packages as we mean. With CONSUMERS=FILE the table of bench/consumers.md
 * is written there.
 */

const here = scratch();
const readers = '/var/tmp/tcf-interop/consumers';
const table: string[] = [];

beforeAll(async () => {
  await must('bash', [join(import.meta.dirname, 'build.sh'), readers]);
}, 7_200_000);
afterAll(() => {
  const { CONSUMERS: file } = process.env;
  if (file !== undefined) {
    writeFileSync(file, `${table.join('\n')}\n`);
  }
  here[Symbol.dispose]();
});

interface Line {
  readonly kind: string;
  readonly name: string;
  readonly version: string;
  readonly source?: string;
  readonly purl?: string;
}

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
}

/** Distributions, whose advisories are about source packages. */
const ofDistribution = /^pkg:(?:apk|deb|rpm)\//;
/** Ecosystems of languages that have advisories at all. */
const ofLanguage = /^pkg:(?:cargo|golang|npm|pypi)\//;

async function read(reader: string, file: string): Promise<readonly Line[]> {
  const text = await must(join(readers, reader), [file]);
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

/** The library of Dependency-Track: what it finds invalid, and what it reads. */
async function readJava(
  file: string,
): Promise<{ readonly invalid: readonly string[]; readonly lines: readonly Line[] }> {
  const folder = join(readers, 'java');
  const text = await must('java', ['-cp', `${folder}:${folder}/lib/*`, 'CycloneDxJava', file]);
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.split('|'));
  return {
    invalid: rows.filter(([kind]) => kind === 'invalid').map((row) => row.join(' ')),
    lines: rows
      .filter(([kind = '']) => !['invalid', 'spec'].includes(kind))
      .map(([kind = '', name = '', version = '', purl = '']) => ({
        kind,
        name,
        version: version === 'null' ? '' : version,
        ...(purl === 'null' ? {} : { purl }),
      })),
  };
}

/** packageurl-go writes paths of Go in lower case, which purl-spec no longer asks for. */
const keyOf = (purl: string, source = ''): string => {
  const spelled = normalizePurl(purl) ?? purl;
  return `${spelled.startsWith('pkg:golang/') ? spelled.toLowerCase() : spelled} ${source}`.trim();
};
const purlsOf = (lines: readonly Line[]): readonly string[] =>
  lines.flatMap(({ purl }) => (purl === undefined ? [] : [keyOf(purl)])).sort();

/** The source package and its version, as the purl means it. */
function sourceOf(purl: string): string {
  const { name, qualifiers = {}, type, version = '' } = readPurl(purl) ?? { name: '' };
  const own =
    type === 'rpm' && qualifiers['epoch'] !== undefined ? `${qualifiers['epoch']}:${version}` : version;
  const upstream = qualifiers['upstream'];
  if (upstream === undefined) {
    return `${name} ${own}`;
  }
  const [source = '', sourceVersion = own] = upstream.split('@');
  return `${source} ${sourceVersion}`;
}

/** Builds an image of nothing but this program and what says that it is Alpine. */
async function programImage(alpine: string): Promise<string> {
  const folder = join(here.path, 'program');
  mkdirSync(folder);
  copyFileSync(join(readers, 'grype'), join(folder, 'reader'));
  writeFileSync(join(folder, 'Containerfile'), `FROM ${alpine}\nCOPY reader /usr/local/bin/reader\n`);
  const name = 'localhost/tcf-consumers-go:latest';
  await must('buildah', ['bud', '--quiet', '--tag', name, folder]);
  return name;
}

const images = ['Debian 12', 'Debian 12 with Triton', 'Alpine', 'Alpine with a program of Go'] as const;
const names = new Map<string, string>();

beforeAll(async () => {
  const alpine = 'localhost/tcf-consumers-alpine:latest';
  if ((await run('podman', ['image', 'exists', alpine])).code !== 0) {
    await must('bash', [join(import.meta.dirname, '../e2e/build-alpine-image.sh'), inject('work'), alpine]);
  }
  names.set('Debian 12', `${inject('image')}-base`);
  names.set('Debian 12 with Triton', `${inject('image')}-venv`);
  names.set('Alpine', alpine);
  names.set('Alpine with a program of Go', await programImage(alpine));
}, 1_200_000);

describe.each(images)('%s', (image) => {
  const file = join(here.path, `${image.replaceAll(' ', '-')}.cdx.json`);
  let ours: readonly Component[] = [];
  const withPurl = (pattern = /./): readonly string[] =>
    ours.flatMap(({ purl }) => (purl !== undefined && pattern.test(purl) ? [purl] : []));

  beforeAll(async () => {
    const ran = await tcf(['sbom', `containers-storage:${names.get(image)}`, '-o', file]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(existsSync(file)).toBe(true);
    ours = (JSON.parse(readFileSync(file, 'utf8')) as { readonly components: readonly Component[] })
      .components;
    expect(withPurl(ofDistribution).length).toBeGreaterThan(10);
    table.push(
      `| ${image} | tcf writes | ${withPurl(ofDistribution).length} | ${withPurl(ofLanguage).length} | ${ours.length} |`,
    );
  });

  const row = (reader: string, lines: readonly Line[]): void => {
    const count = (pattern: RegExp): number => lines.filter(({ purl = '' }) => pattern.test(purl)).length;
    table.push(`| | ${reader} | ${count(ofDistribution)} | ${count(ofLanguage)} | ${lines.length} |`);
  };

  test('trivy reads every package, with its version and its source', async () => {
    const lines = await read('trivy', file);
    row('trivy 0.74.0', lines);
    const distribution = lines.filter(({ purl = '' }) => ofDistribution.test(purl));
    expect(distribution.map(({ purl = '', source }) => keyOf(purl, source)).sort()).toEqual(
      withPurl(ofDistribution)
        .map((purl) => keyOf(purl, sourceOf(purl)))
        .sort(),
    );
    expect(purlsOf(lines.filter(({ purl = '' }) => ofLanguage.test(purl)))).toEqual(
      withPurl(ofLanguage)
        .map((purl) => keyOf(purl))
        .sort(),
    );
    const system = ours.find(({ type }) => type === 'operating-system');
    expect(lines.find(({ kind }) => kind === 'operating-system')).toMatchObject({ name: system?.name });
  });

  test('grype reads every package, with its version and its source', async () => {
    const lines = await read('grype', file);
    row('grype 0.121.3', lines);
    for (const pattern of [ofDistribution, ofLanguage]) {
      expect(purlsOf(lines.filter(({ purl = '' }) => pattern.test(purl)))).toEqual(
        withPurl(pattern)
          .map((purl) => keyOf(purl))
          .sort(),
      );
    }
    const sources = new Map(lines.map(({ purl = '', source }) => [keyOf(purl), source?.split(' ')[0]]));
    for (const purl of withPurl(ofDistribution)) {
      const { name, qualifiers } = readPurl(purl) ?? { name: '' };
      const upstream = qualifiers?.['upstream']?.split('@')[0];
      // It keeps no source that is called as the package is.
      if (upstream !== undefined && upstream !== name) {
        expect(sources.get(keyOf(purl)), purl).toBe(upstream);
      }
    }
  });

  test('osv-scanner reads every package in its ecosystem', async () => {
    const lines = await read('scalibr', file);
    row('osv-scalibr 0.5.3', lines);
    expect(purlsOf(lines)).toEqual(
      withPurl()
        .map((purl) => keyOf(purl))
        .sort(),
    );
    const ecosystems = { apk: 'Alpine', deb: 'Debian', golang: 'Go', npm: 'npm', pypi: 'PyPI' };
    for (const [type, ecosystem] of Object.entries(ecosystems)) {
      for (const { kind, purl = '' } of lines) {
        if (purl.startsWith(`pkg:${type}/`)) {
          expect(kind.split(':')[0], purl).toBe(ecosystem);
        }
      }
    }
  });

  test('cyclonedx-go and the library of Dependency-Track read each component and find nothing wrong', async () => {
    const go = await read('cyclonedx-go', file);
    row('cyclonedx-go 0.12.0', go);
    const { invalid, lines } = await readJava(file);
    row('cyclonedx-core-java 12.2.0', lines);
    expect(invalid).toEqual([]);
    const wanted = ours
      .map(({ name, purl, type, version = '' }) => [type, name, version, purl ?? ''].join(' '))
      .sort();
    for (const read of [go, lines]) {
      expect(
        read.map(({ kind, name, purl = '', version }) => [kind, name, version, purl].join(' ')).sort(),
      ).toEqual(wanted);
    }
  });
});

test('1.7 is what that library refuses, which is why 1.6 is the default', async () => {
  const file = join(here.path, 'newest.cdx.json');
  const image = `containers-storage:${names.get('Debian 12 with Triton')}`;
  await tcf(['sbom', image, '--spec-version', '1.7', '-o', file]);
  expect((await readJava(file)).invalid.length).toBeGreaterThan(0);
});
