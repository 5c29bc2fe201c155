import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { curveRows } from './curves.ts';
import { manifestOf, repeatedLayout, scheduleOf } from './layouts.ts';
import { must, type ProcessCost, processCost, scratchPath } from './processes.ts';
import { type LayoutServer, serveLayout } from './serve-layout.ts';

// Measures a scan of image M against what a machine needs to unpack it and against its peers, in turn, then curves over size, entries, packages and cores, and writes bench/RESULTS.md.
// usage: npm run bench [-- ROUNDS]        the image lies in /var/tmp/tcf-bench (or $LAB) as shared/perf/build-m.sh makes it; what is missing is left out

interface Cost extends ProcessCost {
  /** That the registry of this program was asked. */
  readonly requests: number;
}

interface Work {
  readonly name: string;
  readonly command: readonly string[];
  /** Before each run, not measured. */
  readonly before?: () => void;
  /** Half a minute of two cores: in the first round only. */
  readonly isLong?: boolean;
}

const root = join(import.meta.dirname, '..');
const lab = process.env['LAB'] ?? '/var/tmp/tcf-bench';
const layout = join(lab, 'm-oci');
const store = `containers-storage:[overlay@${lab}/storage+${lab}/run]localhost/m:1`;
/** 20 GB of layers, of linked blobs: they must lie on one file system. */
const repeats = 6;
const large = join(lab, 'm-repeated');
const peers = '/var/tmp/tcf-peers/bin';
const rounds = Number(process.argv[2] ?? 5);
/** Runs that begin after this are left out, and the medians are of fewer. */
const deadline = Date.now() + 7.5 * 60_000;
const server: LayoutServer | undefined = existsSync(layout) ? await serveLayout(layout) : undefined;

function built(): string {
  const folder = scratchPath('dist');
  must(process.execPath, [join(root, 'toolchain/build.ts'), folder]);
  return join(folder, 'tcf.js');
}

async function measure({ before, command }: Work): Promise<Cost> {
  before?.();
  const asked = server?.requests ?? 0;
  const cost = await processCost(command);
  return { ...cost, requests: (server?.requests ?? 0) - asked };
}

function works(tcf: string): readonly Work[] {
  const cache = scratchPath('cache');
  const sbom = (image: string, ...more: readonly string[]): readonly string[] => [
    ...[
      '/usr/bin/env',
      `XDG_CACHE_HOME=${cache}`,
      process.execPath,
      tcf,
      'sbom',
      image,
      '-o',
      scratchPath('tcf.json'),
    ],
    ...more,
  ];
  const blobs = (program: string) =>
    `for f in $(find ${layout}/blobs -type f -size +4k); do ${program} <"$f" 2>/dev/null; done >/dev/null; true`;
  const none = () => rmSync(cache, { recursive: true, force: true });
  const warm = () => {
    must('/usr/bin/env', sbom(`oci:${layout}`, '--cache').slice(1));
  };
  // One layer on top has changed: its record is gone, and it is the smallest. The image is another one, whose SBOM nobody made.
  const changed = () => {
    warm();
    must('/bin/sh', ['-c', `find ${cache} -name '*.sbom' -delete`]);
    const smallest = must('/bin/sh', [
      '-c',
      `find ${cache} -name '*.layer' -printf '%s %p\\n' | sort -n | head -1`,
    ]);
    rmSync(smallest.trim().split(' ')[1] ?? '', { force: true });
  };
  const there = (...paths: readonly string[]) => paths.every((path) => existsSync(path));
  const when = (isThere: boolean, ...work: readonly Work[]): readonly Work[] => (isThere ? work : []);
  return [
    ...when(
      there(layout),
      { name: 'gzip -dc of its layers', command: ['/bin/sh', '-c', blobs('gzip -dc')] },
      { name: 'tcf, OCI layout', command: sbom(`oci:${layout}`), before: none },
      { name: 'tcf, OCI layout, one thread', command: sbom(`oci:${layout}`, '--jobs', '1'), before: none },
      { name: 'tcf, one layer changed', command: sbom(`oci:${layout}`, '--cache'), before: changed },
      { name: 'tcf, nothing changed', command: sbom(`oci:${layout}`, '--cache'), before: warm },
    ),
    ...(server === undefined
      ? []
      : [
          { name: 'tcf, registry on loopback', command: sbom(server.image, '--allow-http'), before: none },
          {
            name: 'tcf, registry, its layers in the cache',
            command: sbom(server.image, '--allow-http', '--cache'),
            // The layers of the layout are those of the registry; the SBOM has another name in it.
            before: warm,
          },
        ]),
    ...when(there(layout), {
      name: `tcf, the layers of M ${repeats} times`,
      command: sbom(`oci:${large}`),
      isLong: true,
      before: () => {
        if (!there(large)) {
          repeatedLayout(layout, large, repeats);
        }
      },
    }),
    ...when(there(join(lab, 'storage')), { name: "tcf, podman's store", command: sbom(store) }),
    ...when(there(join(lab, 'storage')), {
      name: 'podman save, to nothing',
      command: [
        '/bin/sh',
        '-c',
        `podman --root ${lab}/storage --runroot ${lab}/run save --quiet localhost/m:1 | cat >/dev/null`,
      ],
    }),
    ...when(there(join(lab, 'storage')), {
      name: "tcf, podman's store, --verify-layers",
      command: sbom(store, '--verify-layers'),
    }),
    ...when(there('/usr/bin/igzip', layout), {
      name: 'igzip',
      command: ['/bin/sh', '-c', blobs('igzip -dc')],
    }),
    ...when(there(join(peers, 'trivy'), layout), {
      name: 'trivy, cold cache',
      command: [
        ...[
          join(peers, 'trivy'),
          'image',
          '--input',
          layout,
          '--format',
          'cyclonedx',
          '--output',
          scratchPath('trivy.json'),
        ],
        ...['--quiet', '--skip-version-check', '--cache-dir', scratchPath('trivy-cache')],
      ],
      before: () => rmSync(scratchPath('trivy-cache'), { recursive: true, force: true }),
    }),
    ...when(there(join(peers, 'syft'), layout), {
      name: 'syft',
      command: [
        join(peers, 'syft'),
        'scan',
        `oci-dir:${layout}`,
        '-q',
        '-o',
        `cyclonedx-json=${scratchPath('syft.json')}`,
      ],
    }),
    { name: 'node, nothing', command: [process.execPath, '-e', '0'] },
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Each work once a round, so that other load on the machine meets all of them. */
async function measureAll(all: readonly Work[]): Promise<ReadonlyMap<string, readonly Cost[]>> {
  const costs = new Map<string, Cost[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const work of all.filter(({ isLong }) => round === 0 || isLong !== true)) {
      if (Date.now() > deadline) {
        return costs;
      }
      process.stderr.write(`round ${round + 1} of ${rounds}: ${work.name}\n`);
      try {
        costs.get(work.name)?.push(await measure(work));
      } catch (error) {
        process.stderr.write(`  left out: ${error instanceof Error ? error.message.slice(0, 300) : error}\n`);
      }
    }
  }
  return costs;
}

function report(costs: ReadonlyMap<string, readonly Cost[]>, curves: readonly string[]): string {
  const base = costs.get('gzip -dc of its layers') ?? [];
  const rows = [...costs].flatMap(([name, runs]) => {
    if (runs.length === 0) {
      return [];
    }
    const of = (pick: (cost: Cost) => number) => median(runs.map(pick));
    const ratio = (pick: (cost: Cost) => number) =>
      base.length === 0 ? '' : (of(pick) / median(base.map(pick))).toFixed(2);
    const walls = runs.map(({ wall }) => wall);
    const spread = `${Math.min(...walls).toFixed(1)} to ${Math.max(...walls).toFixed(1)}`;
    const cells = [
      ...[
        name,
        ratio(({ wall }) => wall),
        ratio(({ cpu }) => cpu),
        of(({ wall }) => wall).toFixed(2),
        spread,
      ],
      of(({ cpu }) => cpu).toFixed(2),
      ...[
        ({ peakMiB }: Cost) => peakMiB,
        ({ readMiB }: Cost) => readMiB,
        ({ writtenMiB }: Cost) => writtenMiB,
      ].map((pick) => of(pick).toFixed(0)),
      ...[String(of(({ requests }) => requests)), String(runs.length)],
    ];
    return [`| ${cells.join(' | ')} |`];
  });
  return [
    '# Results',
    '',
    'Image M: Debian 12 with compilers, LLVM 14, numpy, scipy, pandas and boost; 6 layers, 3.3 GB, 68,600 entries. `npm run bench` measures whole processes in turn,',
    'and writes medians. Ratios are to `gzip -dc` of the same run: absolute times differ between machines by more than a factor of two.',
    '',
    `Written ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}).`,
    '',
    '"Read" is what the processes read from files, pipes and sockets, "disk" what they wrote to disks: the output, a cache, temporary files. Requests are those to the registry of the bench.',
    '',
    '| work | wall, ratio | CPU, ratio | wall s | from, to | CPU s | peak MiB | read MiB | disk MiB | requests | runs |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...curves,
    ...scheduleRows(),
  ].join('\n');
}

/** What more cores would bring, by the sizes of the layers: measured is what this machine has. */
function scheduleRows(): readonly string[] {
  if (!existsSync(layout)) {
    return [];
  }
  const sizes = manifestOf(layout).layers.map(({ size }) => size);
  const cores = [1, 2, 3, 4, 6, 8];
  const times = (many: readonly number[]) =>
    cores.map((count) => (scheduleOf(many, count) / scheduleOf(many, 1)).toFixed(2)).join(' | ');
  return [
    'More cores than are here, simulated: the schedule of the layers by their stored sizes, in parts of one core (the part of a scan that reads layers, not the one that puts them together;',
    'each layer as if one core read it, while two do). Measured on 16 cores: [cores.md](cores.md).',
    '',
    `| cores | ${cores.join(' | ')} |`,
    `| --- | ${cores.map(() => '---').join(' | ')} |`,
    `| image M, ${sizes.length} layers | ${times(sizes)} |`,
    `| its layers ${repeats} times | ${times(Array.from({ length: repeats }, () => sizes).flat())} |`,
    '',
  ];
}

mkdirSync(scratchPath('cache'), { recursive: true });
const tcf = built();
const costs = await measureAll(works(tcf));
const text = report(costs, await curveRows(tcf, layout));
await server?.close();
writeFileSync(join(root, 'bench/RESULTS.md'), text);
process.stdout.write(text);
