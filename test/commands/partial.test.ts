import { expect, test } from 'vitest';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { folder, type } from '../support/host.ts';
import { chunkedLayer, stargzLayer, type TocLine } from '../support/partial.ts';
import { startRegistry } from '../support/registry.ts';

/* `tcf sbom --partial`. That real tools write such layers is for test/interop/partial.test.ts. */

const status = 'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n';
const lines: readonly TocLine[] = [
  { type: 'reg', name: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' },
  { type: 'reg', name: 'usr/bin/large', content: '\x7fELF'.repeat(100_000) + Math.random().toString() },
  { type: 'reg', name: 'var/lib/dpkg/status', content: status },
];

async function push(host: string, { annotations, blob }: ReturnType<typeof chunkedLayer>): Promise<void> {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const place = { registry: host, repository: 'dev' };
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] },
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await client.pushBlob(place, mediaTypes.config, json(config)),
    layers: [{ ...(await client.pushBlob(place, mediaTypes.layerZstd, blob)), annotations }],
  };
  await client.pushManifest(place, 'latest', mediaTypes.manifest, json(manifest));
}

test.for([
  ['zstd:chunked', chunkedLayer],
  ['eStargz', stargzLayer],
] as const)('of %s only parts are fetched, and the SBOM says so', async ([, make]) => {
  using work = folder();
  await using registry = await startRegistry();
  await push(registry.host, make(lines));
  const from = registry.requests.length;
  const { err, exit, out } = await type(['sbom', `${registry.host}/dev`, '--allow-http', '--partial'], {
    cwd: work.path,
  });
  expect(exit, err).toBe(0);
  const bom = JSON.parse(out) as {
    metadata: {
      properties: { name: string; value: string }[];
      component: { properties: { name: string; value: string }[] };
    };
    components: { purl?: string }[];
    properties?: { name: string; value: string }[];
  };
  expect(bom.components.flatMap(({ purl }) => purl ?? [])).toContain(
    'pkg:deb/debian/a@1?arch=amd64&distro=debian-12',
  );
  expect(out).toContain('"tcf:layer-digests"');
  expect(out).toContain('read in parts: no program was looked into');
  const seen = registry.requests.slice(from).filter(({ headers }) => headers.range !== undefined);
  expect(seen.length).toBeGreaterThan(1);
  expect(
    registry.requests
      .slice(from)
      .filter(({ path, headers }) => path.includes('/blobs/') && headers.range === undefined),
  ).toHaveLength(1);
});

test('an image that cannot be read in parts is read whole, and that is told', async () => {
  using work = folder();
  await using registry = await startRegistry();
  const { annotations: _, ...plain } = chunkedLayer(lines);
  await push(registry.host, { ...plain, annotations: {} });
  const { err } = await type(['sbom', `${registry.host}/dev`, '--allow-http', '--partial'], {
    cwd: work.path,
  });
  expect(err).toContain('can be read in parts: each is read whole');
});

test('a registry that knows no ranges is told of', async () => {
  using work = folder();
  await using registry = await startRegistry();
  const layer = chunkedLayer(lines);
  await push(registry.host, layer);
  registry.fault(/^GET .*\/blobs\//, { status: 200, body: layer.blob });
  const { err, exit } = await type(['sbom', `${registry.host}/dev`, '--allow-http', '--partial'], {
    cwd: work.path,
  });
  expect(exit).toBe(2);
  expect(err).not.toContain('fault in tcf');
});

test('A-131: a table that is not the one of the manifest ends the scan', async () => {
  using work = folder();
  await using registry = await startRegistry();
  const layer = chunkedLayer(lines);
  const other = chunkedLayer(lines.slice(0, 1));
  await push(registry.host, {
    ...layer,
    annotations: {
      ...layer.annotations,
      'io.github.containers.zstd-chunked.manifest-checksum':
        other.annotations['io.github.containers.zstd-chunked.manifest-checksum'] ?? '',
    },
  });
  const { err, exit } = await type(['sbom', `${registry.host}/dev`, '--allow-http', '--partial'], {
    cwd: work.path,
  });
  expect(exit).toBe(2);
  expect(err).toContain('table of contents');
});
