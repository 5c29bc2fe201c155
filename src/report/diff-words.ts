import { type Aspect, type BomDiff, type Change, llvmRoleOf } from '../bom/diff.ts';
import { readPurl } from '../bom/purl.ts';
import type { SbomComponent, SbomFacts } from '../bom/read.ts';
import { wordOfPin } from './inside/llvm-facts.ts';

/** The parts of a diff as sentences, before they are escaped for text or Markdown. */
export interface DiffWords {
  readonly title: string;
  /** What has to be known before the lists are believed. */
  readonly cautions: readonly string[];
  /** LLVM first: it is what this tool is asked about. */
  readonly llvm: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: number;
}

export function toWords(diff: BomDiff): DiffWords {
  const isLlvm = (component: SbomComponent) => llvmRoleOf(component) !== undefined;
  const name = namer(diff);
  const plain = (list: readonly SbomComponent[]) =>
    list.filter((component) => !isLlvm(component)).map((component) => versioned(component, name));
  return {
    title: `${titleOf(diff.old, 'old')} → ${titleOf(diff.new, 'new')}`,
    cautions: cautionsOf(diff),
    llvm: [
      ...diff.removed
        .filter(isLlvm)
        .map((component) => `${llvmName(component)} is gone: ${pinOf(component)}`),
      ...diff.added.filter(isLlvm).map((component) => `${llvmName(component)} is new: ${pinOf(component)}`),
      ...diff.changed.filter(({ after }) => isLlvm(after)).map(llvmChange),
    ],
    added: plain(diff.added),
    removed: plain(diff.removed),
    changed: diff.changed
      .filter(({ after }) => !isLlvm(after))
      .map((change) => `${name(change.after)} ${aspectsOf(change)}`),
    unchanged: diff.unchanged,
  };
}

/** With the digest, because two images of one name are compared more often than two of two names. */
function titleOf({ subject: { digests, hashes, name } }: SbomFacts, without: string): string {
  const digest = digests.find((one) => !hashes.includes(one)) ?? digests[0];
  return digest === undefined ? (name ?? without) : `${name ?? without} (${digest.slice(0, 19)})`;
}

function cautionsOf({ new: now, old }: BomDiff): readonly string[] {
  const tools = [old, now].map((facts) => facts.tools.join(', ') || 'a tool without a name');
  return [
    ...(tools[0] === tools[1]
      ? []
      : [`the documents were written by ${tools.join(' and ')}: some differences may come from the tools`]),
    ...(old.complete === false ? ['the old document does not claim to be complete'] : []),
    ...(now.complete === false ? ['the new document does not claim to be complete'] : []),
  ];
}

type Namer = (component: SbomComponent) => string;

/** `pypi torch`, `ptxas` of no ecosystem, with its place where a document holds some of that name in several places. */
function namer(diff: BomDiff): Namer {
  const plain: Namer = ({ name, purl, type }) => {
    const kind = readPurl(purl ?? '')?.type ?? type;
    return kind === 'generic' ? name : `${kind} ${name}`;
  };
  const isScattered = new Set<string>();
  for (const { components } of [diff.old, diff.new]) {
    for (const [name, same] of Map.groupBy(components, plain)) {
      if (same.some(({ location }) => location !== same[0]?.location)) {
        isScattered.add(name);
      }
    }
  }
  return (component) => {
    const name = plain(component);
    const { location } = component;
    return location !== undefined && isScattered.has(name) ? `${name} (${location})` : name;
  };
}

function versioned(component: SbomComponent, name: Namer): string {
  const version = component.version === undefined ? 'of unknown version' : versionOf(component);
  return `${name(component)} ${version}`;
}

const sentences: Readonly<Record<Aspect, (before: SbomComponent, after: SbomComponent) => string>> = {
  version: (before, after) => moved(versionOf(before), versionOf(after)),
  pin: (before, after) => `pin ${moved(pinOf(before), pinOf(after))}`,
  content: (_, { version = '' }) => `${version}: other content under the same version`.trimStart(),
  licenses: (before, after) =>
    `licences ${moved(before.licenses.join(', ') || 'none', after.licenses.join(', ') || 'none')}`,
};

function aspectsOf({ after, aspects, before }: Change): string {
  return aspects.map((aspect) => sentences[aspect](before, after)).join('; ');
}

function versionOf({ purl, version = 'unknown version' }: SbomComponent): string {
  const arch = readPurl(purl ?? '')?.qualifiers?.['arch'];
  return arch === undefined ? version : `${version} ${arch}`;
}

function llvmName(component: SbomComponent): string {
  return `the ${llvmRoleOf(component)} LLVM`;
}

function llvmChange(change: Change): string {
  const { after, aspects, before } = change;
  const rest = aspects.filter((aspect) => aspect !== 'pin' && aspect !== 'version');
  const pins = pinOf(before) === pinOf(after) ? [] : [`moved: ${moved(pinOf(before), pinOf(after))}`];
  const others = rest.length === 0 ? [] : [aspectsOf({ before, after, aspects: rest })];
  const said = [...pins, ...others];
  return `${llvmName(after)} ${said.length === 0 ? moved(versionOf(before), versionOf(after)) : said.join('; ')}`;
}

/** `f6ded0be897e (llvm/llvm-project, 22.0.0git+f6ded0be, as pinned)`: commit as observed, else as declared. */
function pinOf({ properties, version }: SbomComponent): string {
  const [observed = '', declared = '', repository = ''] = ['observed', 'declared', 'repository'].map((name) =>
    (properties[`tcf:llvm:${name}`] ?? '')
      .replaceAll(/ by .*$/gm, '')
      .replaceAll(/^([0-9a-f]{12})[0-9a-f]+$/gm, '$1')
      .replaceAll('\n', ' and '),
  );
  const details = [repository, version ?? '', wordOfPin(properties['tcf:llvm:pin'] ?? '')].filter(
    (text) => text !== '',
  );
  return `${observed || declared || 'unknown'} (${details.join(', ')})`;
}

function moved(from: string, to: string): string {
  return `${from} → ${to}`;
}
