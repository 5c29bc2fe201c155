import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { startCountingProxy } from '../support/counting-proxy.ts';
import { folder } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { archive, file, symlink } from '../support/tar.ts';
import { startDockerRegistry, tcfIn } from './support.ts';

/*
 * `tcf sbom --partial` of layers that real tools wrote: skopeo's zstd:chunked, and the eStargz of containerd's
 * snapshotter.
 */

/** Bytes that do not compress, the same each time. */
function noise(seed: number): Buffer {
  let state = seed;
  const bytes = Buffer.alloc(200_000);
  for (let at = 0; at < bytes.length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    bytes[at] = (state >> 16) & 0xff;
  }
  return bytes;
}

const numbers = [...Array(400).keys()];
const stanza = (at: number) =>
  `Package: p${at}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${at}\n\n`;
const layers = [
  archive(
    file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
    ...numbers.slice(0, 60).map((at) => file(`usr/lib/data${at}`, noise(at + 1))),
    file('var/lib/dpkg/status', numbers.map(stanza).join('')),
    ...numbers.map((at) => file(`var/lib/dpkg/info/p${at}.list`, `/.\n/usr/lib/data${at}\n`)),
    symlink('lib', 'usr/lib'),
  ),
  archive(
    ...numbers.slice(0, 40).map((at) => file(`opt/data${at}`, noise(at + 1000))),
    file(
      'opt/site-packages/six-1.17.0.dist-info/METADATA',
      'Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\n',
    ),
    file('opt/site-packages/six.py', 'x = 1\n'),
  ),
];
const image = buildImage({ layers });

type Push = (host: string, cwd: string) => Promise<void>;

const pushChunked: Push = async (host, cwd) => {
  writeOciLayout(join(cwd, 'layout'), { image, tag: '1' });
  const how = ['--dest-compress-format', 'zstd:chunked', '--dest-tls-verify=false'];
  execFileSync('skopeo', [
    'copy',
    '--quiet',
    ...how,
    `oci:${join(cwd, 'layout')}:1`,
    `docker://${host}/dev:1`,
  ]);
};

const pushStargz: Push = async (host, cwd) => {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const place = { registry: host, repository: 'dev' };
  const pushed: Descriptor[] = [];
  for (const [at, layer] of layers.entries()) {
    const [tar, blob] = [join(cwd, `${at}.tar`), join(cwd, `${at}.estargz`)];
    writeFileSync(tar, layer);
    const toc = execFileSync(join(inject('parts'), 'make-estargz'), [tar, blob], { encoding: 'utf8' }).trim();
    const annotations = { 'containerd.io/snapshot/stargz/toc.digest': toc };
    pushed.push({ ...(await client.pushBlob(place, mediaTypes.layerGzip, readFileSync(blob))), annotations });
  }
  const config = await client.pushBlob(place, mediaTypes.config, image.config);
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: pushed };
  await client.pushManifest(place, '1', mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
};

interface Bom {
  readonly components: readonly { readonly purl?: string; readonly name: string }[];
}

test.for([
  ['zstd:chunked by skopeo', pushChunked],
  ['eStargz by stargz-snapshotter', pushStargz],
] as const)('%s: the same packages for few of the bytes', async ([, push]) => {
  using place = folder();
  const registry = await startDockerRegistry('', place.path);
  try {
    await using proxy = await startCountingProxy(registry.host);
    await push(registry.host, place.path);
    const tcf = tcfIn(place.path);
    const scan = async (to: string, ...flags: readonly string[]) => {
      proxy.reset();
      const { code, text } = await tcf([
        'sbom',
        `${proxy.host}/dev:1`,
        '--format',
        'cyclonedx-json',
        '-o',
        to,
        ...flags,
      ]);
      expect(code, text).toBe(0);
      const { components } = JSON.parse(readFileSync(join(place.path, to), 'utf8')) as Bom;
      return { bytes: proxy.counts.bytes, found: components.map(({ name, purl }) => purl ?? name) };
    };
    const parts = await scan('parts.json', '--partial');
    const all = layers.reduce((sum, { length }) => sum + length, 0);
    expect(parts.bytes).toBeLessThan(0.03 * all);
    // Not from the registry: what the eStargz tool adds makes the layer another one than the configuration names.
    writeOciLayout(join(place.path, 'whole'), { image });
    const whole = await tcf(['sbom', 'oci:whole', '--format', 'cyclonedx-json', '-o', 'whole.json']);
    expect(whole.code, whole.text).toBe(0);
    const { components } = JSON.parse(readFileSync(join(place.path, 'whole.json'), 'utf8')) as Bom;
    expect(parts.found).toEqual(components.map(({ name, purl }) => purl ?? name));
    expect(parts.found).toHaveLength(402);
  } finally {
    registry.stop();
  }
});
