import { isEmail } from './clean.ts';
import { toLicenses } from './licenses.ts';
import type { BomRef, Component, Contact, ExternalReference, Property, Subject } from './model.ts';
import { toPurl } from './purl.ts';

/** The bom-ref of the image. Made of the configuration digest alone, so it is the same on every transport. */
export function rootRef(subject: Subject): BomRef {
  return `image:${subject.configDigest}`;
}

/**
 * The image as `metadata.component`. Name and purl follow the transport; everything else follows from the configuration, its
 * annotated labels included (https://specs.opencontainers.org/image-spec/annotations/). Labels are the builder's claims.
 */
export function rootComponent(subject: Subject): Component {
  const { labels, configDigest, manifestDigest } = subject;
  const label = (key: string): string | undefined =>
    labels[`org.opencontainers.image.${key}`]?.trim() || undefined;
  const description = label('description');
  const vendor = label('vendor');
  const authors = label('authors');
  const hex = /^sha256:([0-9a-f]{64})$/.exec(configDigest)?.[1];
  return {
    bomRef: rootRef(subject),
    type: 'container',
    name: subject.name,
    version: configDigest,
    ...(vendor === undefined ? {} : { supplier: { name: vendor } }),
    ...(authors === undefined ? {} : { authors: toContacts(authors) }),
    ...(description === undefined ? {} : { description }),
    ...(hex === undefined
      ? {}
      : { hashes: [{ algorithm: 'SHA-256', value: hex, subject: 'image configuration' }] }),
    licenses: toLicenses(label('licenses') ?? '', 'spdx'),
    ...(manifestDigest === undefined
      ? {}
      : {
          purl: toPurl({
            type: 'oci',
            name: subject.name,
            version: manifestDigest,
            qualifiers: { arch: subject.architecture, repository_url: subject.repository ?? '' },
          }),
        }),
    externalReferences: references(label),
    properties: properties(subject),
  };
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

function properties(subject: Subject): readonly Property[] {
  const { architecture, created, os, variant } = subject;
  return Object.entries({ architecture, created, os, variant }).flatMap(([key, value]) =>
    value === undefined ? [] : [{ name: `tcf:image:${key}`, value }],
  );
}

/** `Ada <ada@example.org>, ops@example.org` */
function toContacts(text: string): readonly Contact[] {
  return text
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, name = '', email] = /^(.*?)\s*<([^<>]+)>$/.exec(part) ?? [];
      if (email !== undefined && isEmail(email)) return name === '' ? { email } : { name, email };
      return isEmail(part) ? { email: part } : { name: part };
    });
}
