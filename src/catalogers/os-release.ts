import { createHash } from 'node:crypto';
import { compact } from '../base/compact.ts';
import { printable } from '../base/text.ts';
import type { Component, ExternalReference, Identity, Organization } from '../bom/model.ts';
import type { Catalog, Cataloger, Tree, TreeFile } from './contract.ts';
import { formatOsCpe, toOsCpe } from './os/cpe.ts';
import { isOlderReleaseFile, olderFilesIn, olderReleaseFiles, olderReleaseOf } from './os/release-files.ts';

/** In the order of os-release(5): `/etc` wins. Both are usually one file. */
const places = ['etc/os-release', 'usr/lib/os-release'];
/** Real ones are under 1 KiB. */
const maxSize = 64 * 1024;

export interface OsRelease {
  /** The file that names the distribution, a real path. */
  readonly file: TreeFile;
  /** Of os-release; empty where an older file names the distribution. */
  readonly fields: ReadonlyMap<string, string>;
  /** Lower case: `debian`. Absent where no file says it in the words os-release(5) allows. */
  readonly id?: string;
  /** `12`; absent for rolling releases such as Debian sid. */
  readonly versionId?: string;
  /** The file that says the version, where it is not `file`. */
  readonly versionFile?: TreeFile;
  /** CPE 2.3, of the file that names the distribution. */
  readonly cpe?: string;
}

export const releasePlaces: readonly string[] = [...places, 'usr/lib/os.release.d/*', ...olderReleaseFiles];

/** Whether a path may say which distribution an image is, wherever a link in `/etc` leads to. */
export function isReleaseFile(path: string): boolean {
  return places.includes(path) || /^usr\/lib\/os\.release\.d\/[^/]+$/.test(path) || isOlderReleaseFile(path);
}

/**
 * Which distribution an image is: by os-release; where that names none or has no version, by the older files
 * in `/etc` that other scanners read too. `undefined` where there is none of them. Of use to every cataloger
 * whose `wants` asks `isReleaseFile`.
 */
export function osReleaseOf(tree: Tree): OsRelease | undefined {
  const said = readOsRelease(tree);
  if (said?.id !== undefined && said.versionId !== undefined) {
    return said;
  }
  const older = olderReleaseOf(tree, said?.id);
  if (said?.id === undefined) {
    return older === undefined ? said : { ...older, fields: new Map() };
  }
  if (older?.versionId === undefined) {
    return said;
  }
  return { ...said, versionId: older.versionId, versionFile: older.file };
}

function readOsRelease(tree: Tree): OsRelease | undefined {
  for (const place of places) {
    const file = tree.file(place);
    const content = file?.content();
    if (file === undefined || content === undefined || content.length > maxSize) {
      continue;
    }
    const fields = parseOsRelease(Buffer.from(content).toString('utf8'));
    const id = fields.get('ID');
    const versionId = fields.get('VERSION_ID');
    const cpe = toOsCpe(fields.get('CPE_NAME') ?? '');
    return compact({
      file,
      fields,
      ...(id !== undefined && /^[a-z0-9][a-z0-9._-]{0,63}$/i.test(id) ? { id: id.toLowerCase() } : {}),
      ...(versionId !== undefined && /^[\w.+~-]{1,64}$/.test(versionId) ? { versionId } : {}),
      cpe,
    });
  }
  return undefined;
}

/** `debian-12`, as purls say it; absent for rolling releases. */
export function distroOf({ id, versionId }: OsRelease): string | undefined {
  return id === undefined || versionId === undefined ? undefined : `${id}-${versionId}`;
}

/**
 * Reads `NAME=value` lines as a shell would without expanding anything (os-release(5)). The last of two lines
 * counts.
 */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (match?.[1] === undefined || match[2] === undefined) {
      continue;
    }
    fields.set(match[1], unquoted(match[2]));
  }
  return fields;
}

function unquoted(value: string): string {
  const [quote] = value;
  if (value.length < 2 || (quote !== '"' && quote !== "'") || !value.endsWith(quote)) {
    return value;
  }
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
  wantedAt: releasePlaces,
  wants: isReleaseFile,
  catalog(tree: Tree): Catalog {
    const found = osReleaseOf(tree);
    if (found === undefined) {
      const skipped = olderFilesIn(tree)
        .slice(0, 1)
        .map((path) => ({ path, reason: 'names no distribution that tcf knows' }));
      return { components: [], dependencies: [], skipped };
    }
    const path = found.file.path;
    if (found.id === undefined) {
      return { components: [], dependencies: [], skipped: [{ path: printable(path), reason: 'has no ID' }] };
    }
    return { components: [componentOf(found, found.id)], dependencies: [], skipped: [] };
  },
};

function componentOf(release: OsRelease, id: string): Component {
  const { file, fields, versionFile, versionId } = release;
  const cpe = cpeOf(release, id);
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
  return compact({
    bomRef: `os:${id}${versionId === undefined ? '' : `-${versionId}`}`,
    type: 'operating-system',
    name: id,
    version: versionId,
    cpe,
    description,
    supplier,
    hashes: [
      {
        algorithm: 'SHA-256',
        value: createHash('sha256')
          .update(file.content() ?? '')
          .digest('hex'),
        subject: fields.size > 0 ? 'os-release' : file.path.slice(file.path.lastIndexOf('/') + 1),
      },
    ],
    ...(references.length === 0 ? {} : { externalReferences: references }),
    evidence: {
      identity: [
        identity('name', id, file, fields.size > 0 ? 1 : olderConfidence),
        ...(versionFile === undefined || versionId === undefined
          ? []
          : [identity('version', versionId, versionFile, olderConfidence)]),
      ],
      occurrences: [file, ...(versionFile === undefined ? [] : [versionFile])].map(({ path, layer }) => ({
        location: path,
        layer,
      })),
    },
  });
}

/** Of a file that distributions copy from those they are made of. */
const olderConfidence = 0.8;

function identity(field: 'name' | 'version', value: string, file: TreeFile, confidence: number): Identity {
  return {
    field,
    confidence,
    concludedValue: value,
    methods: [{ technique: 'manifest-analysis', confidence, value: file.path }],
  };
}

/** As the distribution names itself, else from the table. */
function cpeOf({ cpe, versionId }: OsRelease, id: string): string | undefined {
  const [vendor, product] = known.get(id)?.cpe?.split(':') ?? [];
  if (cpe !== undefined || vendor === undefined || product === undefined || versionId === undefined) {
    return cpe;
  }
  return formatOsCpe(vendor, product, versionId);
}
