import { printable } from '../base/text.ts';
import type { Cataloger, Skipped, StreamScanner, Tree } from './contract.ts';

/** What tcf does not read, by the files it is known by. */
interface Unread {
  /** Goes on after a count: `12 archives of Java`. */
  readonly what: string;
  /** Where such files lie, as globs. */
  readonly at: readonly string[];
  readonly path: RegExp;
}

/** Databases of OS packages as their catalogers know them, in the root or below another directory. */
const osDatabases =
  /(?:^|\/)(?:var\/lib\/dpkg\/status(?:\.d\/[^/.]+)?|(?:usr\/)?lib\/apk\/db\/installed|(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/(?:Packages|Packages\.db|rpmdb\.sqlite)|var\/lib\/rpmmanifest\/container-manifest-2)$/;

/**
 * The other ecosystems that syft and osv-scalibr read from images, each by the file that one installed
 * package has; then archives of packages that are not installed, and caches. A lock file of a source tree
 * says what would be installed, and is not here.
 */
const unread: readonly Unread[] = [
  {
    what: 'databases of packages below another root',
    at: [
      '**/var/lib/dpkg/status',
      '**/var/lib/dpkg/status.d/*',
      '**/lib/apk/db/installed',
      '**/rpm/Packages',
      '**/rpm/Packages.db',
      '**/rpm/rpmdb.sqlite',
      '**/var/lib/rpmmanifest/container-manifest-2',
    ],
    path: osDatabases,
  },
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
    what: 'packages of Homebrew',
    at: ['**/Cellar/*/*/INSTALL_RECEIPT.json'],
    path: /(?:^|\/)Cellar\/[^/]+\/[^/]+\/INSTALL_RECEIPT\.json$/,
  },
  {
    what: 'snaps',
    at: ['**/snap/*/*/meta/snap.yaml'],
    path: /(?:^|\/)snap\/[^/]+\/[^/]+\/meta\/snap\.yaml$/,
  },
  {
    what: 'applications of Flatpak',
    at: ['**/flatpak/app/*/*/*/*/metadata'],
    path: /(?:^|\/)flatpak\/app\/[^/]+\/[^/]+\/[^/]+\/[^/]+\/metadata$/,
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
    at: ['**/*.ear', '**/*.hpi', '**/*.jar', '**/*.jpi', '**/*.par', '**/*.war'],
    path: /\.(?:ear|hpi|jar|jpi|par|war)$/,
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
    at: ['**/*.apk', '**/*.conda', '**/*.deb', '**/*.rpm', '**/*.whl'],
    path: /\.(?:apk|conda|deb|rpm|whl)$/,
  },
  {
    what: 'modules in a cache of Go',
    at: ['**/pkg/mod/cache/download/**/@v/*.zip'],
    path: /(?:^|\/)pkg\/mod\/cache\/download\/.+\/@v\/[^/]+\.zip$/,
  },
  {
    what: 'crates in a cache of Cargo',
    at: ['**/registry/cache/*/*.crate'],
    path: /(?:^|\/)registry\/cache\/[^/]+\/[^/]+\.crate$/,
  },
];

const kindOf = (path: string): Unread | undefined => unread.find((each) => each.path.test(path));
const seen: StreamScanner = { push: () => undefined, isDone: true, end: () => ({}) };

/**
 * Sees what other scanners read and tcf does not, so that an SBOM which leaves it out says so. It makes no
 * components: what it saw and no package owns is told by `unreadIn`.
 */
export const others: Cataloger = {
  name: 'others',
  wantedAt: [],
  wants: () => false,
  scanned: { at: unread.flatMap(({ at }) => at) },
  scan: (path) => (kindOf(path) === undefined ? undefined : seen),
  catalog: () => ({ components: [], dependencies: [], skipped: [] }),
};

/** Where the catalogers of OS packages look. */
const inRoot = [
  'var/lib/dpkg/status',
  'lib/apk/db/installed',
  'usr/lib/apk/db/installed',
  ...['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'].flatMap((place) =>
    ['Packages', 'Packages.db', 'rpmdb.sqlite'].map((name) => `${place}/${name}`),
  ),
  'var/lib/rpmmanifest/container-manifest-2',
];

/** Of each ecosystem the number of its files that no component owns, and the first of them. */
export function unreadIn(tree: Tree, isOwned: (path: string) => boolean): readonly Skipped[] {
  const read = new Set(inRoot.map((path) => tree.resolve(path)));
  const distroless = tree.resolve('var/lib/dpkg/status.d');
  const isRead = (path: string): boolean => {
    const real = tree.resolve(path) ?? path;
    return read.has(real) || (distroless !== undefined && real.startsWith(`${distroless}/`));
  };
  const free = tree
    .observed()
    .filter(({ path, links = [] }) => ![path, ...links].some((name) => isRead(name) || isOwned(name)));
  return [...Map.groupBy(free, ({ path }) => kindOf(path)?.what ?? '')].map(([what, files]) => ({
    path: printable(files[0]?.path ?? ''),
    reason: `the first of ${files.length} ${what}, which are not read`,
  }));
}
