import type { PurlParts } from '../bom/purl.ts';
import { compareDebVersions } from '../bom/versions/deb.ts';

/** A binary package as an index of Debian's archive offers it. */
export interface OfferedPackage {
  readonly version: string;
  /** `bookworm-security`. */
  readonly suite: string;
  /** `Debian-Security`, the label of the archive. */
  readonly label: string;
  /** RFC 3339, when the archive was published. */
  readonly date: string;
}

/**
 * Says that a newer version of an installed package lies in the archive; which vulnerabilities it closes
 * nobody says.
 */
export interface MissingUpdate {
  readonly bomRef: string;
  readonly name: string;
  readonly installed: string;
  readonly offered: OfferedPackage;
  /** The archive has a newer version for security, whether or not that is the newest of all. */
  readonly isSecurity: boolean;
}

/** What apt would install: the newest of all that is offered, and of equal ones the one for security. */
export function candidateOf(offered: readonly OfferedPackage[]): OfferedPackage | undefined {
  return [...offered].sort(
    (a, b) =>
      compareDebVersions(b.version, a.version) || Number(isSecuritySuite(b)) - Number(isSecuritySuite(a)),
  )[0];
}

export function isSecuritySuite({ label, suite }: OfferedPackage): boolean {
  return /-security$/.test(suite) || /security/i.test(label);
}

/** `12` of `distro=debian-12`; only packages of Debian itself are asked about. */
export function debianRelease({ qualifiers = {}, type }: PurlParts): string | undefined {
  return type === 'deb' ? /^debian-(\d+)(?:\.\d+)?$/.exec(qualifiers['distro'] ?? '')?.[1] : undefined;
}
