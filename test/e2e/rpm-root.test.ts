import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { profiles } from '../../src/bom/profiles.ts';
import { schemaOf } from '../support/bom.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';
import { differences, graphOf, propertyOf } from './graph.ts';
import { keysOf, type RpmTruth, rpmTruth } from './rpm.ts';
import { must, scratch, tcf } from './support.ts';

/*
 * An image of rpm in three layers, made here by rpmbuild and dnf: every kind of dependency, signed by a key
 * that dnf imports, then upgraded and partly removed. What tcf says of it is compared with rpm's own library
 * in the root of the image.
 */

/**
 * Packages for all architectures by name: their tags in the spec. Epoch 0, version 1.0 and release 1 where
 * nothing else stands there.
 */
const packages: Readonly<Record<string, readonly string[]>> = {
  'made-filesystem': [],
  'made-release': ['Requires: made-filesystem'],
  'made-shell': ['Requires: made-filesystem', 'Provides: shell = 5'],
  'needs-file': ['Requires: /usr/bin/made-sh'],
  'needs-file-through-link': ['Requires: /bin/made-sh'],
  'needs-several-of-one': ['Requires: /usr/bin/made-sh', 'Requires: shell', 'Requires: made-shell = 1.0-1'],
  'with-epoch': ['Epoch: 1', 'Provides: moved = 1:3'],
  'needs-epoch': ['Requires: with-epoch >= 1:0.5'],
  'needs-no-epoch': ['Requires: with-epoch >= 9'],
  'needs-moved': ['Requires: moved > 4'],
  'gives-virtual': ['Provides: virtual = 2.0', 'Provides: bare-virtual'],
  'needs-virtual': ['Requires: virtual >= 1.5', 'Requires: virtual < 3', 'Requires: bare-virtual'],
  'needs-bare-virtual-in-version': ['Requires: bare-virtual'],
  'needs-itself': ['Provides: own-thing', 'Requires: own-thing', 'Requires: made-shell'],
  'loop-a': ['Requires: loop-b'],
  'loop-b': ['Requires: loop-a'],
  tilde: ['Version: 1.0~rc1'],
  'needs-tilde': ['Requires: tilde < 1.0', 'Requires: tilde > 0.9'],
  caret: ['Version: 1.0^git1'],
  'needs-caret': ['Requires: caret > 1.0', 'Requires: caret < 1.0.1'],
  'rich-or': ['Requires: (absent or with-epoch)'],
  'rich-or-of-two': ['Requires: (loop-a or tilde)'],
  'rich-and': ['Requires: (with-epoch and made-shell >= 1)'],
  'rich-if-true': ['Requires: (needs-file if made-shell)'],
  'rich-if-false': ['Requires: (caret if absent)'],
  'rich-if-else': ['Requires: (caret if absent else tilde)'],
  'rich-with': ['Requires: (virtual >= 1 with virtual < 3)'],
  'a-low-virtual': ['Provides: virtual = 0.5'],
  'pair-a': ['Provides: pair', 'Provides: flag'],
  'pair-b': ['Provides: pair'],
  'rich-without-flag': ['Requires: (pair without flag)'],
  'rich-with-flag': ['Requires: (pair with flag)'],
  'rich-with-either': ['Requires: (pair with (flag or absent))'],
  'rich-without': ['Requires: (shell without absent)'],
  'rich-nested': ['Requires: ((absent or needs-file) and (loop-a if with-epoch))'],
  'rich-of-file': ['Requires: (/usr/bin/made-sh or absent)'],
  weak: ['Recommends: loop-a', 'Suggests: tilde', 'Supplements: caret', 'Enhances: made-shell'],
  'pulls-weak': ['Recommends: pulled-weakly', 'Requires: made-filesystem'],
  'pulled-weakly': [],
  'in-scripts': ['Requires(pre): made-shell', 'Requires(post): with-epoch', 'Requires(preun): tilde'],
  against: ['Conflicts: absent', 'Obsoletes: older < 2', 'Provides: older = 2'],
  'needs-older': ['Requires: older'],
  'of-module': ['ModularityLabel: perl:5.26:820181219174508:9edba152', 'Requires: made-shell'],
  'needs-soname': ['Requires: libmade.so.1()(64bit)', 'Requires: libmade.so.1(MADE_1.2)(64bit)'],
  'gives-soname': ['Provides: libmade.so.1()(64bit)', 'Provides: libmade.so.1(MADE_1.2)(64bit)'],
  'editor-one': ['Provides: editor'],
  'editor-two': ['Provides: editor'],
  'needs-editor': ['Requires: editor'],
  'needs-many': ['Requires: many = 1.0'],
  'needs-library': ['Requires: library(x86-64)'],
  'needs-library-32': ['Requires: library(x86-32) >= 1'],
  'goes-away': [],
  'is-upgraded': ['Requires: tilde'],
};

/** Files by package, for packages that have some. */
const files: Readonly<Record<string, readonly string[]>> = {
  'made-filesystem': ['/bin', '%dir /usr/bin'],
  'made-release': ['/etc/os-release'],
  'made-shell': ['/usr/bin/made-sh'],
};

const spec = (name: string, tags: readonly string[]): string => {
  const has = (tag: string) => tags.some((line) => line.startsWith(`${tag}:`));
  return [
    `%package -n ${name}`,
    `Summary: ${name} of the end-to-end test`,
    ...(has('Version') ? [] : ['Version: 1.0']),
    ...tags,
    `%description -n ${name}\nMade for a test.`,
    `%files -n ${name}`,
    ...(files[name] ?? []),
    '',
  ].join('\n');
};

const head = (name: string, version: string, license = 'GPLv2+ and MIT'): string =>
  `Name: ${name}\nVersion: ${version}\nRelease: 1\nSummary: ${name}\nLicense: ${license}\nVendor: Maker of tests\nPackager: The makers <makers@example.org>\n`;

/** How distributions without a database in their images write what is in them. */
const manifestFormat =
  '%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{INSTALLTIME}\\t%{BUILDTIME}\\t%{VENDOR}\\t%{EPOCH}\\t%{SIZE}\\t%{ARCH}\\t%{EPOCHNUM}\\t%{SOURCERPM}\\n';

const folder = scratch();
const image = 'localhost/tcf-e2e-rpm:made';
let truth: RpmTruth;
let bom = '';
let reasons: readonly string[] = [];
let keyId = '';
let manifest = '';

beforeAll(async () => {
  const home = join(folder.path, 'home');
  const repository = join(folder.path, 'rpms');
  mkdirSync(join(home, '.gnupg'), { recursive: true, mode: 0o700 });
  writeFileSync(
    join(home, '.rpmmacros'),
    `%_dbpath /var/lib/rpm\n%_db_backend sqlite\n%_topdir ${folder.path}/build\n%_rpmdir ${repository}\n%_gpg_name e2e\n%__gpg /usr/bin/gpg\n%_source_date_epoch_from_changelog 0\n`,
  );
  const env = { HOME: home, GNUPGHOME: join(home, '.gnupg'), SOURCE_DATE_EPOCH: '1700000000' };
  const build = async (name: string, text: string, target = 'noarch') => {
    writeFileSync(join(folder.path, `${name}.spec`), text);
    await must('rpmbuild', ['--quiet', '-bb', '--target', target, join(folder.path, `${name}.spec`)], {
      env,
    });
  };
  await build(
    'made',
    `${head('made', '1.0')}%description\nMade.\n%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc
ln -s usr/bin %{buildroot}/bin
echo made >%{buildroot}/usr/bin/made-sh
printf 'ID=made\\nVERSION_ID=1\\nVENDOR_NAME="Maker of tests"\\nHOME_URL=https://example.org/\\nCPE_NAME=cpe:/o:example:made:1\\n' >%{buildroot}/etc/os-release
${Object.entries(packages)
  .map(([name, tags]) => spec(name, tags))
  .join('\n')}`,
  );
  for (const version of ['1.0', '2.0']) {
    await build(`many-${version}`, `${head('many', version)}%description\nMany.\n%files\n`);
  }
  await build('upgraded', `${head('is-upgraded', '2.0')}Requires: caret\n%description\nNewer.\n%files\n`);
  for (const target of ['x86_64', 'i686']) {
    await build(`library-${target}`, `${head('library', '1.2')}%description\nLibrary.\n%files\n`, target);
  }

  const rpms = readdirSync(repository, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rpm'))
    .map((name) => join(repository, name));
  await must('gpg', ['--batch', '--passphrase', '', '--quick-gen-key', 'e2e', 'ed25519', 'sign'], { env });
  await must('rpmsign', ['--addsign', ...rpms], { env });
  const key = join(folder.path, 'key.asc');
  await must('gpg', ['--batch', '--armor', '--output', key, '--export', 'e2e'], { env });
  keyId =
    /^fpr:+.*([0-9A-F]{16}):$/m.exec(
      await must('gpg', ['--batch', '--with-colons', '--list-keys'], { env }),
    )?.[1] ?? '';
  await must('createrepo_c', ['--quiet', repository]);

  const dnf = (root: string, ...args: string[]) =>
    must(
      'dnf',
      [
        ...['-y', '-q', '--installroot', root, '--releasever', '1', '--setopt=reposdir=/dev/null'],
        ...[
          '--repofrompath',
          `made,file://${repository}`,
          '--setopt=gpgcheck=1',
          `--setopt=made.gpgkey=file://${key}`,
        ],
        '--setopt=made.module_hotfixes=1',
        ...args,
      ],
      { env },
    );
  const layer = async (from: string, to: string, change: (root: string) => Promise<void>) => {
    const container = (await must('buildah', ['from', from])).trim();
    const root = (await must('buildah', ['mount', container])).trim();
    await change(root);
    await must('buildah', ['umount', container]);
    await must('buildah', ['commit', '--quiet', '--rm', container, to]);
  };
  const named = (name: string) => rpms.find((path) => path.includes(`/${name}`)) ?? name;
  const late = ['is-upgraded', 'needs-many', 'rich-nested', 'needs-library-32'];
  const first = Object.keys(packages).filter(
    (name) => ![...late, 'pulled-weakly', 'needs-file-through-link'].includes(name),
  );
  await layer('scratch', `${image}-1`, async (root) => {
    await dnf(root, 'install', ...first, 'is-upgraded-1.0', 'many-1.0');
  });
  await layer(`${image}-1`, `${image}-2`, async (root) => {
    await dnf(root, 'upgrade', 'is-upgraded');
    await dnf(root, 'install', ...late.slice(1));
    // dnf knows no links of the root, rpm does.
    await must('rpm', ['--root', root, '-i', named('many-2.0'), named('needs-file-through-link')], { env });
  });
  await layer(`${image}-2`, image, async (root) => {
    await dnf(root, 'remove', 'goes-away');
    truth = await rpmTruth('/var/lib/rpm', root);
    reasons = (
      await dnf(root, 'repoquery', '--installed', '--qf', '%{name} %{evr} %{arch} %{reason} %{from_repo}')
    )
      .trim()
      .split('\n');
    manifest = await must('rpm', ['--root', root, '-qa', '--qf', manifestFormat], { env });
  });
  const ran = await tcf(['sbom', `containers-storage:${image}`]);
  expect(ran.code, ran.stderr).toBe(0);
  bom = ran.stdout;
});

afterAll(async () => {
  await must('podman', ['rmi', '--force', image, `${image}-1`, `${image}-2`]);
  folder[Symbol.dispose]();
});

test('lists the rpms that rpm lists, no one more, no one less', () => {
  expect(truth.packages.length).toBeGreaterThan(40);
  expect(graphOf(bom, 'rpm').packages).toEqual(truth.packages);
});

test('has the edges that follow from what rpm requires', () => {
  expect(differences(graphOf(bom, 'rpm'), truth)).toEqual([
    // Both alternatives are there, so rpm would miss neither; tcf names the first.
    'rich-or-of-two 1.0-1 noarch -> loop-a 1.0-1 noarch follows from nothing',
  ]);
});

test('has the edges of boolean dependencies that rpm would evaluate', () => {
  const { edges } = graphOf(bom, 'rpm');
  const of = (name: string) =>
    [...(edges.get(`${name} 1.0-1 noarch`) ?? [])].map((target) => target.split(' ')[0]).sort();
  expect(
    Object.fromEntries(
      Object.keys(packages)
        .filter((name) => name.startsWith('rich-'))
        .map((name) => [name, of(name)]),
    ),
  ).toEqual({
    'rich-or': ['with-epoch'],
    'rich-or-of-two': ['loop-a'],
    'rich-and': ['made-shell', 'with-epoch'],
    'rich-if-true': ['needs-file'],
    'rich-if-false': [],
    'rich-if-else': ['tilde'],
    'rich-with': ['gives-virtual'],
    'rich-without-flag': ['pair-b'],
    'rich-with-flag': ['pair-a'],
    'rich-with-either': ['pair-a'],
    'rich-without': ['made-shell'],
    'rich-nested': ['loop-a', 'needs-file'],
    'rich-of-file': ['made-shell'],
  });
});

test('says why each package is there, as dnf does', () => {
  const graph = graphOf(bom, 'rpm');
  const said = graph.packages.map((name) => {
    const reason = propertyOf(graph, name, 'tcf:rpm:reason') || 'unknown';
    return `${name} ${reason} ${propertyOf(graph, name, 'tcf:rpm:repository')}`;
  });
  expect(said).toEqual(reasons);
  for (const reason of ['user', 'dependency', 'weak-dependency']) {
    expect(said.filter((each) => each.includes(` ${reason} `)).length).toBeGreaterThan(0);
  }
});

test('names the key that signed each package, as rpm does, and no key as a package', () => {
  expect(keysOf(graphOf(bom, 'rpm'))).toEqual(truth.keys);
  expect(new Set(Object.values(truth.keys))).toEqual(new Set([keyId.toLowerCase()]));
  expect(bom).not.toContain('gpg-pubkey');
});

test('tells modules, epochs and layers apart', () => {
  const graph = graphOf(bom, 'rpm');
  expect(propertyOf(graph, 'of-module 1.0-1 noarch', 'tcf:rpm:modularity-label')).toBe(
    'perl:5.26:820181219174508:9edba152',
  );
  expect(graph.components.get('with-epoch 1:1.0-1 noarch')?.purl).toBe(
    'pkg:rpm/made/with-epoch@1.0-1?arch=noarch&distro=made-1&epoch=1&upstream=made-1.0-1.src.rpm',
  );
  const layerOf = (name: string) =>
    /layer (\d+)/.exec(JSON.stringify(graph.components.get(`${name} noarch`)?.evidence))?.[1];
  expect(['tilde 1.0~rc1-1', 'is-upgraded 2.0-1', 'many 2.0-1'].map(layerOf)).toEqual(['0', '1', '1']);
});

test.for(profiles)('the profile %s is complete', async (profile) => {
  const people = ['--author', 'Ann <ann@example.org>', '--supplier', 'Acme <https://acme.example>'];
  for (const specVersion of ['1.6', '1.7'] as const) {
    const shape = ['--profile', profile, '--spec-version', specVersion];
    const ran = await tcf(['sbom', `containers-storage:${image}`, ...people, ...shape]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(schemaOf(specVersion)(JSON.parse(ran.stdout))).toEqual([]);
  }
});

test('reads from a manifest the packages that the database has', async () => {
  const layer = archive(
    file('etc/os-release', 'ID=made\nVERSION_ID=1\n'),
    file('var/lib/rpmmanifest/container-manifest-2', manifest),
  );
  const layout = join(folder.path, 'manifest.oci');
  writeOciLayout(layout, { image: buildImage({ layers: [layer] }), tag: 'x' });
  const ran = await tcf(['sbom', `oci:${layout}:x`]);
  expect(ran.code, ran.stderr).toBe(0);
  const purls = (text: string) =>
    [...graphOf(text, 'rpm').components.values()].map(({ purl }) => purl).sort();
  // It has ten fields, and the module is not among them.
  const withoutModule = purls(bom).map((purl = '') => purl.replace(/&rpmmod=[^&]*/, ''));
  expect(purls(ran.stdout)).toEqual(withoutModule.sort());
  expect(manifest).toContain('gpg-pubkey\t');
  // What a manifest does not say is not known to be nothing.
  expect(graphOf(ran.stdout, 'rpm').edges.size).toBe(0);
});
