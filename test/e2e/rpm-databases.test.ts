import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';
import { differences, graphOf } from './graph.ts';
import { keysOf, rpmTruth } from './rpm.ts';
import { must, run, scratch, tcf } from './support.ts';

/*
 * Databases of real distributions, in all three forms and both byte orders, which a Go module keeps for its
 * own tests. They are downloaded here and stay here. Debian's rpm reads two of the forms; of the third the
 * module states what is in it.
 */

const module = { path: 'github.com/knqyf263/go-rpmdb', version: 'v0.1.1' };
const sum = 'h1:oh68mTCvp1XzxdU7EfafcWzzfstUZAEa3MW0IJye584=';
const folder = scratch();
let data = '';

beforeAll(async () => {
  const path = `${process.env['PATH']}:/usr/local/go/bin`;
  const env = {
    PATH: path,
    GOMODCACHE: join(inject('work'), 'go'),
    GOFLAGS: '-modcacherw',
    GOTOOLCHAIN: 'local',
  };
  const args = ['mod', 'download', '-json', `${module.path}@${module.version}`];
  const answer = JSON.parse(await must('go', args, { cwd: folder.path, env })) as {
    Dir: string;
    Sum: string;
  };
  expect(answer.Sum).toBe(sum);
  data = join(answer.Dir, 'pkg');
});
afterAll(() => folder[Symbol.dispose]());

/**
 * The database as the only thing in an image, in the place where its distribution has it, and what tcf makes
 * of that.
 */
async function sbomOf(name: string): Promise<{ readonly text: string; readonly database: string }> {
  const source = join(data, 'testdata', name);
  const database = ['rpmdb.sqlite', 'Packages.db', 'Packages'].find((each) => existsSync(join(source, each)));
  if (database === undefined) {
    throw new Error(`there is no database in ${source}`);
  }
  const layer = archive(
    file('etc/os-release', 'ID=real\nVERSION_ID=1\n'),
    file(`var/lib/rpm/${database}`, readFileSync(join(source, database))),
  );
  const layout = join(folder.path, `${name}.oci`);
  writeOciLayout(layout, { image: buildImage({ layers: [layer], compression: 'none' }), tag: 'x' });
  const ran = await tcf(['sbom', `oci:${layout}:x`]);
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stderr).not.toContain('warning');
  return { text: ran.stdout, database: join(source, database) };
}

test.for([
  ['centos5-plain', 110],
  ['centos6-plain', 129],
  ['centos7-plain', 144],
  ['centos8-modularitylabel', 517],
  ['libuuid', 1],
  ['ubi8-s390x', 181],
  ['cbl-mariner-2.0', 129],
  ['fedora35', 137],
] as const)('%s has the %i packages that rpm lists, and its edges', async ([name, count]) => {
  const { text, database } = await sbomOf(name);
  const place = join(folder.path, name);
  const readable = join(place, 'sqlite');
  mkdirSync(readable, { recursive: true });
  cpSync(database, join(place, database.slice(database.lastIndexOf('/') + 1)));
  // rpm reads Berkeley DB, and resolves dependencies only with indexes, which the module left out: SQLite
  // makes them anew.
  const backend = database.endsWith('.sqlite') ? 'sqlite' : 'bdb_ro';
  const copied = await run('bash', [
    '-c',
    'set -o pipefail; rpmdb --exportdb --dbpath "$1" --define "_db_backend $2" | rpmdb --importdb --dbpath "$3" --define "_db_backend sqlite"',
    'copy',
    place,
    backend,
    readable,
  ]);
  expect(copied.code, copied.stderr).toBe(0);
  const truth = await rpmTruth(readable);
  const graph = graphOf(text, 'rpm');
  expect(truth.packages).toHaveLength(count);
  expect(graph.packages).toEqual(truth.packages);
  expect(differences(graph, truth)).toEqual([]);
  expect(keysOf(graph)).toEqual(truth.keys);
});

test('sle15-bci, which Debian cannot read, has the packages that the module states', async () => {
  const { text } = await sbomOf('sle15-bci');
  const go = readFileSync(join(data, 'rpmdb_testcase_test.go'), 'utf8');
  const [, table = ''] = /SLE15WithNDB = func\(\)[^\n]*\n([\s\S]*?)\n\t\t\}\n/.exec(go) ?? [];
  const stated = [
    ...table.matchAll(/^\t\t\t\{intRef\((\d*)\), "([^"]+)", "([^"]+)", "([^"]+)", "([^"]+)"/gm),
  ].map(
    ([, epoch, name, version, release, arch]) =>
      `${name} ${epoch === '' || epoch === '0' ? '' : `${epoch}:`}${version}-${release} ${arch}`,
  );
  expect(graphOf(text, 'rpm').packages).toEqual(
    stated.filter((each) => !each.startsWith('gpg-pubkey ')).sort(),
  );
  expect(stated.length).toBeGreaterThan(30);
});

test('the comparison notices what is wrong, so that its silence says something', () => {
  const [a, b, c] = ['a 1-1 noarch', 'b 1-1 noarch', 'c 1-1 noarch'];
  const truth = {
    packages: [a, b, c],
    needs: [{ from: a, need: 'b', rich: false, by: [b] }],
    missed: [{ from: a, to: b }],
  };
  const edgesTo = (...targets: string[]) => ({
    edges: new Map([[a, new Set(targets)]]),
  });
  expect(differences(edgesTo(b), truth)).toEqual([]);
  expect(differences(edgesTo(b, c), truth)).toEqual([`${a} -> ${c} follows from nothing`]);
  expect(differences(edgesTo(), truth)).toEqual([`${a} -> ${b} is missing`, `${a} needs b, and has no edge`]);
});
