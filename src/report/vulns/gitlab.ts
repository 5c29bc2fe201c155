import { compact } from '../../base/compact.ts';
import { formatJson, printable } from '../../base/text.ts';
import { uuidV5 } from '../../bom/serial.ts';
import { affectedOf, type VulnFinding } from '../../vulns/scan.ts';
import type { FoundVulnerabilities } from './found.ts';

const severities = {
  critical: 'Critical',
  high: 'High',
  low: 'Low',
  medium: 'Medium',
  none: 'Info',
  unknown: 'Unknown',
} as const;

/**
 * GitLab's container scanning report, by version 15.2.4 of its schema (security-report-schemas): what is
 * affected, with the image and the package as GitLab shows them. What nobody can tell has no place in it;
 * `scan.messages` says how much that is.
 */
export function toGitLabReport(found: FoundVulnerabilities, now: Date, version: string): string {
  const { scan, source, subject } = found;
  const tool = { id: 'tcf', name: 'tcf vulns', version, vendor: { name: 'tcf' } };
  const at = now.toISOString().slice(0, 19);
  const open = scan.unjudged.length + scan.findings.filter(({ verdict }) => verdict === 'cannot-tell').length;
  return formatJson(
    {
      version: '15.2.4',
      scan: compact({
        analyzer: tool,
        scanner: tool,
        type: 'container_scanning',
        start_time: at,
        end_time: at,
        status: 'success',
        messages:
          open === 0
            ? undefined
            : [{ level: 'warn', value: `nobody can tell about ${open} components and vulnerabilities` }],
      }),
      vulnerabilities: affectedOf(scan).map((finding) =>
        toVulnerability(finding, imageName(source, subject.digests[0])),
      ),
      remediations: [],
    },
    2,
  );
}

function imageName(source: string, digest: string | undefined): string {
  return digest === undefined || source.includes('@') ? source : `${source}@${digest}`;
}

function toVulnerability(finding: VulnFinding, image: string): object {
  const { aliases, ecosystem, fixedIn, id, package: name, severity, summary, version, why } = finding;
  return compact({
    id: uuidV5(image.replace(/@.*/, ''), ecosystem, name, id),
    name: printable(summary === undefined ? id : `${id}: ${summary}`, maxName).slice(0, maxName),
    description: printable(summary === undefined ? why : `${summary}: ${why}`, 2000),
    severity: severities[severity.level],
    solution: fixedIn === undefined ? undefined : printable(`Update ${name} to ${fixedIn}`, 2000),
    location: {
      dependency: { package: { name: printable(name, 500) }, version: printable(version ?? 'unknown', 500) },
      operating_system: ecosystem.includes(':') ? ecosystem.toLowerCase() : 'unknown',
      image: printable(image, 2000),
    },
    identifiers: [id, ...aliases].map((one) =>
      compact({
        type: typeOf(one),
        name: printable(one, 300),
        value: printable(one, 300),
        url: one.startsWith('CVE-')
          ? `https://www.cve.org/CVERecord?id=${encodeURIComponent(one)}`
          : undefined,
      }),
    ),
    links: [],
  });
}

/** The schema's, in characters. */
const maxName = 255;

function typeOf(id: string): string {
  return (/^[A-Za-z]+/.exec(id)?.[0] ?? 'other').toLowerCase();
}
