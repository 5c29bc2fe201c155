import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { Shape } from '../base/shape.ts';
import { byCodeUnit, quoted } from '../base/text.ts';
import { ownedBy } from './layout.ts';
import { normalizePurl, readPurl } from './purl.ts';
import { unknownField } from './unknowns.ts';

/** What rules may ask of a CycloneDX document of any author: claims, no more. */
export interface SbomFacts {
  /** `1.6`, `1.7`; older ones are read as well. */
  readonly specVersion: string;
  readonly serialNumber?: string;
  /** As written; RFC 3339 where the author kept to the specification. */
  readonly timestamp?: string;
  /** `tcf 0.1.0`, `syft 1.51.0`: who wrote the document, by its own word. */
  readonly tools: readonly string[];
  readonly subject: SbomSubject;
  /** Every component, nested ones too, in the order of the document; the subject is not among them. */
  readonly components: readonly SbomComponent[];
  /** The composition about the BOM as a whole says `complete`; `undefined` where there is none. */
  readonly complete: boolean | undefined;
  /**
   * It states vulnerabilities and tells of no dependencies: a VEX, which has the form and the predicate type
   * of an SBOM, and lists what is affected instead of what is there.
   */
  readonly isVex: boolean;
}

export interface SbomSubject {
  readonly name?: string;
  /**
   * `sha256:<hex>` wherever `metadata.component` names one: version of an oci purl, version, SHA-256 hashes,
   * property values. Sorted. Which of them is a manifest and which a configuration the format does not say.
   */
  readonly digests: readonly string[];
  /** Those that stand in its `hashes`: each is said to be the hash of the subject itself. */
  readonly hashes: readonly string[];
  /**
   * What it was made from, where the author says so (`pedigree.ancestors`): purls in canonical spelling, or
   * names without one.
   */
  readonly ancestors: readonly { readonly name: string; readonly purl?: string }[];
}

export interface SbomComponent {
  readonly bomRef?: string;
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  /**
   * In canonical spelling, so that `pkg:PyPI/Torch` does not slip past a rule about `pkg:pypi/torch`; as
   * written if it is not a purl.
   */
  readonly purl?: string;
  /** Values of a name that stands several times are joined with a line feed. */
  readonly properties: Readonly<Record<string, string>>;
  /** Ids, names and expressions, declared and concluded, without repetition. */
  readonly licenses: readonly string[];
  /** `SHA-256 <hex>`, as written. */
  readonly hashes: readonly string[];
  /** Where the first occurrence lies in the image. */
  readonly location?: string;
  /** What the author says of this place: `layer 1 sha256:...: RUN pip install triton`. */
  readonly context?: string;
  /**
   * The bom-ref of the component in which it lies: the one above it, or the one that tcf names in flat
   * documents.
   */
  readonly owner?: string;
  readonly supplier?: string;
  /**
   * Not in the image, by the word of the document: `scope: excluded`, `isExternal: true`, or a part of such a
   * component.
   */
  readonly absent?: 'excluded' | 'external';
}

/** Four times the largest image seen (a TeX Live desktop, about 50,000 components without files). */
const maxComponents = 200_000;
/** Ours nest three deep: package, wheel, binary. */
const maxDepth = 16;
/** Of properties, hashes, licences of one component. */
const maxEntries = 10_000;
const maxCompositions = 200_000;

/**
 * Reads a CycloneDX document that was parsed with `parseJson`. `what` names it in messages. Unknown members
 * are passed over: the author may speak a newer version.
 *
 * @throws TcfError `sbom.format` for another format, `document.malformed`, `sbom.too-large` (all exit 2).
 */
export function parseSbom(value: unknown, what: string): SbomFacts {
  const bom = new Shape(value, what);
  if (bom.get('bomFormat').value !== 'CycloneDX') {
    throw cannotTell('sbom.format', `${what} is not a CycloneDX document`, {
      hint: 'rules read CycloneDX JSON; write one with tcf sbom IMAGE',
    });
  }
  const specVersion = bom.get('specVersion').string(8);
  if (!/^1\.\d$/.test(specVersion)) {
    throw cannotTell('sbom.format', `${what} has the unknown specVersion ${quoted(specVersion)}`);
  }
  const metadata = bom.optional('metadata');
  const components: SbomComponent[] = [];
  const root = metadata?.optional('component');
  if (root !== undefined) {
    readNested(root, components, 1);
  }
  readNested(bom, components, 1);
  return {
    specVersion,
    ...textMember(bom, 'serialNumber'),
    ...(metadata === undefined ? {} : textMember(metadata, 'timestamp')),
    tools: readTools(metadata?.optional('tools')),
    subject: root === undefined ? { digests: [], hashes: [], ancestors: [] } : readSubject(root),
    components,
    complete: readCompleteness(bom),
    isVex: hasEntries(bom, 'vulnerabilities') && !hasEntries(bom, 'dependencies'),
  };
}

function hasEntries(bom: Shape, name: string): boolean {
  return (bom.optional(name)?.list(maxComponents) ?? []).length > 0;
}

function readNested(
  parent: Shape,
  found: SbomComponent[],
  depth: number,
  inherited: SbomComponent['absent'] = undefined,
  above: string | undefined = undefined,
): void {
  const list = parent.optional('components')?.list(maxComponents) ?? [];
  if (list.length > 0 && depth > maxDepth) {
    throw parent.wrong(`nests components deeper than ${maxDepth} levels`);
  }
  for (const component of list) {
    if (found.length >= maxComponents) {
      throw cannotTell('sbom.too-large', `${parent.path} is part of more than ${maxComponents} components`);
    }
    const absent = readAbsence(component) ?? inherited;
    const read = readComponent(component);
    const owner = above ?? read.properties[ownedBy];
    found.push({ ...read, ...compact({ absent, owner }) });
    readNested(component, found, depth + 1, absent, read.bomRef);
  }
}

function readComponent(component: Shape): SbomComponent {
  const bomRef = component.optional('bom-ref')?.string();
  const properties = readProperties(component);
  // What some profiles want to see in its place, a date or a word, is none that a rule may compare.
  const isVersion = !(properties[unknownField] ?? '').split('\n').includes('version');
  return compact({
    bomRef,
    type: component.get('type').string(),
    name: component.get('name').string(),
    ...(isVersion ? textMember(component, 'version') : {}),
    ...purlOf(component),
    properties,
    licenses: readLicenses(component),
    hashes: (component.optional('hashes')?.list(maxEntries) ?? []).map(
      (hash) => `${hash.get('alg').string()} ${hash.get('content').string()}`,
    ),
    ...readLocation(component),
    ...readSupplier(component),
  });
}

function readAbsence(component: Shape): SbomComponent['absent'] {
  if (component.optional('scope')?.string() === 'excluded') {
    return 'excluded';
  }
  return component.optional('isExternal')?.boolean() === true ? 'external' : undefined;
}

function readLocation(component: Shape): Pick<SbomComponent, 'context' | 'location'> {
  const first = component.optional('evidence')?.optional('occurrences')?.list(maxComponents)[0];
  return first === undefined
    ? {}
    : compact({
        location: first.get('location').string(),
        context: first.optional('additionalContext')?.string(),
      });
}

function readSupplier(component: Shape): Pick<SbomComponent, 'supplier'> {
  const supplier = component.optional('supplier')?.optional('name');
  return supplier === undefined ? {} : { supplier: supplier.string() };
}

/** Since 1.5 an object with components; a plain list before, and still written by some. */
function readTools(tools: Shape | undefined): readonly string[] {
  if (tools === undefined) {
    return [];
  }
  const list = Array.isArray(tools.value) ? tools : tools.optional('components');
  return (list?.list(maxEntries) ?? []).flatMap((tool) => {
    const words = [tool.optional('name'), tool.optional('version')].map((word) => word?.string() ?? '');
    const text = words.join(' ').trim();
    return text === '' ? [] : [text];
  });
}

function readProperties(owner: Shape): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const property of owner.optional('properties')?.list(maxEntries) ?? []) {
    const name = property.get('name').string();
    const value = property.optional('value')?.string() ?? '';
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return Object.fromEntries(values);
}

function readLicenses(component: Shape): readonly string[] {
  const entries = [
    ...(component.optional('licenses')?.list(maxEntries) ?? []),
    ...(component.optional('evidence')?.optional('licenses')?.list(maxEntries) ?? []),
  ];
  const texts = entries.map((entry) => {
    const expression = entry.optional('expression');
    if (expression !== undefined) {
      return expression.string();
    }
    const license = entry.get('license');
    return (license.optional('id') ?? license.get('name')).string();
  });
  return [...new Set(texts)];
}

function readSubject(root: Shape): SbomSubject {
  const digests = new Set<string>();
  const note = (text: string | undefined): void => {
    if (text !== undefined && /^sha256:[0-9a-f]{64}$/.test(text)) {
      digests.add(text);
    }
  };
  const purl = root.optional('purl')?.string();
  const parts = purl === undefined ? undefined : readPurl(purl);
  if (parts?.type === 'oci') {
    note(parts.version);
  }
  note(root.optional('version')?.string());
  const hashes = (root.optional('hashes')?.list(maxEntries) ?? []).flatMap((hash) =>
    hash.get('alg').string() === 'SHA-256' ? [`sha256:${hash.get('content').string().toLowerCase()}`] : [],
  );
  for (const hash of hashes) {
    note(hash);
  }
  for (const value of Object.values(readProperties(root))) {
    note(value);
  }
  const ancestors = root.optional('pedigree')?.optional('ancestors')?.list(maxEntries) ?? [];
  return {
    ...textMember(root, 'name'),
    digests: [...digests].sort(byCodeUnit),
    hashes,
    ancestors: ancestors.map((ancestor) => ({ name: ancestor.get('name').string(), ...purlOf(ancestor) })),
  };
}

function purlOf(component: Shape): { readonly purl?: string } {
  const written = component.optional('purl')?.string();
  if (written === undefined) {
    return {};
  }
  return { purl: normalizePurl(written) ?? written };
}

/**
 * A composition without refs speaks about the BOM as a whole; one that says less than `complete` outweighs
 * one that says it.
 */
function readCompleteness(bom: Shape): boolean | undefined {
  const about = (bom.optional('compositions')?.list(maxCompositions) ?? []).filter((composition) =>
    ['assemblies', 'dependencies', 'vulnerabilities'].every((key) => composition.optional(key) === undefined),
  );
  if (about.length === 0) {
    return undefined;
  }
  return about.every((composition) => composition.get('aggregate').string() === 'complete');
}

/**
 * The hash by which a document that names the image also names something else; `undefined` where each of its
 * hashes is one of `known`, the digests of manifest, configuration and index. A document with two subjects is
 * about neither.
 */
export function otherHashOf({ hashes }: SbomSubject, known: ReadonlySet<string>): string | undefined {
  return hashes.find((hash) => !known.has(hash));
}

function textMember<Key extends string>(owner: Shape, key: Key): { readonly [K in Key]?: string } {
  const member = owner.optional(key);
  return (member === undefined ? {} : { [key]: member.string() }) as { readonly [K in Key]?: string };
}
