import type { FleetScan } from '../../report/vulns/fleet.ts';
import type { Host } from '../../system/host.ts';
import { findVulnerabilities } from '../../vulns/match.ts';
import { type FleetRequest, fleetOf } from './fleet.ts';
import { useDatabase } from './place.ts';

/**
 * What is vulnerable in all images of some repositories, by their attested SBOMs alone.
 *
 * @throws TcfError `db.*` (exit 2), and as `fleetOf` does.
 */
export async function scanFleet(
  host: Host,
  request: FleetRequest,
): Promise<{ readonly images: readonly FleetScan[]; readonly digest: string }> {
  using used = await useDatabase(host, request.database);
  const fleet = await fleetOf(host, request);
  const images = fleet.map(
    (one): FleetScan =>
      'why' in one
        ? one
        : { image: one.image, tags: one.tags, scan: findVulnerabilities(one.sbom, used.data) },
  );
  return { images, digest: used.file.digest };
}
