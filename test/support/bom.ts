import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { Bom, Component, Dependency, Layer, Subject } from '../../src/bom/model.ts';
import { toPurl } from '../../src/bom/purl.ts';
import { assemble, type Run, type ScanFacts } from '../../src/catalogers/assemble.ts';
import type { Catalog, Skipped } from '../../src/catalogers/contract.ts';

const hex = (digit: string): string => digit.repeat(64);

export const subject: Subject = {
  name: 'triton-dev',
  configDigest: `sha256:${hex('c')}`,
  manifestDigest: `sha256:${hex('d')}`,
  repository: 'ghcr.io/acme/triton-dev',
  os: 'linux',
  architecture: 'amd64',
  created: '2026-11-20T10:00:00.123456789Z',
  labels: {
    'org.opencontainers.image.authors': 'Ada <ada@example.org>, the build team',
    'org.opencontainers.image.vendor': 'Acme',
    'org.opencontainers.image.licenses': 'Apache-2.0 OR MIT',
    'org.opencontainers.image.source': 'https://example.org/acme/triton-dev',
    'org.opencontainers.image.description': 'A place to write kernels in',
  },
};

const baseLayer: Layer = { index: 0, diffId: `sha256:${hex('0')}`, createdBy: 'ADD rootfs.tar /' };
const pipLayer: Layer = { index: 1, diffId: `sha256:${hex('1')}`, createdBy: 'RUN pip install torch' };

export function catalog(parts: Partial<Catalog> = {}): Catalog {
  return { components: [], dependencies: [], skipped: [], ...parts };
}

export function deb(name: string, parts: Partial<Component> = {}): Component {
  const purl = toPurl({
    type: 'deb',
    namespace: 'debian',
    name,
    version: '1.0-1',
    qualifiers: { arch: 'amd64', distro: 'debian-12' },
  });
  return {
    bomRef: purl,
    type: 'library',
    name,
    version: '1.0-1',
    purl,
    evidence: { occurrences: [{ location: 'var/lib/dpkg/status', layer: baseLayer }] },
    ...parts,
  };
}

export function wheel(name: string, location: string, parts: Partial<Component> = {}): Component {
  const purl = toPurl({ type: 'pypi', name, version: '2.0' });
  return {
    bomRef: `${purl}#${location}`,
    type: 'library',
    name,
    version: '2.0',
    purl,
    evidence: { occurrences: [{ location, layer: pipLayer }] },
    ...parts,
  };
}

export function binary(name: string, location: string, parts: Partial<Component> = {}): Component {
  const purl = toPurl({ type: 'generic', namespace: 'nvidia', name, version: '12.9.86' });
  return {
    bomRef: `${purl}#${location}`,
    type: 'application',
    name,
    version: '12.9.86',
    purl,
    evidence: {
      identity: [
        {
          field: 'version',
          confidence: 0.9,
          concludedValue: '12.9.86',
          methods: [{ technique: 'binary-analysis', confidence: 0.9, value: 'Cuda compilation tools' }],
        },
      ],
      occurrences: [{ location, layer: pipLayer, offset: 4096 }],
    },
    ...parts,
  };
}

export const debian: Component = {
  bomRef: 'os:debian@12',
  type: 'operating-system',
  name: 'debian',
  version: '12',
  cpe: 'cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*',
  evidence: { occurrences: [{ location: 'usr/lib/os-release', layer: baseLayer }] },
};

export function none(...components: readonly Component[]): readonly Dependency[] {
  return components.map(({ bomRef }) => ({ ref: bomRef, dependsOn: [] }));
}

export function bomOf(
  runs: Readonly<Record<string, Catalog>>,
  skipped: readonly Skipped[] = [],
  facts: ScanFacts = { unownedExecutables: [] },
): Bom {
  return assemble(subject, runsOf(runs), skipped, facts);
}

export function runsOf(runs: Readonly<Record<string, Catalog>>): readonly Run[] {
  return Object.entries(runs).map(([cataloger, found]) => ({ cataloger, catalog: found }));
}

const nasty = 'a\u0000b\u001b[31mc\ud800d\u202e';

/** A BOM that uses every member of the model, with strangers' texts of the worst kind. */
export function richBom(): Bom {
  const libc = deb('libc6', {
    supplier: {
      name: nasty,
      url: 'https://debian.org/ x',
      contacts: [{ name: 'x', email: 'not an address' }],
    },
    hashes: [
      { algorithm: 'SHA-256', value: hex('a'), subject: 'deb archive' },
      { algorithm: 'MD5', value: 'a'.repeat(32), subject: 'md5sums' },
    ],
    licenses: [
      { acknowledgement: 'declared', name: 'GPL-2+' },
      { acknowledgement: 'declared', name: 'public-domain' },
      { acknowledgement: 'concluded', expression: 'GPL-2.0-or-later AND MIT' },
    ],
    copyright: `© ${nasty}`,
    description: nasty,
    externalReferences: [
      { type: 'website', url: 'https://www.gnu.org/software/libc/ü?a=b c', comment: nasty },
      { type: 'vcs', url: 'git@example.org:libc.git' },
      {
        type: 'distribution',
        url: 'https://deb.debian.org/libc6.deb',
        hashes: [{ algorithm: 'SHA-512', value: 'b'.repeat(128), subject: 'deb archive' }],
      },
    ],
    properties: [{ name: 'tcf:dpkg:multi-arch', value: 'same' }],
  });
  const torch = wheel('torch', 'usr/lib/python3/dist-packages/torch-2.0.dist-info/METADATA', {
    version: '2.0+cu129',
    authors: [{ name: 'PyTorch Team', email: 'packages@pytorch.org' }],
    licenses: [
      { acknowledgement: 'declared', expression: 'Apache-2.0 OR MIT' },
      { acknowledgement: 'concluded', expression: 'Apache-2.0 OR MIT' },
    ],
    evidence: {
      identity: [
        {
          field: 'purl',
          confidence: 1,
          methods: [{ technique: 'manifest-analysis', confidence: 1, value: 'METADATA' }],
        },
      ],
      occurrences: [
        { location: 'usr/lib/python3/dist-packages/torch-2.0.dist-info/METADATA', layer: pipLayer },
      ],
      copyright: ['© Meta', '© Meta', '© Nvidia'],
    },
  });
  const llvm = binary('llvm', 'usr/lib/python3/dist-packages/torch/libtriton.so', {
    pedigree: { ancestors: [{ bomRef: 'upstream', type: 'library', name: 'llvm', version: '23.0.0' }] },
    licenses: [
      { acknowledgement: 'declared', expression: 'Apache-2.0 WITH LLVM-exception' },
      { acknowledgement: 'concluded', expression: 'Apache-2.0 WITH LLVM-exception' },
    ],
  });
  return bomOf(
    {
      os: catalog({ components: [debian] }),
      dpkg: catalog({
        components: [libc, deb('bash')],
        dependencies: [
          { ref: deb('bash').bomRef, dependsOn: [libc.bomRef] },
          { ref: libc.bomRef, dependsOn: [] },
        ],
        skipped: [{ path: 'var/lib/dpkg/status', reason: `stanza 7 has no Package field ${nasty}` }],
      }),
      python: catalog({
        components: [torch],
        unknownDependencies: [torch.bomRef],
        owners: [{ bomRef: torch.bomRef, owns: (path) => path.includes('dist-packages/torch') }],
      }),
      llvm: catalog({ components: [llvm, { ...llvm, bomRef: 'second', evidence: {} }] }),
    },
    [{ path: 'usr/bin/huge', reason: 'is larger than the limit' }],
    { unownedExecutables: ['opt/tool/bin/tool', 'usr/local/bin/x'] },
  );
}

const require = createRequire(import.meta.url);

/**
 * What the official schema of a CycloneDX version says against a document; empty when it is valid. Compiling
 * takes a second.
 */
export function schemaOf(specVersion: '1.6' | '1.7'): (document: unknown) => readonly string[] {
  const load = (name: string): object =>
    require(
      `${require.resolve('@cyclonedx/cyclonedx-library/package.json').replace('package.json', 'res/schema')}/${name}`,
    );
  const ajv = new Ajv({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allErrors: true,
  });
  addFormats.default(ajv);
  // Our documents are ASCII in URLs and addresses, where the stricter formats say the same.
  ajv.addFormat('iri-reference', fullFormats['uri-reference']);
  ajv.addFormat('idn-email', fullFormats.email);
  ajv.addVocabulary(['meta:enum']);
  for (const name of ['jsf-0.82', 'spdx', 'cryptography-defs']) {
    const file = `${name}.SNAPSHOT.schema.json`;
    ajv.addSchema(load(file), `http://cyclonedx.org/schema/${file}`);
  }
  const validate = ajv.compile(load(`bom-${specVersion}.SNAPSHOT.schema.json`));
  return (document) => {
    validate(document);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}
