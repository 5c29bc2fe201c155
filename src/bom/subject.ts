import { compact } from '../base/compact.ts';
import { isEmail } from './clean.ts';
import { toLicenses } from './licenses.ts';
import type { BaseImage, BomRef, Component, Contact, ExternalReference, Property, Subject } from './model.ts';
import { type Purl, toPurl } from './purl.ts';

/** The bom-ref of the image. Made of the configuration digest alone, so it is the same on every transport. */
export function rootRef(subject: Subject): BomRef {
  return `image:${subject.configDigest}`;
}

/**
 * The image as `metadata.component`. Name and purl follow the transport; everything else follows from the
 * configuration, its annotated labels included (https://specs.opencontainers.org/image-spec/annotations/).
 * Labels are the builder's claims.
 */
export function rootComponent(subject: Subject): Component {
  const { labels, configDigest, manifestDigest } = subject;
  const label = (key: string): string | undefined =>
    labels[`org.opencontainers.image.${key}`]?.trim() || undefined;
  const description = label('description');
  const vendor = label('vendor');
  const authors = label('authors');
  const hex = /^sha256:([0-9a-f]{64})$/.exec(configDigest)?.[1];
  return compact({
    bomRef: rootRef(subject),
    type: 'container',
    name: subject.name,
    version: configDigest,
    ...(vendor === undefined ? {} : { supplier: { name: vendor } }),
    ...(authors === undefined ? {} : { authors: toContacts(authors) }),
    description,
    ...(hex === undefined
      ? {}
      : { hashes: [{ algorithm: 'SHA-256', value: hex, subject: 'image configuration' }] }),
    licenses: toLicenses(label('licenses') ?? '', 'spdx'),
    ...(manifestDigest === undefined
      ? {}
      : {
          purl: ociPurl(subject.name, manifestDigest, subject.architecture, subject.repository),
        }),
    externalReferences: references(label),
    ...(subject.base === undefined
      ? {}
      : { pedigree: { ancestors: [baseComponent(subject, subject.base)] } }),
    properties: properties(subject),
  });
}

function ociPurl(name: string, digest: string, architecture: string, repository = ''): Purl {
  return toPurl({
    type: 'oci',
    name,
    version: digest,
    qualifiers: { arch: architecture, repository_url: repository },
  });
}

function references(label: (key: string) => string | undefined): readonly ExternalReference[] {
  return (
    [
      ['documentation', 'documentation'],
      ['vcs', 'source'],
      ['website', 'url'],
    ] as const
  ).flatMap(([type, key]) => {
    const url = label(key);
    return url === undefined ? [] : [{ type, url }];
  });
}

/** The base as an ancestor of the image: what this image was made from, by adding layers. */
function baseComponent(subject: Subject, base: BaseImage): Component {
  const { configDigest, manifestDigest, repository } = base;
  const name = repository?.split('/').at(-1) ?? configDigest;
  return {
    bomRef: `image:${configDigest}`,
    type: 'container',
    name,
    version: configDigest,
    ...(manifestDigest === undefined
      ? {}
      : { purl: ociPurl(name, manifestDigest, subject.architecture, repository) }),
  };
}

function properties(subject: Subject): readonly Property[] {
  const { architecture, base, claimedBase = {}, created, os, variant } = subject;
  // A bare digest in a property of the root would be read as one that the SBOM is about (`parseSbom`).
  const claimed = `${claimedBase.name ?? ''}${claimedBase.digest === undefined ? '' : `@${claimedBase.digest}`}`;
  return Object.entries({
    'tcf:image:architecture': architecture,
    'tcf:image:created': created,
    'tcf:image:os': os,
    'tcf:image:variant': variant,
    'tcf:base:claimed': claimed === '' ? undefined : claimed,
    'tcf:base:layers': base === undefined ? undefined : String(base.layers),
  }).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

/** `Ada <ada@example.org>, ops@example.org` */
function toContacts(text: string): readonly Contact[] {
  return text
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, name = '', email] = /^(.*?)\s*<([^<>]+)>$/.exec(part) ?? [];
      if (email !== undefined && isEmail(email)) {
        return name === '' ? { email } : { name, email };
      }
      return isEmail(part) ? { email: part } : { name: part };
    });
}
