import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must, scratch, tcf } from './support.ts';

/*
 * Locks of packages of rpm, with the real dnf, rpm and createrepo_c, from a mirror that is made here: CentOS's cannot be reached.
 * What rpm itself says of the root is the truth.
 */

const minute = 60_000;
const place = scratch();
const work = place.path;
const mirrors = ['--mirror', 'rpm:baseos=./baseos', '--mirror', `rpm:appstream=file://${work}/appstream`];

interface MadeRpm {
  readonly name: string;
  readonly version: string;
  readonly repository: 'appstream' | 'baseos';
  readonly more?: string;
  readonly file: readonly [path: string, content: string];
}

const rpms: readonly MadeRpm[] = [
  {
    name: 'centos-stream-release',
    version: '9.0',
    repository: 'baseos',
    file: ['/etc/os-release', 'ID="centos"\\nVERSION_ID="9"\\nNAME="CentOS Stream"\\n'],
  },
  { name: 'hello-libs', version: '1.2', repository: 'baseos', file: ['/usr/lib64/hello.txt', 'libs'] },
  {
    name: 'hello',
    version: '1.10',
    repository: 'appstream',
    more: 'Epoch: 2\nRequires: hello-libs >= 1.2',
    file: ['/usr/bin/hello', 'hello'],
  },
  // What nobody needs, and what would be too old.
  { name: 'hello-doc', version: '1.10', repository: 'appstream', file: ['/usr/share/hello', 'doc'] },
  {
    name: 'hello',
    version: '1.9',
    repository: 'appstream',
    more: 'Epoch: 2\nRequires: hello-libs',
    file: ['/usr/bin/hello', 'old'],
  },
];

async function makeRpm({
  file: [path, content],
  more = '',
  name,
  repository,
  version,
}: MadeRpm): Promise<void> {
  const spec = join(work, `${name}.spec`);
  writeFileSync(
    spec,
    `Name: ${name}\nVersion: ${version}\nRelease: 1.el9\nSummary: ${name}\nLicense: MIT\nBuildArch: noarch\n${more}\n%description\n${name}\n%install\nmkdir -p %{buildroot}$(dirname ${path})\nprintf '${content}' >%{buildroot}${path}\n%files\n${path}\n`,
  );
  const folders = ['_topdir', '_builddir', '_sourcedir', '_srcrpmdir'].flatMap((macro) => [
    '--define',
    `${macro} ${work}/top`,
  ]);
  await must('rpmbuild', [
    ...['--quiet', '-bb', ...folders, '--define', `_rpmdir ${work}/${repository}/Packages`, spec],
  ]);
}

beforeAll(async () => {
  for (const each of rpms) {
    await makeRpm(each);
  }
  for (const repository of ['baseos', 'appstream']) {
    await must('createrepo_c', ['--quiet', join(work, repository)]);
  }
  mkdirSync(join(work, 'images/mini'), { recursive: true });
  writeFileSync(
    join(work, 'images/mini/lock.yaml'),
    `version: 1\nimage: mini\nplatform: linux/amd64\nepoch: "2026-11-30T00:00:00Z"\ncompression: zstd\nbase: { rpm: "9" }\nwant: { rpm: [hello, centos-stream-release] }\nrpm: { release: "9", repositories: [baseos, appstream], packages: [] }\n`,
  );
}, 2 * minute);
afterAll(() => place[Symbol.dispose]());

const here = (...args: readonly string[]) => tcf(args, { cwd: work });

describe('a lock of packages of rpm', () => {
  test('that was never filled is not built, and nobody guesses where a repository is', async () => {
    const unfilled = await here('build', 'mini');
    expect(unfilled.code).toBe(3);
    expect(unfilled.stderr).toMatch(/has want\.rpm, and no input of it[\s\S]*tcf lock update mini/);
    const nowhere = await here('lock', 'update', 'mini');
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toMatch(
      /there is no address for the repository "baseos"[\s\S]*--mirror rpm:baseos=/,
    );
  });

  test('is filled by dnf: the newest of each, what it needs, and no more', { timeout: minute }, async () => {
    const updated = await here('lock', 'update', 'mini', ...mirrors);
    expect(updated, updated.stderr).toMatchObject({
      code: 0,
      stdout: '+ rpm centos-stream-release 9.0-1.el9\n+ rpm hello 2:1.10-1.el9\n+ rpm hello-libs 1.2-1.el9\n',
    });
    const lock = readFileSync(join(work, 'images/mini/lock.yaml'), 'utf8');
    const file = 'appstream/Packages/noarch/hello-1.10-1.el9.noarch.rpm';
    const [sha256] = (await must('sha256sum', [join(work, file)])).split(' ');
    const line = lock.split('\n').find((each) => each.includes('name: hello,')) ?? '';
    expect(line.replaceAll('"', '')).toContain(`sha256: ${sha256}`);
    expect(line.replaceAll('"', '')).toContain(
      'path: Packages/noarch/hello-1.10-1.el9.noarch.rpm, from: appstream',
    );
    expect(lock).not.toContain(work);
    expect((await here('lock', 'update', 'mini', ...mirrors)).stderr).toMatch(/nothing moved/);
    expect((await here('lock', 'why', 'mini', 'hello-libs')).stdout).toBe(
      'mini: rpm hello-libs 1.2-1.el9 <- hello <- want.rpm\n',
    );
  });

  test('is built twice, at two times, with one digest; lock and SBOM agree', {
    timeout: 3 * minute,
  }, async () => {
    const one = await here('build', 'mini', '--store', join(work, 'store'), ...mirrors, '-o', 'one');
    expect(one, one.stderr).toMatchObject({ code: 0 });
    expect(one.stderr).toMatch(/agree on 3 inputs/);
    const two = await here('build', 'mini', '--store', join(work, 'store'), '--offline', '-o', 'two');
    expect(two.stdout).toBe(one.stdout);
    const unpacked = join(work, 'unpacked');
    mkdirSync(unpacked);
    const index = JSON.parse(readFileSync(join(work, 'one/image/index.json'), 'utf8'));
    const blob = (digest: string) => join(work, 'one/image/blobs', digest.replace(':', '/'));
    const manifest = JSON.parse(readFileSync(blob(index.manifests[0].digest), 'utf8'));
    await must('tar', ['--zstd', '-xf', blob(manifest.layers[0].digest), '-C', unpacked]);
    const asked = ['--root', unpacked, '--define', '_dbpath /var/lib/rpm', '-qa', '--qf'];
    const said = await must('rpm', [...asked, '%{NAME} %{EPOCH} %{VERSION}-%{RELEASE}\n']);
    expect(said.trim().split('\n').sort()).toEqual([
      'centos-stream-release (none) 9.0-1.el9',
      'hello 2 1.10-1.el9',
      'hello-libs (none) 1.2-1.el9',
    ]);
  });

  test('one changed byte of a package: nothing is built', { timeout: minute }, async () => {
    const file = join(work, 'appstream/Packages/noarch/hello-1.10-1.el9.noarch.rpm');
    const bytes = readFileSync(file);
    bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const built = await here('build', 'mini', '--store', join(work, 'fresh'), ...mirrors, '-o', 'three');
    expect(built.code).toBe(2);
    expect(built.stderr).toMatch(/rpm hello 2:1\.10-1\.el9 .*is sha256:[0-9a-f]{64}, not sha256:/);
  });
});
