import { magics } from '../programs/magics.ts';

/** What tcf does not read, by the files it is known by. */
interface Unread {
  /** Goes on after a count: `12 archives of Java`. */
  readonly what: string;
  /** Where such files lie, as globs. */
  readonly at: readonly string[];
  readonly path: RegExp;
}

/**
 * Databases of OS packages as their catalogers know them, wherever they lie: below another root, or where
 * this distribution puts them and no manager looks by itself.
 */
const osDatabases =
  /(?:^|\/)(?:dpkg\/status(?:\.d\/[^/.]+)?|apk\/db\/installed|\.?rpm(?:db)?\/(?:Packages|Packages\.db|rpmdb\.sqlite)|rpmmanifest\/container-manifest-2)$/;

const foreignDatabases = 'databases of packages that are not those of the root';
const partsOfDatabases = 'files of databases of packages that are not those of the root';
const packedPython = 'applications of Python in one file';
const fileSystems = 'images of file systems';
const archivesOfFiles = 'archives of files';
const endingIn = (endings: readonly string[]): readonly string[] => endings.map((each) => `**/*.${each}`);

/**
 * The other ecosystems that syft and osv-scalibr read from images, each by the file that one installed
 * package has; then archives of packages that are not installed, caches, and files that hold other files. A
 * lock file of a source tree says what would be installed, and is not here.
 */
const unread: readonly Unread[] = [
  {
    what: foreignDatabases,
    at: [
      '**/dpkg/status',
      '**/dpkg/status.d/*',
      '**/apk/db/installed',
      ...['rpm', '.rpm', 'rpmdb', '.rpmdb'].flatMap((folder) =>
        ['Packages', 'Packages.db', 'rpmdb.sqlite'].map((name) => `**/${folder}/${name}`),
      ),
      '**/rpmmanifest/container-manifest-2',
    ],
    path: osDatabases,
  },
  {
    what: partsOfDatabases,
    at: ['**/dpkg/available', '**/dpkg/status-old', '**/dpkg/info/*.list'],
    path: /(?:^|\/)dpkg\/(?:available|status-old|info\/[^/]+\.list)$/,
  },
  {
    what: 'manifests of Chisel',
    at: ['**/chisel/manifest.wall'],
    path: /(?:^|\/)chisel\/manifest\.wall$/,
  },
  {
    what: 'lists of Container-Optimized OS',
    at: ['**/etc/cos-package-info.json'],
    path: /(?:^|\/)etc\/cos-package-info\.json$/,
  },
  {
    what: 'inventories of Bottlerocket',
    at: ['**/bottlerocket/application-inventory.json'],
    path: /(?:^|\/)bottlerocket\/application-inventory\.json$/,
  },
  {
    what: 'lists of a base of Snap',
    at: ['**/usr/share/snappy/dpkg.yaml'],
    path: /(?:^|\/)usr\/share\/snappy\/dpkg\.yaml$/,
  },
  {
    what: 'packages of Spack',
    at: ['**/.spack/spec.json', '**/.spack/spec.yaml'],
    path: /(?:^|\/)\.spack\/spec\.(?:json|yaml)$/,
  },
  { what: 'packages of Spack', at: ['**/.spack-db/index.json'], path: /(?:^|\/)\.spack-db\/index\.json$/ },
  { what: 'packages of vcpkg', at: ['**/vcpkg/status'], path: /(?:^|\/)vcpkg\/status$/ },
  {
    what: 'packages of pacman',
    at: ['**/var/lib/pacman/local/*/desc'],
    path: /(?:^|\/)var\/lib\/pacman\/local\/[^/]+\/desc$/,
  },
  {
    what: 'packages of Portage',
    at: ['**/var/db/pkg/*/*/CONTENTS'],
    path: /(?:^|\/)var\/db\/pkg\/[^/]+\/[^/]+\/CONTENTS$/,
  },
  { what: 'databases of opkg', at: ['**/lib/opkg/status'], path: /(?:^|\/)(?:usr|var)\/lib\/opkg\/status$/ },
  {
    what: 'databases of XBPS',
    at: ['**/var/db/xbps/pkgdb-*.plist'],
    path: /(?:^|\/)var\/db\/xbps\/pkgdb-[^/]+\.plist$/,
  },
  {
    what: 'packages of Slackware',
    at: ['**/var/lib/pkgtools/packages/*', '**/var/log/packages/*'],
    path: /(?:^|\/)var\/(?:lib\/pkgtools|log)\/packages\/[^/]+$/,
  },
  {
    what: 'databases of Nix or Guix',
    at: ['**/db/db.sqlite'],
    path: /(?:^|\/)(?:nix\/var\/nix|var\/guix)\/db\/db\.sqlite$/,
  },
  {
    what: 'files in a store of Nix or Guix',
    at: ['**/nix/store/*/**', '**/gnu/store/*/**'],
    path: /(?:^|\/)(?:nix|gnu)\/store\/[0-9a-z]{32}-[^/]+\/.+$/,
  },
  {
    what: 'files in a cellar of Homebrew',
    at: ['**/Cellar/*/*/**'],
    path: /(?:^|\/)Cellar\/[^/]+\/[^/]+\/.+$/,
  },
  {
    what: 'snaps',
    at: ['**/snap/*/*/meta/snap.yaml'],
    path: /(?:^|\/)snap\/[^/]+\/[^/]+\/meta\/snap\.yaml$/,
  },
  {
    what: 'applications of Flatpak',
    at: ['**/flatpak/app/*/*/*/*/metadata', '**/flatpak/runtime/*/*/*/*/metadata'],
    path: /(?:^|\/)flatpak\/(?:app|runtime)\/[^/]+\/[^/]+\/[^/]+\/[^/]+\/metadata$/,
  },
  {
    what: 'gems of Ruby',
    at: ['**/specifications/*.gemspec', '**/specifications/default/*.gemspec'],
    path: /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/,
  },
  {
    what: 'lists of Composer',
    at: ['**/vendor/composer/installed.json'],
    path: /(?:^|\/)vendor\/composer\/installed\.json$/,
  },
  {
    what: 'extensions of PHP',
    at: ['**/pear/.registry/**/*.reg'],
    path: /(?:^|\/)pear\/\.registry\/.+\.reg$/,
  },
  {
    what: 'archives of Java',
    at: endingIn(['ear', 'hpi', 'jar', 'jmod', 'jpi', 'par', 'war']),
    path: /\.(?:ear|hpi|jar|jmod|jpi|par|war)$/,
  },
  {
    what: 'artifacts of Maven',
    at: ['**/META-INF/maven/*/*/pom.properties'],
    path: /(?:^|\/)META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/,
  },
  { what: 'packages of NuGet', at: endingIn(['nupkg', 'nuspec']), path: /\.(?:nupkg|nuspec)$/ },
  {
    what: 'packages of Julia',
    at: ['**/packages/*/*/Project.toml'],
    path: /(?:^|\/)packages\/[^/]+\/[A-Za-z0-9]{5}\/Project\.toml$/,
  },
  { what: 'lists of .NET', at: ['**/*.deps.json'], path: /\.deps\.json$/ },
  {
    what: 'packages of R',
    at: ['**/site-library/*/DESCRIPTION', '**/library/*/DESCRIPTION'],
    path: /(?:^|\/)(?:site-library|library)\/[^/]+\/DESCRIPTION$/,
  },
  {
    what: 'rocks of Lua',
    at: ['**/luarocks/rocks-*/*/*/rock_manifest'],
    path: /(?:^|\/)luarocks\/rocks-[^/]+\/[^/]+\/[^/]+\/rock_manifest$/,
  },
  {
    what: 'packages of opam',
    at: ['**/.opam-switch/packages/*/opam'],
    path: /(?:^|\/)\.opam-switch\/packages\/[^/]+\/opam$/,
  },
  { what: 'packages of Conan', at: ['**/conaninfo.txt'], path: /(?:^|\/)conaninfo\.txt$/ },
  { what: 'packs of SWI-Prolog', at: ['**/pack/*/pack.pl'], path: /(?:^|\/)pack\/[^/]+\/pack\.pl$/ },
  {
    what: 'models',
    at: endingIn(['ckpt', 'ggml', 'gguf', 'h5', 'keras', 'onnx', 'pt', 'safetensors', 'tflite']),
    path: /\.(?:ckpt|ggml|gguf|h5|keras|onnx|pt|safetensors|tflite)$/,
  },
  {
    what: 'SBOMs of others',
    at: ['**/.spdx-*.spdx', ...endingIn(['cdx.json', 'spdx.json'])],
    path: /(?:^|\/)(?:\.spdx-[^/]+\.spdx|[^/]+\.(?:cdx|spdx)\.json)$/,
  },
  { what: 'static libraries', at: endingIn(['a', 'rlib']), path: /\.(?:a|rlib)$/ },
  { what: 'modules of Perl', at: ['**/auto/**/.packlist'], path: /(?:^|\/)auto\/.+\/\.packlist$/ },
  { what: 'applications of Erlang', at: ['**/ebin/*.app'], path: /(?:^|\/)ebin\/[^/]+\.app$/ },
  {
    what: 'packages of Haskell',
    at: ['**/package.conf.d/*.conf'],
    path: /(?:^|\/)package\.conf\.d\/[^/]+\.conf$/,
  },
  {
    what: 'plugins of WordPress',
    at: ['**/wp-content/plugins/*/readme.txt'],
    path: /(?:^|\/)wp-content\/plugins\/[^/]+\/readme\.txt$/,
  },
  {
    what: 'packages that are not installed',
    at: endingIn(['apk', 'conda', 'deb', 'flatpak', 'rpm', 'snap', 'whl']),
    path: /\.(?:apk|conda|deb|flatpak|rpm|snap|whl)$/,
  },
  {
    what: 'modules in a cache of Go',
    at: ['**/pkg/mod/cache/download/**/@v/*.zip'],
    path: /(?:^|\/)pkg\/mod\/cache\/download\/.+\/@v\/[^/]+\.zip$/,
  },
  {
    what: 'modules in a cache of Go',
    at: ['**/pkg/mod/**/go.mod'],
    path: /(?:^|\/)pkg\/mod\/(?!cache\/).+@v[^/]+\/go\.mod$/,
  },
  {
    what: 'crates in a cache of Cargo',
    at: ['**/registry/cache/*/*.crate', '**/registry/src/*/*/Cargo.toml'],
    path: /(?:^|\/)registry\/(?:cache\/[^/]+\/[^/]+\.crate|src\/[^/]+\/[^/]+\/Cargo\.toml)$/,
  },
  {
    what: 'packages in a cache of Bun or Deno',
    at: ['**/.bun/install/cache/**/package.json', '**/deno/npm/**/package.json'],
    path: /(?:^|\/)(?:\.bun\/install\/cache|deno\/npm)\/.+\/package\.json$/,
  },
  {
    // Python imports them, and nothing says what they are.
    what: 'modules of Python that no distribution lists',
    at: ['site', 'dist'].flatMap((kind) => [`**/${kind}-packages/*.py`, `**/${kind}-packages/*/__init__.py`]),
    path: /(?:^|\/)(?:site|dist)-packages\/(?!_virtualenv\.py$)(?:[^/]+\.py|[^/]+\/__init__\.py)$/,
  },
  {
    what: 'folders of metadata that Python passes over',
    at: ['dist', 'egg'].flatMap((kind) => [`**/${kind}-info/METADATA`, `**/${kind}-info/PKG-INFO`]),
    path: /(?:^|\/)(?:dist|egg)-info\/(?:METADATA|PKG-INFO)$/i,
  },
  { what: packedPython, at: endingIn(['pex', 'pyz', 'pyzw']), path: /\.(?:pex|pyzw?)$/ },
  {
    what: 'images of containers',
    at: [
      '**/oci-layout',
      '**/*-images/*/manifest',
      '**/image/*/imagedb/content/sha256/*',
      '**/io.containerd.content.v1.content/blobs/sha256/*',
    ],
    path: /(?:^|\/)(?:oci-layout|[a-z0-9]+-images\/[0-9a-f]{64}\/manifest|(?:image\/[a-z0-9]+\/imagedb\/content|io\.containerd\.content\.v1\.content\/blobs)\/sha256\/[0-9a-f]{64})$/,
  },
  {
    what: fileSystems,
    at: endingIn([
      ...['AppImage', 'erofs', 'img', 'iso', 'ova', 'qcow2', 'raw', 'sfs'],
      ...['sif', 'sqfs', 'squashfs', 'vdi', 'vhd', 'vhdx', 'vmdk', 'wim'],
    ]),
    path: /\.(?:AppImage|erofs|img|iso|ova|qcow2|raw|sfs|sif|sqfs|squashfs|vdi|vhdx?|vmdk|wim)$/,
  },
  {
    what: archivesOfFiles,
    at: ['**/*.tar.*', ...endingIn(['7z', 'cpio', 'tar', 'tbz', 'tbz2', 'tgz', 'txz', 'tzst', 'zip'])],
    path: /\.(?:7z|cpio|tar(?:\.[A-Za-z0-9]{1,5})?|tbz2?|tgz|txz|tzst|zip)$/,
  },
];

/** Whether files of this kind, were they those of the root, would be read as databases of packages. */
export function isOsDatabase(what: string): boolean {
  return what === foreignDatabases || what === partsOfDatabases;
}

/** Where they lie, as globs. */
export const unreadPlaces: readonly string[] = unread.flatMap(({ at }) => at);

/** What a file is that tcf does not read, by its place. */
export function unreadByPlace(path: string): string | undefined {
  return unread.find((each) => each.path.test(path))?.what;
}

/**
 * What is told by its first bytes, whatever it is called; one character for each byte. What is compressed and
 * says so in its name is mostly a page of a manual or a log, and an archive only as `.tar.gz`; under another
 * name it may be anything.
 */
const heads: readonly { readonly magics: readonly string[]; readonly what: string; readonly not?: RegExp }[] =
  [
    { magics: ['hsqs', 'sqsh'], what: fileSystems },
    {
      magics: ['PK\x03\x04', '070701', '7z\xbc\xaf\x27\x1c', 'Rar!\x1a\x07', 'xar!'],
      what: archivesOfFiles,
    },
    {
      magics: ['\x1f\x8b\x08', 'BZh9', '\xfd7zXZ\0', '\x28\xb5\x2f\xfd'],
      what: 'compressed files',
      not: /\.[a-z]{0,2}(?:gz|xz|bz2?|zst|dz|br)$|\.lzma$/i,
    },
    { magics: ['\0asm'], what: 'programs of WebAssembly' },
    { magics: magics.pe, what: 'programs of Windows, .NET and EFI' },
    { magics: magics.machO, what: 'programs of macOS, and classes of Java' },
  ];

/** These, as `ScannedFiles.begins` has them. */
export const unreadHeads: readonly string[] = ['#!', ...heads.flatMap(({ magics }) => magics)];

/** What a file is that tcf does not read, by its first bytes. */
export function unreadByHead(path: string, head: Uint8Array): string | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  // Python runs what stands behind the line of the interpreter as a zip file (PEP 441).
  if (text.startsWith('#!') && text.includes('PK\x03\x04')) {
    return packedPython;
  }
  return heads.find(
    ({ magics, not }) => magics.some((magic) => text.startsWith(magic)) && not?.test(path) !== true,
  )?.what;
}
