import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { inParallel } from '../src/base/parallel.ts';
import { mediaTypes } from '../src/oci/media-types.ts';
import { openRegistry } from '../src/registry/client.ts';
import type { Registry } from '../src/registry/contract.ts';
import { startCountingProxy } from '../test/support/counting-proxy.ts';
import { keyPolicy, writeKeyPair } from '../test/support/scene.ts';
import { archive, file } from '../test/support/tar.ts';
import { must, scratchPath } from './processes.ts';

/*
 * A fleet of images with shared layers, scanned by workers that share a registry and nothing else: how
 * requests, bytes and time grow. Needs docker-registry; run it with `npm run bench:fleet -- 1000 4`, which
 * writes `bench/fleet.md`.
 */

const total = Number(process.argv[2] ?? 1000);
const workers = Number(process.argv[3] ?? 4);
const root = join(import.meta.dirname, '..');
const tcf = join(root, 'dist/tcf.js');
const home = scratchPath('fleet');
mkdirSync(join(home, 'sboms'), { recursive: true });

/** Twelve systems, sixty environments on them, and something of its own in each image. */
const shared = { systems: 12, environments: 60 } as const;

/** Bytes that hardly compress, the same each time: what a scan has to read and nobody wants. */
function ballast(seed: string, bytes: number): Buffer {
  const blocks = Array.from({ length: bytes / 64 }, (_, at) =>
    createHash('sha512').update(`${seed} ${at}`).digest(),
  );
  return Buffer.concat(blocks);
}

const stanza = (name: string, version: number) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;
const metadata = (name: string, version: number) =>
  file(
    `opt/lib/python3.11/site-packages/${name}-${version}.dist-info/METADATA`,
    `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
  );
const numbers = (count: number) => [...Array(count).keys()];

const systemLayer = (at: number) =>
  archive(
    file('etc/os-release', `ID=debian\nVERSION_ID="12"\nBUILD=${at}\n`),
    file(
      'var/lib/dpkg/status',
      numbers(300)
        .map((name) => stanza(`package${name}`, at))
        .join(''),
    ),
    ...numbers(300).map((name) =>
      file(`var/lib/dpkg/info/package${name}.list`, `/.\n/usr/lib/file${name}\n`),
    ),
    file('usr/lib/large', ballast(`system ${at}`, 2 * 1024 * 1024)),
  );
const environmentLayer = (at: number) =>
  archive(
    ...numbers(40).map((name) => metadata(`library${name}`, at)),
    file('opt/lib/large', ballast(`environment ${at}`, 1024 * 1024)),
  );
const ownLayer = (at: number) =>
  archive(metadata(`application${at}`, 1), file('app/large', ballast(`own ${at}`, 64 * 1024)));

interface PushedLayer {
  readonly diffId: string;
  readonly descriptor: unknown;
}

async function pushImages(registry: Registry, host: string): Promise<void> {
  const place = { registry: host, repository: 'fleet' };
  const known = new Map<string, Promise<PushedLayer>>();
  const layer = (key: string, make: () => Buffer): Promise<PushedLayer> => {
    const pushing =
      known.get(key) ??
      (async () => {
        const tar = make();
        const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
        return {
          diffId,
          descriptor: await registry.pushBlob(place, mediaTypes.layerGzip, gzipSync(tar, { level: 1 })),
        };
      })();
    known.set(key, pushing);
    return pushing;
  };
  await inParallel(numbers(total), 8, async (at) => {
    const [environment, system] = [at % shared.environments, at % shared.systems];
    const layers = await Promise.all([
      layer(`system ${system}`, () => systemLayer(system)),
      layer(`environment ${environment}`, () => environmentLayer(environment)),
      layer(`own ${at}`, () => ownLayer(at)),
    ]);
    const diffIds = layers.map(({ diffId }) => diffId);
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } };
    const json = (value: unknown) => Buffer.from(JSON.stringify(value));
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: await registry.pushBlob(place, mediaTypes.config, json(config)),
      layers: layers.map(({ descriptor }) => descriptor),
    };
    await registry.pushManifest(place, `i${at}`, mediaTypes.manifest, json(manifest));
  });
}

interface Worked {
  /** Of all processes, user and system. */
  readonly cpu: number;
  readonly wall: number;
}

/** Every worker takes the images whose number is its own modulo their count, as an indexed Job does. */
async function work(images: readonly string[], flags: readonly string[], name: string): Promise<Worked> {
  const start = performance.now();
  const runs = numbers(workers).map(async (worker) => {
    const mine = images.filter((_, at) => at % workers === worker);
    if (mine.length === 0) {
      return 0;
    }
    const folder = join(home, 'sboms', `${name}-${worker}`);
    mkdirSync(folder, { recursive: true });
    const report = join(home, `time-${name}-${worker}`);
    const args = [
      '-f',
      '%U %S',
      '-o',
      report,
      process.execPath,
      tcf,
      'sbom',
      ...mine,
      '-o',
      // Of one image it is a file.
      mine.length === 1 ? join(folder, 'only.json') : folder,
      '--quiet',
      ...flags,
    ];
    await new Promise<void>((done, failed) => {
      const child = spawn('/usr/bin/time', args, {
        cwd: home,
        env: { ...process.env, HOME: join(home, `home-${worker}`) },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      child.on('error', failed);
      child.on('close', (code) => (code === 0 ? done() : failed(new Error(`a worker ended with ${code}`))));
    });
    const [user = 0, system = 0] = must('cat', [report]).trim().split(/\s+/).map(Number);
    return user + system;
  });
  const cpu = (await Promise.all(runs)).reduce((sum, one) => sum + one, 0);
  return { cpu, wall: (performance.now() - start) / 1000 };
}

const port = 5059;
writeFileSync(
  join(home, 'registry.yml'),
  `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${home}/registry}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
);
const server = spawn('docker-registry', ['serve', join(home, 'registry.yml')], { stdio: 'ignore' });
try {
  must('bash', [
    '-c',
    `for i in $(seq 100); do curl -sf http://127.0.0.1:${port}/v2/ >/dev/null && exit; sleep 0.1; done; exit 1`,
  ]);
  await pushImages(openRegistry({ userAgent: 'tcf-bench', allowHttp: true }), `127.0.0.1:${port}`);
  await using proxy = await startCountingProxy(`127.0.0.1:${port}`);
  writeKeyPair(home, 'ci');
  const policy = keyPolicy(proxy.host, 'signed: { by: [ci] }', { ci: 'ci.pub' });
  writeFileSync(join(home, 'policy.yaml'), `${policy}layerCache: { signers: [ci] }\n`);
  const cache = `${proxy.host}/cache`;
  const sharing = [
    '--allow-http',
    '--cache-from',
    cache,
    '--cache-to',
    cache,
    '--key',
    'ci.key',
    '--policy',
    'policy.yaml',
  ];
  const nameOf = (at: number) => `${proxy.host}/fleet:i${at}`;

  const rows: string[] = [];
  const row = (what: string, images: number, { cpu, wall }: Worked) => {
    const each = (value: number, digits: number) => (value / images).toFixed(digits);
    const count = (match: RegExp) => proxy.lines.filter((line) => match.test(line)).length;
    const read = count(/^GET \/v2\/fleet\/blobs\//) - images;
    const written = count(/^PUT \/v2\/cache\/manifests\//);
    rows.push(
      `| ${what} | ${images} | ${read} | ${written} | ${proxy.counts.requests} | ${each(proxy.counts.requests, 1)} | ${(proxy.counts.bytes / 1e6).toFixed(1)} | ${each(proxy.counts.bytes / 1e3, 0)} | ${cpu.toFixed(1)} | ${each(1000 * cpu, 0)} | ${wall.toFixed(1)} |`,
    );
    proxy.reset();
  };

  const sample = Math.min(40, total);
  row('alone, nothing shared', sample, await work(numbers(sample).map(nameOf), ['--allow-http'], 'alone'));
  const stages = [0, 0.02, 0.1, 0.4, 1].map((part) => Math.round(part * total));
  for (const [at, end] of stages.slice(1).entries()) {
    const begin = stages[at] ?? 0;
    const images = numbers(end).slice(begin);
    row(
      `images ${begin + 1} to ${end}`,
      images.length,
      await work(images.map(nameOf), sharing, `stage${at}`),
    );
  }
  row(
    'the last stage again',
    total - (stages.at(-2) ?? 0),
    await work(numbers(total).slice(stages.at(-2)).map(nameOf), sharing, 'again'),
  );
  must('bash', [
    '-c',
    `cd ${home}/sboms && for f in alone-*/*; do cmp "$f" "$(ls stage*-*/"$(basename "$f")")"; done`,
  ]);

  writeFileSync(
    join(root, 'bench/fleet.md'),
    `# A fleet that shares a registry

\`npm run bench:fleet -- ${total} ${workers}\`: ${total} images of three layers each, made on ${shared.systems} systems and ${shared.environments} environments, with a layer of their own. ${workers} processes share a docker-registry on loopback
and nothing else; each takes its part of the images, as an indexed Job does. Requests and bytes are counted by a proxy. Written ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model.trim()}).
The SBOMs of the first ${sample} are compared byte by byte with those that nothing shared.

| what | images | layers read | entries written | requests | each | MB | KB each | CPU s | ms each | wall s |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

There are ${shared.systems + shared.environments + total} different layers. What is read more than once was wanted by two workers at the same moment; nothing waits for another worker, and both write the same.
`,
  );
} finally {
  server.kill();
}
