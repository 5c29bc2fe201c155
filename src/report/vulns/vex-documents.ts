import { compact } from '../../base/compact.ts';
import { formatJson } from '../../base/text.ts';
import { uuidV5 } from '../../bom/serial.ts';
import { counts, type VulnFinding } from '../../vulns/scan.ts';
import type { FoundVulnerabilities } from './found.ts';

const openVexStates = {
  affected: 'affected',
  'cannot-tell': 'under_investigation',
  fixed: 'fixed',
  'not-affected': 'not_affected',
} as const;

/** What counts as a statement about this image: every finding that some source had an answer for. */
function statedOf({ scan }: FoundVulnerabilities): readonly VulnFinding[] {
  return scan.findings.filter(counts);
}

/** OpenVEX 0.2.0; `now` is when it is said. */
export function toOpenVex(found: FoundVulnerabilities, now: Date, version: string): string {
  const product = imagePurl(found);
  const statements = statedOf(found).map((finding) =>
    compact({
      vulnerability: compact({
        name: finding.id,
        aliases: finding.aliases.length === 0 ? undefined : finding.aliases,
      }),
      products: productsOf(finding, product),
      status: openVexStates[finding.verdict],
      justification: finding.verdict === 'not-affected' ? finding.justification : undefined,
      impact_statement:
        finding.verdict === 'not-affected' && finding.justification === undefined ? finding.why : undefined,
      status_notes: finding.verdict === 'not-affected' ? undefined : finding.why,
      action_statement: finding.verdict === 'affected' ? actionOf(finding) : undefined,
    }),
  );
  const body = { statements, data: found.database.file.digest };
  return formatJson(
    {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': `urn:uuid:${uuidV5(JSON.stringify(body))}`,
      author: `tcf ${version}`,
      timestamp: now.toISOString(),
      version: 1,
      tooling: `tcf ${version}, data ${found.database.file.digest}`,
      statements,
    },
    2,
  );
}

/** The image with what in it is meant; of an SBOM that names no image, the components themselves. */
function productsOf({ components }: VulnFinding, image: string | undefined): readonly object[] {
  const parts = components.map(({ bomRef, name, purl }) =>
    compact({
      '@id': purl ?? bomRef ?? name,
      identifiers: purl === undefined ? undefined : { purl },
    }),
  );
  return image === undefined ? parts : [{ '@id': image, identifiers: { purl: image }, subcomponents: parts }];
}

function actionOf({ fixedIn, package: name }: VulnFinding): string {
  return fixedIn === undefined ? `no fix of ${name} is known` : `update ${name} to ${fixedIn}`;
}

function imagePurl({ subject }: FoundVulnerabilities): string | undefined {
  const [digest] = subject.digests;
  const name = subject.name?.toLowerCase();
  return digest === undefined || name === undefined
    ? undefined
    : `pkg:oci/${encodeURIComponent(name)}@${encodeURIComponent(digest).replaceAll('%3A', ':')}`;
}

const cycloneDxStates = {
  affected: 'exploitable',
  'cannot-tell': 'in_triage',
  fixed: 'resolved',
  'not-affected': 'not_affected',
} as const;
const cycloneDxReasons = {
  component_not_present: 'requires_dependency',
  inline_mitigations_already_exist: 'protected_by_mitigating_control',
  vulnerable_code_cannot_be_controlled_by_adversary: 'requires_environment',
  vulnerable_code_not_in_execute_path: 'code_not_reachable',
  vulnerable_code_not_present: 'code_not_present',
} as const;

/** CycloneDX 1.6 with `vulnerabilities` and the components that they affect. */
export function toCycloneDxVex(found: FoundVulnerabilities, now: Date, version: string): string {
  const stated = statedOf(found);
  const refs = new Map(
    stated.flatMap(({ components }) => components.map((component) => [refOf(component), component] as const)),
  );
  const vulnerabilities = stated.map((finding) => vulnerability(finding));
  const components = [...refs].map(([ref, { name, purl, version: own }]) =>
    compact({ type: 'library', 'bom-ref': ref, name, version: own, purl }),
  );
  const body = { components, vulnerabilities };
  const product = imagePurl(found);
  return formatJson(
    {
      $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: `urn:uuid:${uuidV5(JSON.stringify(body), found.database.file.digest)}`,
      version: 1,
      metadata: {
        timestamp: now.toISOString(),
        tools: { components: [{ type: 'application', name: 'tcf', version }] },
        component: compact({
          type: 'container',
          'bom-ref': 'image',
          name: found.subject.name ?? found.source,
          purl: product,
        }),
        properties: [{ name: 'tcf:vulns:data', value: found.database.file.digest }],
      },
      ...body,
    },
    2,
  );
}

function refOf({ bomRef, name, purl }: VulnFinding['components'][number]): string {
  return bomRef ?? purl ?? name;
}

function vulnerability(finding: VulnFinding): object {
  const {
    aliases,
    answers,
    components,
    ecosystem,
    fixedIn,
    id,
    justification,
    package: name,
    severity,
    summary,
    verdict,
    version,
    why,
  } = finding;
  return compact({
    'bom-ref': `vulnerability:${ecosystem}:${name}:${version ?? ''}:${id}`,
    id,
    source: { name: answers[0]?.source ?? 'unknown' },
    references:
      aliases.length === 0
        ? undefined
        : aliases.map((alias) => ({ id: alias, source: { name: alias.split('-')[0] ?? alias } })),
    ratings: [compact({ severity: severity.level, score: severity.score, ...methodOf(severity.from) })],
    description: summary,
    recommendation: verdict === 'affected' && fixedIn !== undefined ? actionOf(finding) : undefined,
    analysis: compact({
      state: cycloneDxStates[verdict],
      justification:
        verdict === 'not-affected' && justification !== undefined
          ? cycloneDxReasons[justification]
          : undefined,
      detail: why,
    }),
    affects: components.map((component) => ({ ref: refOf(component) })),
  });
}

const methods: Readonly<Record<string, string>> = { '3.0': 'CVSSv3', '3.1': 'CVSSv31', '4.0': 'CVSSv4' };

function methodOf(from: string | undefined): { readonly method?: string; readonly vector?: string } {
  if (from === undefined) {
    return {};
  }
  const version = /^CVSS:(\d\.\d)\//.exec(from)?.[1] ?? '';
  if (Object.hasOwn(methods, version)) {
    return { method: methods[version] ?? 'other', vector: from };
  }
  return /^\(?AV:/.test(from) ? { method: 'CVSSv2', vector: from } : { method: 'other' };
}
