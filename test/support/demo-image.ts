import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { parseImageConfig } from '../../src/oci/config.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { elf } from './elf.ts';
import type { TestRegistry } from './registry.ts';

export interface DemoImage {
  /** `127.0.0.1:PORT/triton-dev` and a tag. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
  /** What is linked into libtriton.so in place of the LLVM that triton 3.6.0 pins. */
  readonly llvm?: string;
  /** One more deb: `openssh-server`. */
  readonly deb?: string;
  /** Labels beside the title. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Debian alone, on which the others are built. */
  readonly isBase?: boolean;
}

const pinned = 'f6ded0be897e2878612dd903f7e8bb85448269e5';
const site = 'opt/triton/lib/python3.11/site-packages';

/**
 * Pushes a small image with the anatomy of the real ones: Debian's package database in one layer, a virtual
 * environment with triton 3.6.0 in the next, and the strings of the real `libtriton.so` and `ptxas` in ELF
 * files of the same names.
 */
export async function pushDemoImage(image: DemoImage): Promise<Digest> {
  const registry = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const repository = { registry: image.host, repository: image.repository };
  const folders = [base(image.deb), ...(image.isBase === true ? [] : [venv(image.llvm ?? pinned)])];
  const layers = await Promise.all(folders.map(toLayer));
  const config = {
    created: '2026-11-23T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: {
      Env: ['TRITON_HOME=/workspace'],
      Labels: { 'org.opencontainers.image.title': 'triton-dev', ...image.labels },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: [
      { created: '2026-11-23T00:00:00Z', created_by: 'ADD debian-12.tar /' },
      { created: '2026-11-23T00:00:00Z', created_by: 'RUN pip install triton==3.6.0' },
    ].slice(0, layers.length),
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await registry.pushBlob(repository, mediaTypes.config, json(config)),
    layers: await Promise.all(
      layers.map(({ bytes }) => registry.pushBlob(repository, mediaTypes.layerGzip, bytes)),
    ),
  });
  return (await registry.pushManifest(repository, image.tag, mediaTypes.manifest, manifest)).digest;
}

type Files = Readonly<Record<string, string | Uint8Array>>;

async function toLayer(files: Files): Promise<{ readonly bytes: Uint8Array; readonly diffId: Digest }> {
  const entries = Object.entries(files).map(([name, body]) => ({
    header: { name, mtime: new Date(0), mode: 0o644, uid: 0, gid: 0, size: Buffer.byteLength(body) },
    body,
  }));
  const tar = await packTar(entries);
  return { bytes: gzipSync(tar), diffId: digestOf(tar) };
}

function base(deb: string | undefined): Files {
  const debs = [
    stanza('base-files', '12.4+deb12u11', 'Depends: libc6'),
    stanza('libc6', '2.36-9+deb12u10', 'Source: glibc', 'Depends: libgcc-s1'),
    stanza('libgcc-s1', '12.2.0-14+deb12u1', 'Source: gcc-12', 'Depends: libc6 (>= 2.35)'),
    stanza('python3.11-minimal', '3.11.2-6+deb12u6', 'Source: python3.11', 'Depends: libc6 (>= 2.36)'),
    ...(deb === undefined ? [] : [stanza(deb, '1:9.2p1-2', 'Depends: libc6')]),
  ];
  return {
    'etc/os-release':
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
    'var/lib/dpkg/status': debs.join('\n'),
    'var/lib/dpkg/info/python3.11-minimal.list': '/.\n/usr\n/usr/bin\n/usr/bin/python3.11\n',
    'usr/bin/python3.11': elf(['Python 3.11.2']),
    'usr/share/doc/libc6/copyright':
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: LGPL-2.1+\n',
  };
}

function stanza(name: string, version: string, ...fields: readonly string[]): string {
  const head = [
    `Package: ${name}`,
    'Status: install ok installed',
    'Architecture: amd64',
    `Version: ${version}`,
  ];
  return [...head, 'Maintainer: Debian <debian@example.org>', ...fields, 'Description: a package', ''].join(
    '\n',
  );
}

function venv(llvm: string): Files {
  const tool = (release: string, version: string) =>
    elf([`Cuda compilation tools, release ${release}, V${version}`]);
  return {
    'opt/triton/pyvenv.cfg': 'home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n',
    [`${site}/triton-3.6.0.dist-info/METADATA`]:
      'Metadata-Version: 2.4\nName: triton\nVersion: 3.6.0\nLicense-Expression: MIT\n\nTriton\n',
    [`${site}/triton-3.6.0.dist-info/INSTALLER`]: 'pip\n',
    [`${site}/triton-3.6.0.dist-info/RECORD`]: [
      'triton/_C/libtriton.so,,',
      'triton/backends/nvidia/bin/ptxas,,',
      'triton/backends/nvidia/bin/ptxas-blackwell,,',
      'triton-3.6.0.dist-info/METADATA,,',
      '',
    ].join('\n'),
    [`${site}/triton/_C/libtriton.so`]: elf([
      `22.0.0git ${llvm}`,
      `LLD 22.0.0 (https://github.com/llvm/llvm-project ${llvm})`,
      `LLVM version 22.0.0git (${llvm})`,
      'LLVM22.0.0git',
    ]),
    [`${site}/triton/backends/nvidia/bin/ptxas`]: tool('12.8', '12.8.93'),
    [`${site}/triton/backends/nvidia/bin/ptxas-blackwell`]: tool('12.9', '12.9.86'),
  };
}

/**
 * Digests of the configurations that were pushed to a registry, in their order: the image ids of an engine.
 */
export function imageIdsOn({ blobs }: TestRegistry): readonly Digest[] {
  return [...blobs.values()].filter(isConfig).map((blob) => digestOf(blob));
}

function isConfig(blob: Uint8Array): boolean {
  if (blob[0] !== 0x7b || !Buffer.from(blob).includes('diff_ids')) {
    return false;
  }
  return parseImageConfig(blob, 'a blob').os === 'linux';
}
