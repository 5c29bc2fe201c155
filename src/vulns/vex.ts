import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { Shape } from '../base/shape.ts';
import { byCodeUnit } from '../base/text.ts';
import { readPurl } from '../bom/purl.ts';
import type { Justification } from './scan.ts';

/** What a VEX document says about one vulnerability, in the words of OpenVEX 0.2.0. */
export interface VexStatement {
  /** Every name that it gives the vulnerability. */
  readonly ids: readonly string[];
  readonly status: 'affected' | 'fixed' | 'not_affected' | 'under_investigation';
  readonly justification?: Justification;
  /** Why, or what to do. */
  readonly detail?: string;
  readonly products: readonly VexProduct[];
  /** RFC 3339. */
  readonly at?: string;
}

export interface VexProduct {
  /** Purls, digests (`sha256:...`) and other names of the product. */
  readonly names: readonly string[];
  /** Purls of what in it is meant; empty: all of it. */
  readonly subcomponents: readonly string[];
}

export interface VexDocument {
  readonly author: string;
  readonly id: string;
  readonly statements: readonly VexStatement[];
}

/** vexhub's largest document has some 400 statements. */
const maxStatements = 20_000;
const maxProducts = 20_000;
const maxText = 2000;

const justifications: readonly Justification[] = [
  'component_not_present',
  'inline_mitigations_already_exist',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_not_present',
];

/**
 * Reads OpenVEX 0.2.0 and CycloneDX with `vulnerabilities`.
 *
 * @throws TcfError `vex.format`, `document.malformed` (exit 2).
 */
export function parseVex(value: unknown, what: string): VexDocument {
  const shape = new Shape(value, what);
  const context = shape.get('@context').value;
  if (typeof context === 'string' && /^https:\/\/openvex\.dev\/ns(?:\/v0\.\d+\.\d+)?$/.test(context)) {
    return parseOpenVex(shape);
  }
  if (shape.get('bomFormat').value === 'CycloneDX') {
    return parseCycloneDxVex(shape);
  }
  throw cannotTell('vex.format', `${what} is not a VEX document`, {
    hint: 'write OpenVEX 0.2.0, or CycloneDX with vulnerabilities',
  });
}

function parseOpenVex(shape: Shape): VexDocument {
  const at = shape.optional('timestamp')?.string(maxText);
  return {
    author: shape.get('author').string(maxText),
    id: shape.get('@id').string(maxText),
    statements: shape
      .get('statements')
      .list(maxStatements)
      .map((statement) => openVexStatement(statement, at)),
  };
}

function openVexStatement(statement: Shape, at: string | undefined): VexStatement {
  const vulnerability = statement.get('vulnerability');
  const names =
    typeof vulnerability.value === 'string'
      ? [vulnerability.string(maxText)]
      : [
          vulnerability.get('name').string(maxText),
          ...(vulnerability
            .optional('aliases')
            ?.list(maxStatements)
            .map((alias) => alias.string(maxText)) ?? []),
        ];
  const status = statement.get('status').string(maxText);
  if (
    status !== 'affected' &&
    status !== 'fixed' &&
    status !== 'not_affected' &&
    status !== 'under_investigation'
  ) {
    throw statement.get('status').wrong('is not a status of OpenVEX');
  }
  const justification = statement.optional('justification')?.string(maxText);
  const detail = statement.optional('impact_statement') ?? statement.optional('action_statement');
  if (status === 'not_affected' && justification === undefined && detail === undefined) {
    throw statement.wrong('says not_affected without a justification or an impact statement');
  }
  return compact({
    ids: names,
    status,
    justification: toJustification(justification, statement),
    detail: detail?.string(maxText),
    products: statement.optional('products')?.list(maxProducts).map(openVexProduct) ?? [],
    at: statement.optional('timestamp')?.string(maxText) ?? at,
  });
}

function toJustification(text: string | undefined, at: Shape): Justification | undefined {
  const found = justifications.find((one) => one === text);
  if (text !== undefined && found === undefined) {
    throw at.get('justification').wrong('is not a justification of OpenVEX');
  }
  return found;
}

function openVexProduct(product: Shape): VexProduct {
  if (typeof product.value === 'string') {
    return { names: [product.string(maxText)], subcomponents: [] };
  }
  return {
    names: namesOf(product),
    subcomponents: (product.optional('subcomponents')?.list(maxProducts) ?? []).flatMap((one) =>
      typeof one.value === 'string' ? [one.string(maxText)] : namesOf(one),
    ),
  };
}

function namesOf(product: Shape): readonly string[] {
  const identifiers = product.optional('identifiers');
  const hashes = product.optional('hashes')?.strings(100) ?? {};
  return [
    ...(product.optional('@id') === undefined ? [] : [product.get('@id').string(maxText)]),
    ...Object.values(identifiers?.strings(100) ?? {}),
    ...Object.entries(hashes).flatMap(([name, value]) =>
      /^sha-?256$/i.test(name) ? [`sha256:${value}`] : [],
    ),
  ];
}

const states: Readonly<Record<string, VexStatement['status']>> = {
  exploitable: 'affected',
  false_positive: 'not_affected',
  in_triage: 'under_investigation',
  not_affected: 'not_affected',
  resolved: 'fixed',
  resolved_with_pedigree: 'fixed',
};

const cycloneDxReasons: Readonly<Record<string, Justification>> = {
  code_not_present: 'vulnerable_code_not_present',
  code_not_reachable: 'vulnerable_code_not_in_execute_path',
  protected_at_perimeter: 'inline_mitigations_already_exist',
  protected_at_runtime: 'inline_mitigations_already_exist',
  protected_by_compiler: 'inline_mitigations_already_exist',
  protected_by_mitigating_control: 'inline_mitigations_already_exist',
  requires_configuration: 'vulnerable_code_cannot_be_controlled_by_adversary',
  requires_dependency: 'component_not_present',
  requires_environment: 'vulnerable_code_cannot_be_controlled_by_adversary',
};

/** A reference is a purl, a bom-ref of the same document, or a BOM-Link whose last part is the bom-ref. */
function parseCycloneDxVex(shape: Shape): VexDocument {
  const purls = new Map<string, string>();
  const root = shape.optional('metadata')?.optional('component');
  const components = [
    ...(root === undefined ? [] : [root]),
    ...(shape.optional('components')?.list(200_000) ?? []),
  ];
  for (const component of components) {
    const ref = component.optional('bom-ref')?.string(maxText);
    const purl = component.optional('purl')?.string(maxText);
    if (ref !== undefined && purl !== undefined) {
      purls.set(ref, purl);
    }
  }
  const authors = shape.optional('metadata')?.optional('authors')?.list(maxText) ?? [];
  const author = authors.flatMap((one) => one.optional('name')?.string(maxText) ?? [])[0];
  return {
    author: author ?? 'an unnamed author',
    id: shape.optional('serialNumber')?.string(maxText) ?? 'without a serial number',
    statements: (shape.optional('vulnerabilities')?.list(maxStatements) ?? []).flatMap((one) =>
      cycloneDxStatement(one, purls),
    ),
  };
}

function cycloneDxStatement(
  vulnerability: Shape,
  purls: ReadonlyMap<string, string>,
): readonly VexStatement[] {
  const analysis = vulnerability.optional('analysis');
  const state = analysis?.optional('state')?.string(maxText) ?? '';
  const status = Object.hasOwn(states, state) ? states[state] : undefined;
  if (analysis === undefined || status === undefined) {
    return [];
  }
  const reason = analysis.optional('justification')?.string(maxText) ?? '';
  const references = vulnerability.optional('references')?.list(maxStatements) ?? [];
  return [
    compact({
      ids: [
        vulnerability.get('id').string(maxText),
        ...references.flatMap((reference) => reference.optional('id')?.string(maxText) ?? []),
      ],
      status,
      justification: Object.hasOwn(cycloneDxReasons, reason) ? cycloneDxReasons[reason] : undefined,
      detail: analysis.optional('detail')?.string(maxText),
      products: (vulnerability.optional('affects')?.list(maxProducts) ?? []).map((affected) => ({
        names: affectedNames(affected, purls),
        subcomponents: [],
      })),
      at: analysis.optional('lastUpdated')?.string(maxText),
    }),
  ];
}

/** A reference without a version, beside a list of them, is about these alone; a range of them is not read. */
function affectedNames(affected: Shape, purls: ReadonlyMap<string, string>): readonly string[] {
  const name = referenceOf(affected.get('ref').string(maxText), purls);
  const versions = affected.optional('versions')?.list(maxProducts);
  if (versions === undefined || readPurl(name)?.version !== undefined) {
    return [name];
  }
  return versions.flatMap((entry) => {
    const version = entry.optional('version')?.string(maxText);
    return version === undefined ? [] : [`${name.replace(/[?#].*$/s, '')}@${encodeURIComponent(version)}`];
  });
}

function referenceOf(ref: string, purls: ReadonlyMap<string, string>): string {
  const plain = ref.startsWith('urn:cdx:') ? decoded(ref.slice(ref.indexOf('#') + 1)) : ref;
  return purls.get(plain) ?? plain;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) {
      return text;
    }
    throw error;
  }
}

/** Newest first, so that the first that applies counts; of one time the one that says the worst. */
export function byTime(a: VexStatement, b: VexStatement): number {
  const order = ['affected', 'under_investigation', 'fixed', 'not_affected'];
  return byCodeUnit(b.at ?? '', a.at ?? '') || order.indexOf(a.status) - order.indexOf(b.status);
}
