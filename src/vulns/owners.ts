import { type PurlParts, readPurl } from '../bom/purl.ts';
import type { SbomComponent } from '../bom/read.ts';
import { debianRelease } from './archive.ts';
import type { VulnerabilityData } from './data.ts';
import { isOfDistribution } from './ecosystems.ts';

/** A component with its purl read, and everything in which it lies, innermost first. */
export interface PlacedComponent {
  readonly component: SbomComponent;
  readonly parts: PurlParts | undefined;
  readonly owners: readonly PlacedComponent[];
}

/** Ours nest four deep; a circle ends here. */
const maxOwners = 32;

/** Everything that is in the image, with its owners. */
export function placeComponents(components: readonly SbomComponent[]): readonly PlacedComponent[] {
  const placed = components.map((component) => ({
    component,
    parts: component.purl === undefined ? undefined : readPurl(component.purl),
    owners: [] as PlacedComponent[],
  }));
  const byRef = new Map(placed.map((one) => [one.component.bomRef, one]));
  for (const one of placed) {
    let { owner } = one.component;
    while (owner !== undefined && one.owners.length < maxOwners) {
      const above = byRef.get(owner);
      if (above === undefined || one.owners.includes(above)) {
        break;
      }
      one.owners.push(above);
      owner = above.component.owner;
    }
  }
  return placed.filter(({ component }) => component.absent === undefined);
}

/**
 * The package of a distribution in which a component lies: the distribution backports fixes without a new
 * upstream version, so what others say of that version is wrong there. Packages of somebody else's repository
 * are not meant.
 */
export function distributionOwner(
  { owners }: PlacedComponent,
  data: VulnerabilityData,
): SbomComponent | undefined {
  return owners.find(
    ({ component, parts }) =>
      parts !== undefined && isOfDistribution(parts.type) && !isOfOtherRepository(component, parts, data),
  )?.component;
}

/** Not a package of the distribution: its maker says so, or the whole archive does not have its name. */
export function isOfOtherRepository(
  { supplier }: SbomComponent,
  parts: PurlParts,
  data: VulnerabilityData,
): boolean {
  if (supplier !== undefined && /^(?:cudatools\b|nvidia\b)/i.test(supplier)) {
    return true;
  }
  const release = debianRelease(parts);
  const architecture = parts.qualifiers?.['arch'] ?? 'all';
  if (release === undefined || data.archives.get(`${release} ${architecture}`)?.whole !== true) {
    return false;
  }
  return data.offered(release, parts.name, architecture).length === 0;
}
