import { basename } from 'node:path';

/*
 * Which files of syft, trivy and osv-scalibr are fixtures of something that tcf reads, and where each belongs
 * in an image.
 */

/** Files of one image by their paths in it. */
export type Placed = ReadonlyMap<string, Uint8Array>;

/** A file that is a fixture by itself. */
interface FileRule {
  readonly files: RegExp;
  readonly place: (path: string, content: Uint8Array) => string;
}

/** A folder, the first group of `tree`, whose files make one fixture; each lies below `at`. */
interface TreeRule {
  readonly tree: RegExp;
  readonly at: string;
}

const at = (place: string) => (): string => place;
/** Where a distribution of Python is installed in a fixture. */
export const pythonSite: string = 'usr/lib/python3/dist-packages';
const site = pythonSite;
const program = (path: string): string => `usr/bin/${basename(path)}`;

/** npm puts a package into the folder of its name. */
function npmPlace(_path: string, content: Uint8Array): string {
  const name = /"name"\s*:\s*"((?:@[\w.-]+\/)?[\w.-]+)"/.exec(Buffer.from(content).toString())?.[1] ?? 'x';
  return `usr/lib/node_modules/${name}/package.json`;
}

/** `zipp-3.12.1.METADATA` is the METADATA of `zipp-3.12.1.dist-info`. */
function metadataPlace(path: string): string {
  const name = basename(path).replace(/(?:-egg-info|\.egg-info)?\.PKG-INFO$|\.METADATA$/, '');
  return path.endsWith('METADATA')
    ? `${site}/${name}.dist-info/METADATA`
    : `${site}/${name}.egg-info/PKG-INFO`;
}

const trees: readonly TreeRule[] = [
  {
    tree: /^(syft\/pkg\/cataloger\/debian\/testdata\/(?:glob-paths|image-dpkg|image-distroless-deb))\//,
    at: '',
  },
  { tree: /^(syft\/pkg\/cataloger\/alpine\/testdata\/(?:corrupt|glob-paths|multiple-\d))\//, at: '' },
  { tree: /^(syft\/pkg\/cataloger\/redhat\/testdata\/glob-paths)\//, at: '' },
  { tree: /^(syft\/pkg\/cataloger\/(?:golang|rust)\/testdata\/glob-paths)\/partial-binary$/, at: 'usr/bin' },
  { tree: /^(syft\/pkg\/cataloger\/conda\/testdata\/conda-meta-bad-json)\//, at: 'opt/conda' },
  { tree: /^(syft\/pkg\/cataloger\/python\/testdata\/glob-paths\/site-packages)\//, at: site },
  {
    tree: /^(syft\/pkg\/cataloger\/python\/testdata\/site-packages\/(?:license|nested|uppercase|malformed-record|no-version|test))\//,
    at: site,
  },
  { tree: /^(syft\/pkg\/cataloger\/python\/testdata\/site-packages)\/partial\.dist-info\//, at: site },
  { tree: /^(syft\/pkg\/cataloger\/javascript\/testdata\/pkg-lock)\/node_modules\//, at: 'srv/app' },
  { tree: /^(pkg\/fanal\/analyzer\/language\/python\/packaging\/testdata\/[^/]+)\//, at: site },
  { tree: /^(extractor\/filesystem\/os\/dpkg\/testdata\/dpkg)\/status\.d\//, at: 'var/lib/dpkg' },
  {
    tree: /^(extractor\/filesystem\/language\/javascript\/packagejson\/testdata\/deps)\//,
    at: 'usr/lib/node_modules',
  },
];

const rules: readonly FileRule[] = [
  {
    files: /\/(?:cataloger\/alpine|os\/apk|pkg\/apk|osduplicate\/apk)\/testdata\/[^/]+$/,
    place: at('lib/apk/db/installed'),
  },
  {
    files: /\/debian\/testdata\/var\/lib\/dpkg\/status\.d\/[^/]+$|\/os\/dpkg\/testdata\/dpkg\/[^/]+$/,
    place: at('var/lib/dpkg/status'),
  },
  {
    files: /\/debian\/testdata\/var\/lib\/opkg\/status$|\/os\/dpkg\/testdata\/opkg\/[^/]+$/,
    place: at('usr/lib/opkg/status'),
  },
  {
    files: /\/(?:os|osduplicate)\/rpm\/testdata\/Packages\.db$/,
    place: at('usr/lib/sysimage/rpm/Packages.db'),
  },
  {
    files:
      /\/(?:os|osduplicate|pkg)\/rpm\/testdata\/(?:Packages[^/.]*|invalid|valid)$|\/redhat\/testdata\/Packages$|\/rpm\/testdata\/timeout\/Packages$/,
    place: at('var/lib/rpm/Packages'),
  },
  { files: /\/(?:os|osduplicate)\/rpm\/testdata\/[^/]+\.sqlite$/, place: at('var/lib/rpm/rpmdb.sqlite') },
  {
    files: /\/redhat\/testdata\/container-manifest-2$/,
    place: at('var/lib/rpmmanifest/container-manifest-2'),
  },
  { files: /\/gobinary\/testdata\/[^/]+$|\/(?:golang|rust)\/binary\/testdata\/[^/]+$/, place: program },
  { files: /\/cargoauditable\/testdata\/[^/]+\/[^/.]+$/, place: program },
  {
    files:
      /\/conda\/testdata\/conda-meta-python-c-etc\/.*\.json$|\/conda\/meta\/testdata\/[^/]+\.json$|\/testdata\/conda-meta\/[^/]+\.json$/,
    place: (path) => `opt/conda/conda-meta/${basename(path)}`,
  },
  {
    files: /\/condameta\/testdata\/[^/]+$/,
    place: (path) => `opt/conda/conda-meta/${basename(path)}-1.0-0.json`,
  },
  { files: /\/python\/packaging\/testdata\/[^/]+(?:METADATA|PKG-INFO)$/, place: metadataPlace },
  {
    files:
      /\/python\/testdata\/[^/]+\.egg-info$|\/python\/packaging\/testdata\/[^/]+\.egg-info$|\/wheelegg\/testdata\/[^/]+\.egg$/,
    place: (path) => `${site}/${basename(path)}`,
  },
  { files: /\/wheelegg\/testdata\/[^/]+\.whl$/, place: (path) => `opt/wheels/${basename(path)}` },
  {
    files:
      /\/wheelegg\/testdata\/(?:distinfo_meta|mixed_case|special_chars|repeated_pkginfo|empty|[^/]+\.dist-info)$/,
    place: (path) => `${site}/${basename(path).replace(/\.dist-info$/, '')}.dist-info/METADATA`,
  },
  { files: /\/wheelegg\/testdata\/egginfo$/, place: at(`${site}/pycups-2.0.1.egg-info`) },
  {
    files: /\/wheelegg\/testdata\/(?:egginfo_pkginfo|malformed_pkginfo|pkginfo)$/,
    place: (path) => `${site}/${basename(path)}.egg-info/PKG-INFO`,
  },
  {
    files:
      /\/javascript\/testdata\/pkg-json\/[^/]+\.json$|\/javascript\/testdata\/corrupt\/package\.json$|\/packagejson\/testdata\/(?:[^/]+\.json|invalid)$|\/nodejs\/pkg\/testdata\/[^/]+\.json$/,
    place: npmPlace,
  },
  {
    files:
      /\/linux\/testdata\/(?:os|partial-fields)\/.+\/(?:os-release|redhat-release|system-release-cpe|debian_version)$/,
    place: (path) => path.replace(/^.*\/((?:usr\/lib|etc)\/[^/]+)$/, '$1'),
  },
  { files: /\/linux\/testdata\/(?:bad-redhat-release)$/, place: at('etc/redhat-release') },
  { files: /\/linux\/testdata\/(?:bad-system-release-cpe)$/, place: at('etc/system-release-cpe') },
  {
    files:
      /\/linux\/testdata\/[^/]+$|\/os\/release\/testdata\/[^/]+$|\/linuxdistro\/testdata\/[^/]+_os_release$/,
    place: at('etc/os-release'),
  },
  {
    files: /\/redhatbase\/testdata\/[^/]+\/[^/]+-release$/,
    place: (path) => `etc/${basename(path)}`,
  },
  { files: /\/redhatbase\/testdata\/not_redhatbase\/empty$/, place: at('etc/redhat-release') },
  { files: /\/os\/debian\/testdata\/(?:.*debian_version|empty)$/, place: at('etc/debian_version') },
  { files: /\/os\/ubuntu\/testdata\/(?:lsb-release|invalid)$/, place: at('etc/lsb-release') },
];

/**
 * Which fixture of a peer the file belongs to, and where it lies there: its own path, or the folder that it
 * shares with others. `undefined`: no fixture.
 */
export function fixtureAround(path: string): string | undefined {
  const folder = trees.map(({ tree }) => tree.exec(path)?.[1]).find((found) => found !== undefined);
  if (folder !== undefined) {
    return folder;
  }
  return isTextArchive(path) || rules.some(({ files }) => files.test(path)) ? path : undefined;
}

/** Where the files of a fixture lie in an image. */
export function placed(fixture: string, files: ReadonlyMap<string, Uint8Array>): Placed {
  return new Map(
    [...files].flatMap(([path, content]): readonly (readonly [string, Uint8Array])[] => {
      if (isTextArchive(path)) {
        return filesOfTextArchive(content);
      }
      const tree = trees.find((rule) => rule.tree.exec(path)?.[1] === fixture);
      if (tree !== undefined) {
        return [[`${tree.at}/${path.slice(fixture.length + 1)}`.replace(/^\//, ''), content]];
      }
      const rule = rules.find((each) => each.files.test(path));
      return rule === undefined ? [] : [[rule.place(path, content), content]];
    }),
  );
}

function isTextArchive(path: string): boolean {
  return /\/pkg\/dpkg\/testdata\/[^/]+\.txtar$/.test(path);
}

/** The format of golang.org/x/tools/txtar: a line `-- NAME --` stands before each file. */
function filesOfTextArchive(content: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  const [, ...parts] = Buffer.from(content)
    .toString()
    .split(/^-- (.+) --\n/m);
  return parts.flatMap((part, index): readonly (readonly [string, Uint8Array])[] =>
    index % 2 === 0 ? [[part, Buffer.from(parts[index + 1] ?? '')]] : [],
  );
}
