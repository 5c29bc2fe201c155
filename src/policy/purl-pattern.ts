import type { PurlParts } from '../bom/purl.ts';
import { purlRules } from '../bom/purl-types.ts';
import { matchesIdentity } from './glob.ts';

type Name = Pick<PurlParts, 'name' | 'namespace' | 'type'>;

/**
 * Registered purl types without rules of their own
 * (https://github.com/package-url/purl-spec/tree/main/types); the others stand in `purlRules`.
 */
const plainTypes = ['conan', 'docker', 'generic', 'npm'];

/** Types whose namespace is the distribution. Some tools leave it out of a purl. */
const distributions = ['alpm', 'apk', 'deb', 'rpm'];

/** Namespaces of those types; none of them is the name of a package. */
const distributionNames =
  /^(?:almalinux|alpine|amzn|arch|centos|chainguard|debian|fedora|opensuse|oracle|redhat|rhel|rocky|sles|ubuntu|wolfi)$/;

/** How an ecosystem tells two names apart, beyond what a purl has in canonical spelling. */
const foldings: Readonly<Record<string, (name: string) => string>> = {
  // PEP 503: runs of ".", "_" and "-" are one "-".
  pypi: (name) => name.toLowerCase().replace(/[-._]+/g, '-'),
  // crates.io lets "_" and "-" stand for each other, and no two names differ in case alone.
  cargo: (name) => name.toLowerCase().replaceAll('_', '-'),
  conda: (name) => name.toLowerCase(),
  npm: (name) => name.toLowerCase(),
  nuget: (name) => name.toLowerCase(),
};

/** Why a purl cannot be a pattern; `undefined` where it can. */
export function patternProblem({ name, namespace = '', type, version = '' }: PurlParts): string | undefined {
  const path = `${namespace}/${name}`;
  if (path.includes('**')) {
    return 'holds **; * stops at /, and nothing goes beyond it';
  }
  if (/[[\]{}^$|\\]|(?:^|\/)\.[*+]/.test(path)) {
    return 'is a pattern of another language; only * is known, and it stops at /';
  }
  if (namespace === '' && distributions.includes(type) && distributionNames.test(name)) {
    return `names a distribution and no package; write pkg:${type}/${name}/* for all of them`;
  }
  if (version.includes('*')) {
    return `has a pattern as its version; leave the version out, or give a range: versions: "vers:${type}/>=1.0|<2.0"`;
  }
  return undefined;
}

/** Whether a component of this type may ever be met. */
export function isKnownType(type: string): boolean {
  return Object.hasOwn(purlRules, type) || plainTypes.includes(type);
}

/** Whether the pattern leaves open which package it names. */
export function isGlob({ name, namespace = '' }: Name): boolean {
  return name.includes('*') || namespace.includes('*');
}

/**
 * Whether a pattern names the package: type, namespace and name, compared as the ecosystem does. `*` stands
 * for any characters except `/`, as in identities; `@`, which begins the scopes of npm, is a character like
 * any other here. `perhaps`: the component does not say of which distribution it is.
 */
export function matchName(pattern: Name, found: Name): 'match' | 'none' | 'perhaps' {
  if (pattern.type !== found.type) {
    return 'none';
  }
  const fold = Object.hasOwn(foldings, found.type) ? foldings[found.type] : undefined;
  const toText = (part: string): string => (fold?.(part) ?? part).replaceAll('@', '\0');
  const same = (a: string, b: string): boolean => matchesIdentity(toText(a), toText(b));
  if (!same(pattern.name, found.name)) {
    return 'none';
  }
  const [wanted = '', namespace = ''] = [pattern.namespace, found.namespace];
  if (same(wanted, namespace)) {
    return 'match';
  }
  if (!distributions.includes(found.type)) {
    return 'none';
  }
  if (wanted === '') {
    return 'match';
  }
  return namespace === '' ? 'perhaps' : 'none';
}
