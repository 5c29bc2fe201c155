import { type PurlParts, readPurl } from '../bom/purl.ts';
import type { SbomSubject } from '../bom/read.ts';
import type { FoundComponent, VulnFinding, VulnScan } from './scan.ts';
import { byTime, type VexDocument, type VexProduct, type VexStatement } from './vex.ts';

/** A document, and why it may speak. */
export interface TrustedVex {
  readonly document: VexDocument;
  /** The file, or the signer by the policy's name. */
  readonly source: string;
}

/** A statement that changes nothing, and why. */
export interface UnusedVex {
  readonly source: string;
  readonly author: string;
  readonly statement: VexStatement;
  readonly why: string;
}

export interface AppliedVex {
  readonly scan: VulnScan;
  readonly unused: readonly UnusedVex[];
}

/** The image, by which products are recognized. */
export type VexSubject = Pick<SbomSubject, 'digests' | 'name'>;

/**
 * Lets statements change verdicts: of each finding the newest one that applies to every component of it. What
 * applies to nothing is handed back with the reason.
 */
export function applyVex(scan: VulnScan, subject: VexSubject, documents: readonly TrustedVex[]): AppliedVex {
  const stated = documents.flatMap(({ document, source }) =>
    document.statements.map((statement) => ({ document, source, statement })),
  );
  const used = new Set<VexStatement>();
  const ordered = stated.toSorted((a, b) => byTime(a.statement, b.statement));
  const findings = scan.findings.map((finding) => {
    const found = ordered.filter(({ statement }) => covers(statement, finding, subject) === 'all');
    for (const { statement } of found) {
      used.add(statement);
    }
    const [newest] = found;
    return newest === undefined ? finding : changed(finding, newest);
  });
  const unused = stated
    .filter(({ statement }) => !used.has(statement))
    .map(({ document, source, statement }) => ({
      source,
      author: document.author,
      statement,
      why: whyUnused(statement, scan, subject),
    }));
  return { scan: { ...scan, findings }, unused };
}

interface Stated extends TrustedVex {
  readonly statement: VexStatement;
}

function changed(finding: VulnFinding, { document, source, statement }: Stated): VulnFinding {
  const vex = { author: document.author, source, statement: document.id };
  if (statement.status === 'under_investigation') {
    return finding;
  }
  const verdict = ({ affected: 'affected', fixed: 'fixed', not_affected: 'not-affected' } as const)[
    statement.status
  ];
  const { justification: _, ...rest } = finding;
  return {
    ...rest,
    verdict,
    why: statement.detail ?? statement.justification?.replaceAll('_', ' ') ?? `the author says ${verdict}`,
    ...(statement.justification === undefined ? {} : { justification: statement.justification }),
    vex,
  };
}

type Coverage = 'all' | 'name' | 'none' | 'some';

function covers(statement: VexStatement, finding: VulnFinding, subject: VexSubject): Coverage {
  const names = [finding.id, ...finding.aliases];
  if (!statement.ids.some((id) => names.includes(id))) {
    return 'none';
  }
  const covered = finding.components.filter((component) =>
    statement.products.some((product) => isMeant(product, component, subject)),
  );
  if (covered.length === finding.components.length && covered.length > 0) {
    return 'all';
  }
  return covered.length > 0 ? 'some' : 'name';
}

function isMeant(
  { names, subcomponents }: VexProduct,
  component: FoundComponent,
  subject: VexSubject,
): boolean {
  if (names.some((name) => isSubject(name, subject))) {
    return subcomponents.length === 0 || subcomponents.some((purl) => isComponent(purl, component));
  }
  return names.some((name) => isComponent(name, component));
}

/** By digest, or by an oci purl with this digest; a purl without a version means every image of this name. */
function isSubject(name: string, { digests, name: own }: VexSubject): boolean {
  if (/^sha256:[0-9a-f]{64}$/.test(name)) {
    return digests.includes(name);
  }
  const parts = readPurl(name);
  if (parts?.type !== 'oci') {
    return false;
  }
  return parts.version === undefined ? parts.name === own?.toLowerCase() : digests.includes(parts.version);
}

function isComponent(name: string, { purl }: FoundComponent): boolean {
  const [wanted, own] = [readPurl(name), purl === undefined ? undefined : readPurl(purl)];
  return wanted !== undefined && own !== undefined && matchesPurl(wanted, own);
}

/** What the statement leaves open is every version, every architecture and every distribution. */
function matchesPurl(wanted: PurlParts, own: PurlParts): boolean {
  return (
    wanted.type === own.type &&
    wanted.namespace === own.namespace &&
    wanted.name === own.name &&
    (wanted.version === undefined || wanted.version === own.version) &&
    Object.entries(wanted.qualifiers ?? {}).every(([key, value]) => own.qualifiers?.[key] === value)
  );
}

function whyUnused(statement: VexStatement, scan: VulnScan, subject: VexSubject): string {
  if (statement.products.length === 0) {
    return 'it names no product';
  }
  const coverage = scan.findings.map((finding) => covers(statement, finding, subject));
  if (coverage.every((one) => one === 'none')) {
    return `no component has ${statement.ids[0]}`;
  }
  return coverage.includes('some')
    ? `it is about some of the components that have ${statement.ids[0]}, and not about all`
    : `its products are neither this image nor a component that has ${statement.ids[0]}`;
}
