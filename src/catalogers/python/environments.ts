import { compact } from '../../base/compact.ts';
import { byCodeUnit } from '../../base/text.ts';
import type { Tree } from '../contract.ts';
import { linesOf, utf8Text } from './text.ts';

/** Directories that one interpreter searches together, as `pip list` of it does. */
export interface Environment {
  /** Its prefix: `usr`, `opt/triton`; the directory itself for `pip install --target`. */
  readonly name: string;
  /** In the order of `sys.path`: of two distributions of one name the first is used. */
  readonly directories: readonly string[];
  /** `3.11`; absent where nothing tells. */
  readonly python?: string;
  /** `3.11.2`; absent where only the directory tells the version. */
  readonly fullVersion?: string;
  /** Searched after it: the system's packages below a virtual or a user's environment. */
  readonly parent?: Environment;
  /** Copies inside another distribution, which no installer knows. */
  readonly vendored?: true;
  /** A directory outside of all prefixes (`pip install --target`): nothing says what is searched with it. */
  readonly stray?: true;
}

interface Site {
  readonly directory: string;
  readonly prefix: string;
  readonly kind: 'dist' | 'site';
  /** `3.11`, or `3` for Debian's directory of all its versions. */
  readonly python: string;
}

const sitePattern =
  /^(?:(.*)\/)?lib(?:64|32)?\/(?:python|pypy)(\d{1,3}(?:\.\d{1,3})?)t?\/(site|dist)-packages$/s;
/** Development installs add one each; every one is followed through the links of the image. */
const maxAdded = 10_000;

/** The directory of packages a path lies in, itself included; `undefined` outside of all. */
export function siteAround(path: string): string | undefined {
  return /^((?:.*?\/)?(?:site|dist)-packages)(?:\/|$)/s.exec(path)?.[1];
}

/**
 * The environments around these directories, which hold metadata. Debian's `dist-packages` of `/usr` and
 * `/usr/local` belong to one interpreter, Red Hat's `lib` and `lib64` too; an interpreter of its own in
 * `/usr/local`, as in Docker's python image, makes a second.
 */
export function environmentsOf(tree: Tree, directories: readonly string[]): readonly Environment[] {
  const sites = directories.map(siteOf).filter((site) => site !== undefined);
  const groups = Map.groupBy(sites, (site) => `${systemPrefix(tree, site)} ${versionOf(tree, site)}`);
  const alone = [...groups].map(([key, members]): Environment => {
    const [name = '', python = ''] = key.split(/ (?=[^ ]*$)/);
    const fullVersion = fullVersionOf(tree, name, python, directories);
    return compact({
      name,
      directories: [...members]
        .sort(bySearchOrder)
        .flatMap(({ directory }) => [directory, ...addedTo(tree, directory)]),
      ...(python === '' ? {} : { python }),
      fullVersion,
    });
  });
  return alone
    .map((environment) => {
      const parent = parentOf(tree, environment, alone);
      return parent === undefined ? environment : { ...environment, parent };
    })
    .sort((a, b) => byCodeUnit(a.name, b.name) || byCodeUnit(a.python ?? '', b.python ?? ''));
}

function siteOf(directory: string): Site | undefined {
  const [, prefix = '', python, kind] = sitePattern.exec(directory) ?? [];
  if (python === undefined || (kind !== 'site' && kind !== 'dist')) {
    return undefined;
  }
  return { directory, prefix, kind, python };
}

function systemPrefix(tree: Tree, { prefix, kind, python }: Site): string {
  if (prefix !== 'usr/local') {
    return prefix;
  }
  if (kind === 'dist') {
    return 'usr';
  }
  const hasOwn = tree.exists(`usr/local/bin/python${python}`);
  return !hasOwn && tree.exists(`usr/bin/python${python}`) ? 'usr' : prefix;
}

/** Debian's `usr/lib/python3` serves the version that `python3` leads to. */
function versionOf(tree: Tree, { prefix, python }: Site): string {
  if (python.includes('.')) {
    return python;
  }
  const bin = prefix === '' ? 'bin' : `${prefix}/bin`;
  const linked = /python(\d+\.\d+)$/.exec(tree.resolve(`${bin}/python${python}`) ?? '')?.[1];
  if (linked !== undefined) {
    return linked;
  }
  const installed = tree
    .list(prefix === '' ? 'lib' : `${prefix}/lib`)
    .flatMap((name) =>
      name.startsWith(`python${python}.`) ? (/^python(\d+\.\d+)$/.exec(name)?.[1] ?? []) : [],
    );
  return [...installed].sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1])).at(-1) ?? '';
}

/** `/usr/local` before `/usr`, `lib64` before `lib`, the directory of all versions before that of one. */
function bySearchOrder(a: Site, b: Site): number {
  const rank = ({ directory, python }: Site): number =>
    (directory.startsWith('usr/local/') ? 0 : 4) +
    (/(?:^|\/)lib64\//.test(directory) ? 0 : 2) +
    (python.includes('.') ? 1 : 0);
  return rank(a) - rank(b) || byCodeUnit(a.directory, b.directory);
}

/**
 * Directories that `.pth` and `.egg-link` files add: development installs. Code in them is not run, so what
 * it adds is not seen.
 */
function addedTo(tree: Tree, directory: string): readonly string[] {
  const added = tree
    .list(directory)
    .filter((name) => /\.(?:pth|egg-link)$/.test(name))
    .flatMap((name) => {
      const lines = linesOf(utf8Text(tree, `${directory}/${name}`) ?? '');
      return name.endsWith('.pth') ? lines : lines.slice(0, 1);
    })
    .slice(0, maxAdded)
    .flatMap((line) => {
      const path = line.trim();
      if (path === '' || /^(?:#|import[ \t])/.test(path) || path.includes('\0')) {
        return [];
      }
      return tree.resolve(path.startsWith('/') ? path.replace(/^\/+/, '') : `${directory}/${path}`) ?? [];
    });
  return [...new Set(added)].filter((path) => path !== '' && path !== directory);
}

/** `pyvenv.cfg`, as lower-case keys; `undefined` where the prefix is no virtual environment. */
function configOf(tree: Tree, prefix: string): ReadonlyMap<string, string> | undefined {
  const text = utf8Text(tree, prefix === '' ? 'pyvenv.cfg' : `${prefix}/pyvenv.cfg`);
  if (text === undefined) {
    return undefined;
  }
  const pairs = linesOf(text).flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    return at < 0 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]];
  });
  return new Map(pairs);
}

/**
 * From its own `pyvenv.cfg`, else from that of a virtual environment it is the home of. uv writes
 * `version_info`, venv `version`.
 */
function fullVersionOf(
  tree: Tree,
  prefix: string,
  python: string,
  directories: readonly string[],
): string | undefined {
  const versionIn = (config: ReadonlyMap<string, string> | undefined): string | undefined => {
    const text = config?.get('version') ?? config?.get('version_info') ?? '';
    const version = /^\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?/.exec(text)?.[0];
    return version?.startsWith(`${python}.`) ? version : undefined;
  };
  const own = versionIn(configOf(tree, prefix));
  if (own !== undefined) {
    return own;
  }
  for (const site of directories.map(siteOf)) {
    const config = site === undefined ? undefined : configOf(tree, site.prefix);
    const version = versionIn(config);
    if (version !== undefined && homeOf(config) === prefix) {
      return version;
    }
  }
  return undefined;
}

/** `home = /usr/bin` is the interpreter's directory; its prefix is `usr`. */
function homeOf(config: ReadonlyMap<string, string> | undefined): string {
  return (config?.get('home') ?? '')
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\/?bin$/, '');
}

function parentOf(tree: Tree, child: Environment, all: readonly Environment[]): Environment | undefined {
  const sameVersion = all.filter((other) => other !== child && other.python === child.python);
  const named = (name: string): Environment | undefined => sameVersion.find((other) => other.name === name);
  if (/(?:^|\/)\.local$/.test(child.name)) {
    return named('usr/local') ?? named('usr');
  }
  const config = configOf(tree, child.name);
  if (config?.get('include-system-site-packages')?.toLowerCase() !== 'true') {
    return undefined;
  }
  const home = homeOf(config);
  return named(home === '' ? 'usr' : home);
}
