import type { BomRef, Component, Property } from './model.ts';
import { readPurl } from './purl.ts';

/**
 * `flat`: every component stands at the top and names the one it lies in, because trivy passes over what is
 * nested. `nested`: it stands in the `components` of that. The edges of the graph are the same, so each
 * component is reachable through its owner in both.
 */
export type Layout = 'flat' | 'nested';

/** The component in which another one lies, by bom-ref. */
export const ownedBy = 'tcf:owned-by';

/** All components at the top, each nested one with its owner as a property. */
export function flatten(components: readonly Component[], owner?: BomRef): readonly Component[] {
  return components.flatMap(({ components: nested = [], ...component }) => [
    owner === undefined ? component : withOwner(component, owner),
    ...flatten(nested, component.bomRef),
  ]);
}

function withOwner(component: Component, owner: BomRef): Component {
  const others = (component.properties ?? []).filter(({ name }) => name !== ownedBy);
  return { ...component, properties: [...others, { name: ownedBy, value: owner }] };
}

/** trivy takes the source package from these, and the name of the binary package where they are missing. */
const trivy = 'aquasecurity:trivy:';

/**
 * The component with its source package where trivy looks for it: advisories of distributions are about
 * source packages. Everybody else reads the qualifier `upstream` of the purl, from which this is made. Nested
 * components too.
 */
export function withSourceForTrivy(component: Component): Component {
  const { components, properties = [], purl } = component;
  const source = purl === undefined ? [] : sourceOf(purl);
  return {
    ...component,
    ...(source.length === 0 ? {} : { properties: [...properties, ...source] }),
    ...(components === undefined ? {} : { components: components.map(withSourceForTrivy) }),
  };
}

function sourceOf(purl: string): readonly Property[] {
  const { qualifiers = {}, type } = readPurl(purl) ?? {};
  const upstream = qualifiers['upstream'];
  if (upstream === undefined) {
    return [];
  }
  const parts = type === 'rpm' ? rpmSource(upstream, qualifiers['epoch']) : otherSource(upstream);
  return Object.entries(parts ?? {}).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [{ name: `${trivy}${name}`, value }],
  );
}

type Parts = Readonly<Record<'SrcEpoch' | 'SrcName' | 'SrcRelease' | 'SrcVersion', string | undefined>>;

/**
 * `bash-5.1.8-9.el9.src.rpm`. The file name has no epoch; source and binary packages of rpm share it where a
 * spec file has one.
 */
function rpmSource(file: string, epoch: string | undefined): Parts | undefined {
  const [, name, version, release] = /^(.+)-([^-]+)-([^-]+)\.(?:no)?src\.rpm$/.exec(file) ?? [];
  if (name === undefined) {
    return undefined;
  }
  return { SrcEpoch: epoch, SrcName: name, SrcRelease: release, SrcVersion: version };
}

/**
 * `glibc`, or with a version of its own `glibc@1:2.36-9`. Without one trivy takes that of the binary package.
 */
function otherSource(upstream: string): Parts {
  const [name = '', full = ''] = upstream.split('@');
  const [, epoch, rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(full) ?? [];
  const hyphen = rest.lastIndexOf('-');
  return {
    SrcEpoch: epoch,
    SrcName: name,
    SrcRelease: hyphen < 0 ? undefined : rest.slice(hyphen + 1),
    SrcVersion: hyphen < 0 ? rest : rest.slice(0, hyphen),
  };
}
