import { createHash } from 'node:crypto';
import { compact } from '../../base/compact.ts';
import { byCodeUnit } from '../../base/text.ts';
import type {
  Component,
  ComponentHash,
  Contact,
  ExternalReference,
  Occurrence,
  Organization,
  Property,
} from '../../bom/model.ts';
import { toPurl } from '../../bom/purl.ts';
import type { Tree, TreeFile } from '../contract.ts';
import { identifiedBy } from '../identity.ts';
import type { PinTable } from '../llvm/pins.ts';
import { repositoryAt } from '../sources.ts';
import { type DirectUrl, parseDirectUrl, sourceOf } from './direct-url.ts';
import type { Distribution } from './distributions.ts';
import { pythonLicenses } from './licenses.ts';
import { type CoreMetadata, firstOf, parseMetadata } from './metadata.ts';
import { listed, recordProperties } from './record.ts';
import { pinProperties } from './triton-pin.ts';

/** scipy lists 30 classifiers, large projects name 20 people. */
const maxEntries = 100;

/** One purl may be installed in many environments: the directory makes the ref its own. */
export function refOf({ name, version, site }: Distribution): string {
  return `${toPurl({ type: 'pypi', name, version })}#${site}`;
}

/**
 * The component of a distribution. `installed` holds the hashes of files, to be compared with RECORD;
 * `missing` what it asks for in vain.
 */
export function pythonComponent(
  tree: Tree,
  distribution: Distribution,
  installed: ReadonlyMap<string, string>,
  missing: readonly string[],
  pins: PinTable,
): Component {
  const { name, version, metadata, file, info, environment, shadowedBy } = distribution;
  const direct = parseDirectUrl(tree.file(`${info}/direct_url.json`)?.content() ?? new Uint8Array());
  const description = firstOf(metadata, 'summary');
  const license = pythonLicenses(metadata, file.path);
  const maintainers = contactsOf(metadata, 'maintainer');
  const authors = contactsOf(metadata, 'author');
  const supplier = supplierOf(maintainers, authors);
  const references = [...referencesOf(metadata), ...directReferences(direct)];
  const properties: readonly Property[] = [
    {
      name: 'tcf:python:environment',
      value: `/${environment.vendored ? (environment.parent?.name ?? environment.name) : environment.name}`,
    },
    ...(environment.vendored ? [{ name: 'tcf:python:vendored', value: 'true' }] : []),
    ...(direct?.editable ? [{ name: 'tcf:python:editable', value: 'true' }] : []),
    ...(shadowedBy === undefined ? [] : [{ name: 'tcf:python:shadowed-by', value: shadowedBy.info }]),
    ...listed('tcf:python:requirement:missing', [...missing].sort(byCodeUnit)),
    ...recordProperties(tree, distribution, installed),
    ...pinProperties(tree, distribution, pins),
    ...license.properties,
  ];
  return compact({
    bomRef: refOf(distribution),
    type: 'library',
    name,
    version,
    purl: toPurl({ type: 'pypi', name, version }),
    description,
    supplier,
    ...(authors.length + maintainers.length === 0 ? {} : { authors: [...authors, ...maintainers] }),
    ...(license.licenses.length === 0 ? {} : { licenses: license.licenses }),
    hashes: hashesOf(tree, distribution, direct),
    ...(references.length === 0 ? {} : { externalReferences: references }),
    properties,
    evidence: {
      identity: identifiedBy('purl', { technique: 'manifest-analysis', confidence: 1, value: file.path }),
      occurrences: occurrencesOf(tree, distribution, direct),
    },
  });
}

/**
 * The metadata, in the layer that first had this version; for an editable install the source directory too.
 */
function occurrencesOf(
  tree: Tree,
  { file, info, version }: Distribution,
  direct: DirectUrl | undefined,
): readonly Occurrence[] {
  const first = tree.history(file.path).find((older) => {
    const content = older.content();
    return content !== undefined && firstOf(parseMetadata(content), 'version') === version;
  });
  const source = direct?.editable ? (sourceOf(direct) ?? '') : '';
  return [
    { location: placeOf(tree, info, file), layer: (first ?? file).layer },
    ...(source === '' || !tree.exists(source) ? [] : [{ location: source }]),
  ];
}

/**
 * Where an environment shows the metadata: uv may have linked it from its cache, which is not where it is
 * installed.
 */
function placeOf(tree: Tree, info: string, file: TreeFile): string {
  if (file.path === info || file.path.startsWith(`${info}/`)) {
    return file.path;
  }
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  return tree.file(`${info}/${name}`)?.path === file.path ? `${info}/${name}` : info;
}

function hashesOf(
  tree: Tree,
  { info, file }: Distribution,
  direct: DirectUrl | undefined,
): readonly ComponentHash[] {
  if (direct !== undefined && direct.hashes.length > 0) {
    return direct.hashes;
  }
  const record = tree.file(`${info}/RECORD`)?.content();
  const value = createHash('sha256')
    .update(record ?? file.content() ?? '')
    .digest('hex');
  return [{ algorithm: 'SHA-256', value, subject: record === undefined ? nameOf(file.path) : 'RECORD' }];
}

/** `Author: Ada` beside `Author-email: ada@x.org`, or `Author-email: Ada <ada@x.org>, Bo <bo@x.org>`. */
function contactsOf(metadata: CoreMetadata, role: 'author' | 'maintainer'): readonly Contact[] {
  const name = firstOf(metadata, role);
  const emails = (firstOf(metadata, `${role}-email`) ?? '').slice(0, 10_000).split(',').slice(0, maxEntries);
  const contacts = emails.flatMap((entry): Contact[] => {
    const [, named = '', email] =
      /^(?:"?([^"<]*?)"? ?<)?([^<>\s@]+@[^<>\s@]+)>?$/.exec(
        entry.slice(0, 500).trim().replace(/\s+/g, ' '),
      ) ?? [];
    return email === undefined ? [] : [{ ...(named === '' ? {} : { name: named }), email }];
  });
  if (name === undefined) {
    return contacts;
  }
  const [only] = contacts;
  return only !== undefined && contacts.length === 1 && only.name === undefined
    ? [{ name, ...only }]
    : [{ name }, ...contacts];
}

/**
 * Who answers for the distribution by its own word: an organisation that is named, else the first maintainer,
 * else the first author. Whoever gives no more than an e-mail address is called by that.
 */
function supplierOf(maintainers: readonly Contact[], authors: readonly Contact[]): Organization | undefined {
  const everybody = [...maintainers, ...authors];
  const organisation = everybody.find(({ name = '' }) => isOrganisation(name));
  const who = organisation ?? everybody.find(({ name = '' }) => name !== '') ?? everybody[0];
  const name = who?.name ?? who?.email;
  if (who === undefined || name === undefined) {
    return undefined;
  }
  return { name, ...(who.email === undefined ? {} : { contacts: [who] }) };
}

function isOrganisation(name: string): boolean {
  return /(?:^|[\s,])(?:Authority|Corp|Corporation|Foundation|GmbH|Inc|LLC|Ltd|Organization)\.?$/.test(
    name.trim(),
  );
}

const labels: readonly (readonly [RegExp, ExternalReference['type']])[] = [
  [/^(?:bugs?|bugtracker|issues?|issuetracker|tracker|bugreports)$/, 'issue-tracker'],
  [/^(?:source|sourcecode|code|repository|github|gitlab)$/, 'vcs'],
  [/^(?:docs?|documentation)$/, 'documentation'],
  [/^(?:homepage|home|website)$/, 'website'],
];

/** Project-URL labels as packaging.python.org lists them, in any spelling; others are left out. */
function referencesOf(metadata: CoreMetadata): readonly ExternalReference[] {
  const home = firstOf(metadata, 'home-page');
  const found = new Map<string, ExternalReference>();
  const add = (type: ExternalReference['type'], url: string): void => {
    if (/^https?:\/\/[^\s@]+$/.test(url)) {
      found.set(`${type} ${url}`, { type, url });
    }
  };
  if (home !== undefined) {
    add('website', home);
  }
  for (const entry of (metadata.get('project-url') ?? []).slice(0, maxEntries)) {
    const [, label = '', url = ''] = /^([^,]*),\s*(\S+)$/.exec(entry) ?? [];
    const plain = label.toLowerCase().replace(/[^a-z]/g, '');
    const type = labels.find(([pattern]) => pattern.test(plain))?.[1];
    if (type !== undefined) {
      add(type, url);
    }
  }
  const known = [...found.values()];
  if (known.some(({ type }) => type === 'vcs')) {
    return known;
  }
  const repository = known
    .filter(({ type }) => type === 'website')
    .map(({ url }) => repositoryAt(url))
    .find((reference) => reference !== undefined);
  return repository === undefined ? known : [...known, repository];
}

function directReferences(direct: DirectUrl | undefined): readonly ExternalReference[] {
  if (direct === undefined || direct.url.startsWith('file:')) {
    return [];
  }
  if (direct.vcs !== undefined) {
    return [{ type: 'vcs', url: `${direct.vcs.kind}+${direct.url}@${direct.vcs.commit}` }];
  }
  return [
    {
      type: 'distribution',
      url: direct.url,
      ...(direct.hashes.length === 0 ? {} : { hashes: direct.hashes }),
    },
  ];
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^.*\.egg-info$/, 'egg-info');
}
