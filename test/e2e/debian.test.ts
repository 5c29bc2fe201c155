import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { differences, type Graph, graphOf, propertyOf, type Truth } from './graph.ts';
import { must, tcf } from './support.ts';

/* Debian 12 and 13 by dpkg's and apt's own words, asked on this host about the root of the image. */

interface AptTruth extends Truth {
  readonly automatic: readonly string[];
  readonly archives: Readonly<Record<string, { readonly sha256: string; readonly urls: readonly string[] }>>;
}

const trixie = 'localhost/tcf-e2e-trixie:made';

/**
 * Debian 13 with a mail system, for its dependencies on what many packages provide, and with the lists of
 * apt.
 */
async function makeTrixie(): Promise<void> {
  const tar = join(inject('work'), 'trixie-lists.tar');
  if (!existsSync(tar)) {
    const flags = [
      '--quiet',
      '--variant=minbase',
      '--include=python3-yaml,ca-certificates,bsd-mailx',
      // As the images of Debian and Ubuntu have them, where nobody took them away.
      '--aptopt=Acquire::GzipIndexes "true"',
      '--skip=cleanup/apt/lists',
    ];
    await must('mmdebstrap', [...flags, '--format=tar', 'trixie', `${tar}.part`]);
    renameSync(`${tar}.part`, tar);
  }
  const container = (await must('buildah', ['from', 'scratch'])).trim();
  await must('buildah', ['add', '--quiet', container, tar, '/']);
  await must('buildah', ['commit', '--quiet', '--rm', container, trixie]);
}

beforeAll(makeTrixie);
afterAll(async () => {
  await must('podman', ['rmi', '--force', trixie]);
});

describe.for([
  ['Debian 12', inject('image'), 'debian-12'],
  ['Debian 13', trixie, 'debian-13'],
] as const)('%s', ([, image, distro]) => {
  let truth: AptTruth;
  let graph: Graph;
  let listed: readonly string[];

  beforeAll(async () => {
    const root = (await must('podman', ['image', 'mount', image])).trim();
    try {
      const script = join(import.meta.dirname, 'apt-truth.py');
      truth = JSON.parse(await must('/usr/bin/python3', [script, root])) as AptTruth;
      const admin = `--admindir=${root}/var/lib/dpkg`;
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the format is dpkg-query's
      const format = '${db:Status-Status} ${Package} ${Version} ${Architecture}\\n';
      listed = (await must('dpkg-query', [admin, '-W', '-f', format]))
        .split('\n')
        .filter((line) => line.startsWith('installed '))
        .map((line) => line.slice('installed '.length))
        .sort();
    } finally {
      await must('podman', ['image', 'unmount', image]);
    }
    const ran = await tcf(['sbom', `containers-storage:${image}`]);
    expect(ran.code, ran.stderr).toBe(0);
    graph = graphOf(ran.stdout, 'deb');
  });

  test('has the packages that dpkg lists, no one more, no one less', () => {
    expect(graph.packages).toEqual(listed);
    expect(truth.packages).toEqual(listed);
    expect(listed.length).toBeGreaterThan(100);
    for (const { purl } of graph.components.values()) {
      expect(purl).toContain(`distro=${distro}`);
    }
  });

  test('has the edges that apt finds', () => {
    expect(differences(graph, truth)).toEqual([]);
    expect(truth.needs.length).toBeGreaterThan(300);
  });

  test('says what came automatically, as apt does', () => {
    const automatic = graph.packages.filter(
      (name) => propertyOf(graph, name, 'tcf:dpkg:auto-installed') === 'true',
    );
    expect(automatic).toEqual(truth.automatic);
  });

  test('has checksum and address of every archive that apt has', () => {
    const { archives } = truth;
    const found = new Set<string>();
    for (const [name, { externalReferences = [], hashes = [] }] of graph.components) {
      const archive = externalReferences.find(({ type }) => type === 'distribution');
      if (archive === undefined) {
        continue;
      }
      found.add(name);
      expect(archive.hashes).toEqual(hashes);
      expect(hashes[0]?.content).toBe(archives[name]?.sha256);
      expect(archives[name]?.urls).toContain(decodeURIComponent(archive.url));
    }
    expect([...found].sort()).toEqual(Object.keys(archives).sort());
    if (image === trixie) {
      expect(found.size).toBe(graph.packages.length);
    }
  });
});
