import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { normalizePurl, readPurl } from '../../src/bom/purl.ts';
import { must, run, scratch, tcf } from '../e2e/support.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { archive, file as member } from '../support/tar.ts';

/*
 * What other programs read in our SBOM of real images: the readers of trivy, grype, osv-scanner, cyclonedx-go
 * and Dependency-Track, built from their newest releases (build.sh). Each sees the same packages, versions
 * and source packages as we mean. With CONSUMERS=FILE the table of bench/consumers.md is written there, and
 * syft (SYFT=PROGRAM) writes SBOMs of the same images for it.
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

/** The source package and its version, as the purl means it; that of rpm is the name of a file. */
function sourceOf(purl: string): string {
  const { name, qualifiers = {}, version = '' } = readPurl(purl) ?? { name: '' };
  const epoch = qualifiers['epoch'] === undefined ? '' : `${qualifiers['epoch']}:`;
  const upstream = qualifiers['upstream'];
  const [, rpm, rpmVersion] = /^(.+)-([^-]+-[^-]+)\.src\.rpm$/.exec(upstream ?? '') ?? [];
  if (rpm !== undefined) {
    return `${rpm} ${epoch}${rpmVersion}`;
  }
  const [source = '', sourceVersion = `${epoch}${version}`] = (upstream ?? name).split('@');
  return `${source} ${sourceVersion}`;
}

function componentsIn(file: string): readonly Component[] {
  return existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly components: readonly Component[] }).components
    : [];
}

/** Packages of the distribution, those of languages with advisories, and everything. */
function cells(lines: readonly { readonly purl?: string }[]): string {
  const count = (pattern: RegExp): number => lines.filter(({ purl = '' }) => pattern.test(purl)).length;
  return [count(ofDistribution), count(ofLanguage), lines.length].join(' | ');
}

/** Only where a table is asked for: syft needs gigabytes of disk and a minute for each image. */
async function writeBySyft(image: string, file: string): Promise<void> {
  const { SYFT: syft } = process.env;
  if (syft === undefined) {
    return;
  }
  const layout = join(here.path, 'for-syft');
  await must('skopeo', ['copy', '--quiet', image, `oci:${layout}:x`]);
  await must(syft, ['scan', '--quiet', `oci-dir:${layout}`, '-o', `cyclonedx-json@1.6=${file}`], {
    env: { SYFT_CHECK_FOR_APP_UPDATE: 'false' },
  });
  rmSync(layout, { recursive: true });
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

/**
 * No rpm of a distribution can be downloaded here, but a module of Go keeps databases of real containers for
 * its own tests. One of them, with the os-release of its distribution, is an image to every scanner.
 */
async function rpmImage(): Promise<string> {
  const env = {
    PATH: `${process.env['PATH']}:/usr/local/go/bin`,
    GOMODCACHE: join(inject('work'), 'go'),
    GOFLAGS: '-modcacherw',
    GOTOOLCHAIN: 'local',
  };
  const args = ['mod', 'download', '-json', 'github.com/anchore/go-rpmdb@v0.2.2'];
  const { Dir: folder, Sum: sum } = JSON.parse(await must('go', args, { cwd: here.path, env })) as {
    readonly Dir: string;
    readonly Sum: string;
  };
  expect(sum).toBe('h1:44VC7mvFAxV9t5JUZYg3S9sqG+E94iZvyWACMDq9hSk=');
  const release =
    'NAME="Rocky Linux"\nID=rocky\nID_LIKE="rhel centos fedora"\nVERSION_ID=9.0\nCPE_NAME="cpe:/o:rocky:rocky:9::baseos"\n';
  const database = readFileSync(join(folder, 'pkg/testdata/rockylinux-9/rpmdb.sqlite'));
  const layer = archive(member('etc/os-release', release), member('var/lib/rpm/rpmdb.sqlite', database));
  const layout = join(here.path, 'rocky.oci');
  writeOciLayout(layout, { image: buildImage({ layers: [layer] }), tag: 'x' });
  return `oci:${layout}:x`;
}

const images = [
  ...['Debian 12', 'Debian 12 with Triton', 'Alpine', 'Alpine with a program of Go'],
  'Rocky Linux 9',
] as const;
const names = new Map<string, string>();

beforeAll(async () => {
  const alpine = 'localhost/tcf-consumers-alpine:latest';
  if ((await run('podman', ['image', 'exists', alpine])).code !== 0) {
    await must('bash', [join(import.meta.dirname, '../e2e/build-alpine-image.sh'), inject('work'), alpine]);
  }
  const inStore = {
    'Debian 12': `${inject('image')}-base`,
    'Debian 12 with Triton': `${inject('image')}-venv`,
    Alpine: alpine,
    'Alpine with a program of Go': await programImage(alpine),
  };
  for (const [name, image] of Object.entries(inStore)) {
    names.set(name, `containers-storage:${image}`);
  }
  names.set('Rocky Linux 9', await rpmImage());
}, 1_200_000);

describe.each(images)('%s', (image) => {
  const file = join(here.path, `${image.replaceAll(' ', '-')}.cdx.json`);
  const syftFile = join(here.path, `${image.replaceAll(' ', '-')}.syft.cdx.json`);
  let ours: readonly Component[] = [];
  const withPurl = (pattern = /./): readonly string[] =>
    ours.flatMap(({ purl }) => (purl !== undefined && pattern.test(purl) ? [purl] : []));

  beforeAll(async () => {
    const ran = await tcf(['sbom', names.get(image) ?? '', '-o', file]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(existsSync(file)).toBe(true);
    ours = componentsIn(file);
    expect(withPurl(ofDistribution).length).toBeGreaterThan(10);
    await writeBySyft(names.get(image) ?? '', syftFile);
    const its = componentsIn(syftFile);
    table.push(`| ${image} | what is written | ${cells(ours)} | ${cells(its)} |`);
  });

  const row = async (
    reader: string,
    lines: readonly Line[],
    read: (file: string) => Promise<readonly Line[]>,
  ): Promise<void> => {
    const its = existsSync(syftFile) ? await read(syftFile) : [];
    table.push(`| | ${reader} | ${cells(lines)} | ${cells(its)} |`);
  };

  test('trivy reads every package, with its version and its source', async () => {
    const lines = await read('trivy', file);
    await row('trivy 0.74.0', lines, (its) => read('trivy', its));
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
    await row('grype 0.121.3', lines, (its) => read('grype', its));
    for (const pattern of [ofDistribution, ofLanguage]) {
      expect(purlsOf(lines.filter(({ purl = '' }) => pattern.test(purl)))).toEqual(
        withPurl(pattern)
          .map((purl) => keyOf(purl))
          .sort(),
      );
    }
    const sources = new Map(lines.map(({ purl = '', source }) => [keyOf(purl), source?.split(' ')[0]]));
    for (const purl of withPurl(ofDistribution)) {
      const [source] = sourceOf(purl).split(' ');
      // It keeps no source that is called as the package is.
      if (source !== readPurl(purl)?.name) {
        expect(sources.get(keyOf(purl)), purl).toBe(source);
      }
    }
  });

  test('osv-scanner reads every package in its ecosystem', async () => {
    const lines = await read('scalibr', file);
    await row('osv-scalibr 0.5.3', lines, (its) => read('scalibr', its));
    expect(purlsOf(lines)).toEqual(
      withPurl()
        .map((purl) => keyOf(purl))
        .sort(),
    );
    // An rpm in an SBOM has none there, whoever wrote it.
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
    await row('cyclonedx-go 0.12.0', go, (its) => read('cyclonedx-go', its));
    const { invalid, lines } = await readJava(file);
    await row('cyclonedx-core-java 12.2.0', lines, async (its) => (await readJava(its)).lines);
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
  await tcf(['sbom', names.get('Debian 12 with Triton') ?? '', '--spec-version', '1.7', '-o', file]);
  expect((await readJava(file)).invalid.length).toBeGreaterThan(0);
});
