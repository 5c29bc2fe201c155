import { createHash } from 'node:crypto';
import { printable } from '../base/text.ts';
import type { Component, ExternalReference, Organization } from '../bom/model.ts';
import type { Catalog, Cataloger, Tree, TreeFile } from './contract.ts';

/** In the order of os-release(5): `/etc` wins. Both are usually one file. */
const places = ['etc/os-release', 'usr/lib/os-release'];
/** Real ones are under 1 KiB. */
const maxSize = 64 * 1024;

export interface OsRelease {
  /** The file that was read, a real path. */
  readonly file: TreeFile;
  readonly fields: ReadonlyMap<string, string>;
  /** Lower case: `debian`. Absent where the file does not say it in the words os-release(5) allows. */
  readonly id?: string;
  /** `12`; absent for rolling releases such as Debian sid. */
  readonly versionId?: string;
}

/** Whether a path may hold os-release, wherever the link in `/etc` leads to. */
export function isOsRelease(path: string): boolean {
  return places.includes(path) || /^usr\/lib\/os\.release\.d\/[^/]+$/.test(path);
}

/** The os-release of an image; `undefined` where there is none. Of use to every cataloger whose `wants` asks `isOsRelease`. */
export function osReleaseOf(tree: Tree): OsRelease | undefined {
  for (const place of places) {
    const file = tree.file(place);
    const content = file?.content();
    if (file === undefined || content === undefined || content.length > maxSize) continue;
    const fields = parseOsRelease(Buffer.from(content).toString('utf8'));
    const id = fields.get('ID');
    const versionId = fields.get('VERSION_ID');
    return {
      file,
      fields,
      ...(id !== undefined && /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(id) ? { id: id.toLowerCase() } : {}),
      ...(versionId !== undefined && /^[\w.+~-]{1,64}$/.test(versionId) ? { versionId } : {}),
    };
  }
  return undefined;
}

/** `debian-12`, as purls say it; absent for rolling releases. */
export function distroOf({ id, versionId }: OsRelease): string | undefined {
  return id === undefined || versionId === undefined ? undefined : `${id}-${versionId}`;
}

/** Reads `NAME=value` lines as a shell would without expanding anything (os-release(5)). The last of two lines counts. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (match?.[1] === undefined || match[2] === undefined) continue;
    fields.set(match[1], unquoted(match[2]));
  }
  return fields;
}

function unquoted(value: string): string {
  const [quote] = value;
  if (value.length < 2 || (quote !== '"' && quote !== "'") || !value.endsWith(quote)) return value;
  const inner = value.slice(1, -1);
  return quote === "'" ? inner : inner.replace(/\\([\\"$`])/g, '$1');
}

/** Who makes the distribution, where os-release has no VENDOR_NAME; and its CPE product as NVD spells it. */
const known: ReadonlyMap<string, { readonly supplier: Organization; readonly cpe?: string }> = new Map([
  ['almalinux', { supplier: { name: 'AlmaLinux OS Foundation', url: 'https://almalinux.org/' } }],
  [
    'alpine',
    {
      supplier: { name: 'Alpine Linux', url: 'https://alpinelinux.org/' },
      cpe: 'alpinelinux:alpine_linux',
    },
  ],
  ['arch', { supplier: { name: 'Arch Linux', url: 'https://archlinux.org/' } }],
  ['azurelinux', { supplier: { name: 'Microsoft Corporation', url: 'https://www.microsoft.com/' } }],
  ['centos', { supplier: { name: 'CentOS Project', url: 'https://centos.org/' } }],
  ['debian', { supplier: { name: 'Debian', url: 'https://www.debian.org/' }, cpe: 'debian:debian_linux' }],
  ['fedora', { supplier: { name: 'Fedora Project', url: 'https://fedoraproject.org/' } }],
  ['mariner', { supplier: { name: 'Microsoft Corporation', url: 'https://www.microsoft.com/' } }],
  ['ol', { supplier: { name: 'Oracle America, Inc.', url: 'https://www.oracle.com/' } }],
  ['opensuse-leap', { supplier: { name: 'openSUSE', url: 'https://www.opensuse.org/' } }],
  ['opensuse-tumbleweed', { supplier: { name: 'openSUSE', url: 'https://www.opensuse.org/' } }],
  ['rhel', { supplier: { name: 'Red Hat, Inc.', url: 'https://www.redhat.com/' } }],
  ['rocky', { supplier: { name: 'Rocky Enterprise Software Foundation', url: 'https://rockylinux.org/' } }],
  ['sles', { supplier: { name: 'SUSE LLC', url: 'https://www.suse.com/' } }],
  [
    'ubuntu',
    { supplier: { name: 'Canonical Ltd.', url: 'https://ubuntu.com/' }, cpe: 'canonical:ubuntu_linux' },
  ],
]);

/** The operating system, as it names itself. */
export const osRelease: Cataloger = {
  name: 'os-release',
  wants: isOsRelease,
  catalog(tree: Tree): Catalog {
    const found = osReleaseOf(tree);
    if (found === undefined) return { components: [], dependencies: [], skipped: [] };
    const path = found.file.path;
    if (found.id === undefined)
      return { components: [], dependencies: [], skipped: [{ path: printable(path), reason: 'has no ID' }] };
    return { components: [componentOf(found, found.id)], dependencies: [], skipped: [] };
  },
};

function componentOf({ file, fields, versionId }: OsRelease, id: string): Component {
  const cpe = cpeOf(fields.get('CPE_NAME') ?? '', id, versionId);
  const vendor = fields.get('VENDOR_NAME');
  const supplier = vendor === undefined ? known.get(id)?.supplier : { name: vendor };
  const description = fields.get('PRETTY_NAME');
  const references = (
    [
      ['website', fields.get('HOME_URL')],
      ['documentation', fields.get('DOCUMENTATION_URL')],
      ['issue-tracker', fields.get('BUG_REPORT_URL')],
    ] as const
  ).flatMap(([type, url]): ExternalReference[] => (url === undefined ? [] : [{ type, url }]));
  return {
    bomRef: `os:${id}${versionId === undefined ? '' : `-${versionId}`}`,
    type: 'operating-system',
    name: id,
    ...(versionId === undefined ? {} : { version: versionId }),
    ...(cpe === undefined ? {} : { cpe }),
    ...(description === undefined ? {} : { description }),
    ...(supplier === undefined ? {} : { supplier }),
    hashes: [
      {
        algorithm: 'SHA-256',
        value: createHash('sha256')
          .update(file.content() ?? '')
          .digest('hex'),
        subject: 'os-release',
      },
    ],
    ...(references.length === 0 ? {} : { externalReferences: references }),
    evidence: {
      identity: [
        {
          field: 'name',
          confidence: 1,
          concludedValue: id,
          methods: [{ technique: 'manifest-analysis', confidence: 1, value: file.path }],
        },
      ],
      occurrences: [{ location: file.path, layer: file.layer }],
    },
  };
}

/** CPE 2.3 from os-release's own name (a CPE 2.2 URI or 2.3), else from the table. */
function cpeOf(own: string, id: string, versionId: string | undefined): string | undefined {
  if (/^cpe:2\.3:o(?::[\w.*\\~+-]+){10}$/.test(own)) return own;
  const [, vendor, product, version] =
    /^cpe:\/o:([a-z0-9_.-]+):([a-z0-9_.-]+)(?::([\w.-]+))?(?::|$)/i.exec(own) ?? [];
  if (vendor !== undefined && product !== undefined) return cpe23(`${vendor}:${product}`, version ?? '*');
  const product23 = known.get(id)?.cpe;
  return product23 === undefined || versionId === undefined ? undefined : cpe23(product23, versionId);
}

function cpe23(product: string, version: string): string {
  const escaped = version === '*' ? version : version.replace(/[^\w.]/g, '\\$&');
  return `cpe:2.3:o:${product.replaceAll('-', '\\-')}:${escaped}:*:*:*:*:*:*:*`;
}
