import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type PurlParts, readPurl } from '../../bom/purl.ts';
import type { SbomComponent } from '../../bom/read.ts';
import type { FoundWhere } from '../../report/vulns/fleet.ts';
import type { Host } from '../../system/host.ts';
import { findVulnerabilities } from '../../vulns/match.ts';
import { type FleetImage, type FleetRequest, fleetOf } from './fleet.ts';
import { useDatabase } from './place.ts';

export interface WhichRequest extends FleetRequest {
  /** The id of a vulnerability, a purl, or the name of a component. */
  readonly what: string;
}

/**
 * Which images of some repositories contain a component or have a vulnerability, by their attested SBOMs
 * alone.
 *
 * @throws TcfError `which.none` (exit 3), `db.*` (exit 2), and as `fleetOf` does.
 */
export async function whichImages(host: Host, { what, ...request }: WhichRequest): Promise<FoundWhere> {
  if (what.trim() === '') {
    throw askedWrongly('which.none', `${quoted(what)} names nothing`, {
      hint: 'write a CVE, a purl or a name',
    });
  }
  if (!/^(?:[A-Z][A-Za-z]*-)+\d[\w-]*$/.test(what) && !/^GHSA-/.test(what)) {
    const matcher = componentMatcher(what);
    return toFound(await fleetOf(host, request), matcher);
  }
  using used = await useDatabase(host, request.database);
  const fleet = await fleetOf(host, request);
  return toFound(fleet, (components) => {
    const { findings } = findVulnerabilities({ components }, used.data);
    const named = findings.filter(({ aliases, id, upstream }) =>
      [id, ...aliases, ...upstream].includes(what),
    );
    const open = named.filter(({ verdict }) => verdict === 'affected' || verdict === 'cannot-tell');
    return open.flatMap((finding) =>
      finding.components.map(({ location, name, purl, version }) => ({
        name,
        version,
        purl,
        location,
        note: finding.verdict === 'affected' ? finding.why : `cannot tell: ${finding.why}`,
      })),
    );
  });
}

type Matcher = (components: readonly SbomComponent[]) => FoundWhere['images'][number]['found'];

function componentMatcher(what: string): Matcher {
  const wanted = what.startsWith('pkg:') ? readPurl(what) : undefined;
  if (what.startsWith('pkg:') && wanted === undefined) {
    throw askedWrongly('which.none', `${quoted(what)} is not a purl`, {
      hint: 'write pkg:pypi/torch, or a name',
    });
  }
  return (components) =>
    components
      .filter(
        (component) =>
          component.absent === undefined &&
          (wanted === undefined
            ? component.name.toLowerCase() === what.toLowerCase()
            : isMeant(wanted, component)),
      )
      .map(({ location, name, purl, version }) => ({ name, version, purl, location, note: undefined }));
}

function isMeant(wanted: PurlParts, { purl }: SbomComponent): boolean {
  const own = purl === undefined ? undefined : readPurl(purl);
  return (
    own !== undefined &&
    own.type === wanted.type &&
    own.name === wanted.name &&
    (wanted.namespace === undefined || own.namespace === wanted.namespace) &&
    (wanted.version === undefined || own.version === wanted.version)
  );
}

function toFound(fleet: readonly FleetImage[], find: Matcher): FoundWhere {
  return {
    images: fleet.flatMap((one) => {
      const found = 'sbom' in one ? find(one.sbom.components) : [];
      return found.length === 0 ? [] : [{ image: one.image, tags: one.tags, found }];
    }),
    looked: fleet.filter((one) => 'sbom' in one).length,
    unknown: fleet.flatMap((one) =>
      'why' in one ? [{ image: one.image, tags: one.tags, why: one.why }] : [],
    ),
  };
}
