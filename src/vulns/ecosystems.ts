import type { PurlParts } from '../bom/purl.ts';
import { type VersionOrder, versionOrder } from '../bom/vers.ts';
import { compareSemver, isSemver } from '../bom/versions/semver.ts';
import type { Orders } from './evaluate.ts';

/** What is asked of the data about one component: in which ecosystem, by which names and versions. */
export interface PackageQuestion {
  /** As it is shown: `PyPI`, `Debian:12`. */
  readonly ecosystem: string;
  /** Whether an ecosystem of the data is meant. */
  readonly isMeant: (ecosystem: string) => boolean;
  readonly names: readonly AskedName[];
  readonly orders: Orders;
}

/** A name, as `packageKey` spells it, with the version that advisories about it speak of. */
export interface AskedName {
  readonly name: string;
  readonly version: string | undefined;
}

/** By purl type: the ecosystem of OSV, and how it spells a package. */
const languages: Readonly<
  Record<string, { readonly ecosystem: string; readonly name: (parts: PurlParts) => string }>
> = {
  cargo: { ecosystem: 'crates.io', name: ({ name }) => name },
  composer: { ecosystem: 'Packagist', name: ({ name, namespace }) => `${namespace}/${name}` },
  cran: { ecosystem: 'CRAN', name: ({ name }) => name },
  gem: { ecosystem: 'RubyGems', name: ({ name }) => name },
  golang: { ecosystem: 'Go', name: ({ name, namespace }) => withSlash(namespace, name) },
  hackage: { ecosystem: 'Hackage', name: ({ name }) => name },
  hex: { ecosystem: 'Hex', name: ({ name }) => name },
  maven: { ecosystem: 'Maven', name: ({ name, namespace }) => `${namespace}:${name}` },
  npm: { ecosystem: 'npm', name: ({ name, namespace }) => withSlash(namespace, name) },
  nuget: { ecosystem: 'NuGet', name: ({ name }) => name },
  pub: { ecosystem: 'Pub', name: ({ name }) => name },
  pypi: { ecosystem: 'PyPI', name: ({ name }) => name },
};

function withSlash(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** By ecosystem without release: the purl type whose order its versions have. */
const orderTypes: Readonly<Record<string, string>> = {
  AlmaLinux: 'rpm',
  Alpaquita: 'apk',
  Alpine: 'apk',
  'Azure Linux': 'rpm',
  Chainguard: 'apk',
  Debian: 'deb',
  Go: 'golang',
  Mageia: 'rpm',
  MinimOS: 'apk',
  'Photon OS': 'rpm',
  PyPI: 'pypi',
  'Red Hat': 'rpm',
  'Rocky Linux': 'rpm',
  SUSE: 'rpm',
  Ubuntu: 'deb',
  Wolfi: 'apk',
  'crates.io': 'cargo',
  npm: 'npm',
  openEuler: 'rpm',
  openSUSE: 'rpm',
};

/** Of programs and of what is seen inside them. */
const others: readonly string[] = ['LLVM', 'NVIDIA'];

/**
 * Whether findings can be of an ecosystem of that name, as OSV writes it, with the release of a distribution
 * or without: `PyPI`, `Debian`, `Debian:12`.
 */
export function isEcosystem(name: string): boolean {
  const [plain = '', release] = name.split(/:(.*)/s);
  const isLanguage = Object.values(languages).some(({ ecosystem }) => ecosystem === plain);
  if (isLanguage || others.includes(plain)) {
    return release === undefined;
  }
  return Object.hasOwn(orderTypes, plain) && release !== '';
}

const semver: VersionOrder = { isVersion: isSemver, compare: compareSemver };

/**
 * The orders by which records about an ecosystem (`Debian:12`, `PyPI`) are read. Go writes SemVer without the
 * `v`, and asks with it.
 */
export function ordersOf(ecosystem: string): Orders {
  const own = orderOfEcosystem(ecosystem);
  return { ecosystem: own, semver: ecosystem === 'Go' && own !== undefined ? own : semver };
}

function orderOfEcosystem(ecosystem: string): VersionOrder | undefined {
  const [plain = ''] = ecosystem.split(':');
  return Object.hasOwn(orderTypes, plain) ? versionOrder(orderTypes[plain] ?? '') : undefined;
}

/**
 * One spelling of a name, for records and components alike: PEP 503 for PyPI, without case where the
 * ecosystem compares so.
 */
export function packageKey(ecosystem: string, name: string): string {
  switch (ecosystem.split(':')[0]) {
    case 'PyPI':
      return name.toLowerCase().replace(/[-_.]+/g, '-');
    case 'crates.io':
      return name.toLowerCase().replaceAll('_', '-');
    case 'Hex':
    case 'NuGet':
    case 'Packagist':
    case 'Pub':
      return name.toLowerCase();
    default:
      return name;
  }
}

/** By the ID of os-release: how OSV writes the release, and which purl types it has. */
const distributions: Readonly<
  Record<string, (release: string) => readonly [string, ...RegExp[]] | undefined>
> = {
  almalinux: (release) => exactly(`AlmaLinux:${majorOf(release)}`),
  alpaquita: (release) => exactly(`Alpaquita:${release}`),
  alpine: (release) => exactly(`Alpine:v${minorOf(release)}`),
  azurelinux: (release) => exactly(`Azure Linux:${majorOf(release)}`),
  chainguard: () => exactly('Chainguard'),
  debian: (release) => exactly(`Debian:${majorOf(release)}`),
  mageia: (release) => exactly(`Mageia:${majorOf(release)}`),
  minimos: () => exactly('MinimOS'),
  openeuler: (release) => exactly(`openEuler:${release}`),
  opensuse: (release) => exactly(`openSUSE:Leap ${minorOf(release)}`),
  'opensuse-leap': (release) => exactly(`openSUSE:Leap ${minorOf(release)}`),
  'opensuse-tumbleweed': () => exactly('openSUSE:Tumbleweed'),
  photon: (release) => exactly(`Photon OS:${minorOf(release)}`),
  redhat: (release) => redHat(release),
  rhel: (release) => redHat(release),
  rocky: (release) => exactly(`Rocky Linux:${majorOf(release)}`),
  'rocky-linux': (release) => exactly(`Rocky Linux:${majorOf(release)}`),
  ubuntu: (release) => [
    `Ubuntu:${minorOf(release)}`,
    new RegExp(`^Ubuntu:${escaped(minorOf(release))}(?::LTS)?$`),
  ],
  wolfi: () => exactly('Wolfi'),
};

function exactly(ecosystem: string): readonly [string, ...RegExp[]] {
  return [ecosystem];
}

/** RHEL is one product stream with several repositories: `Red Hat:enterprise_linux:9::appstream`. */
function redHat(release: string): readonly [string, ...RegExp[]] {
  const major = majorOf(release);
  return [
    `Red Hat:enterprise_linux:${major}`,
    new RegExp(`^Red Hat:enterprise_linux:${escaped(major)}(?::|$)`),
  ];
}

function escaped(text: string): string {
  return text.replace(/[^\w]/g, '\\$&');
}

function majorOf(release: string): string {
  return release.split('.')[0] ?? '';
}

function minorOf(release: string): string {
  return release.split('.').slice(0, 2).join('.');
}

/** Distributions whose advisories name binary packages as well as source packages. */
const namesBinaries = /^(?:AlmaLinux|Photon OS|Red Hat|SUSE|openSUSE)(?::|$)/;

/** Types of purl that a distribution answers for. */
const distributionTypes: ReadonlySet<string> = new Set(['apk', 'deb', 'rpm']);

export function isOfDistribution(type: string): boolean {
  return distributionTypes.has(type);
}

/** Why nothing can be asked about a component. */
export interface NoQuestion {
  readonly why: string;
}

/** What to ask about the component with this purl. */
export function toPackageQuestion(parts: PurlParts): NoQuestion | PackageQuestion {
  if (isOfDistribution(parts.type)) {
    return distributionQuestion(parts);
  }
  const language = Object.hasOwn(languages, parts.type) ? languages[parts.type] : undefined;
  if (language === undefined) {
    return { why: `there are no advisories for purls of type ${parts.type}` };
  }
  const { ecosystem } = language;
  return {
    ecosystem,
    isMeant: (other) => other === ecosystem,
    names: [{ name: packageKey(ecosystem, language.name(parts)), version: publicVersion(parts) }],
    orders: ordersOf(ecosystem),
  };
}

/** A local version (`2.6.0+cpu`) is a build of the public one, and advisories speak of that. */
function publicVersion({ type, version }: PurlParts): string | undefined {
  return type === 'pypi' ? version?.replace(/\+.*$/s, '') : version;
}

function distributionQuestion(parts: PurlParts): NoQuestion | PackageQuestion {
  const { namespace = '', qualifiers = {}, type } = parts;
  const [, id = '', release = ''] =
    /^([a-z][a-z-]*?)(?:-(\d[\w.]*))?$/.exec(qualifiers['distro'] ?? '') ?? [];
  const distribution = id === '' ? namespace : id;
  const known = Object.hasOwn(distributions, distribution) ? distributions[distribution] : undefined;
  const found = known?.(release);
  if (known === undefined || found === undefined) {
    return { why: `no source has advisories of the distribution ${distribution || 'without a name'}` };
  }
  const [ecosystem, pattern] = found;
  if (release === '' && ecosystem.includes(':')) {
    return { why: `the release of ${distribution} is not known, and its advisories are about releases` };
  }
  return {
    ecosystem,
    isMeant: (other) => (pattern === undefined ? other === ecosystem : pattern.test(other)),
    names: type === 'rpm' ? rpmNames(parts, ecosystem) : sourceNames(parts),
    orders: ordersOf(ecosystem),
  };
}

/**
 * The source package with its own version: `upstream=glibc`, or with another version than the binary package
 * `upstream=libcap2@1:2.66-4+deb12u3`. A rebuild without change (`+b1`) is a version of binary packages only.
 */
function sourceNames({ name, qualifiers = {}, type, version }: PurlParts): readonly AskedName[] {
  const [source = '', own] = (qualifiers['upstream'] ?? '').split('@');
  const plain = type === 'deb' ? version?.replace(/\+b\d+$/, '') : version;
  return [{ name: source === '' ? name : source, version: own ?? plain }];
}

/** `upstream=glibc-2.34-60.el9.src.rpm`; epochs stand in a qualifier, and source and binary share it. */
function rpmNames({ name, qualifiers = {}, version }: PurlParts, ecosystem: string): readonly AskedName[] {
  const epoch = qualifiers['epoch'];
  const withEpoch = (text: string): string => (epoch === undefined ? text : `${epoch}:${text}`);
  const binary = { name, version: version === undefined ? undefined : withEpoch(version) };
  const [, source, evr] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(qualifiers['upstream'] ?? '') ?? [];
  if (source === undefined || evr === undefined) {
    return [binary];
  }
  const built = { name: source, version: withEpoch(evr) };
  return namesBinaries.test(ecosystem) && source !== name ? [built, binary] : [built];
}
