import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildImage, writeOciLayout } from '../test/support/image.ts';
import { endMarker, file } from '../test/support/tar.ts';
import { repeatedLayout } from './layouts.ts';
import { type ProcessCost, processCost, scratchPath } from './processes.ts';

/*
 * How a scan grows with one thing while the others stay, each point one run: the size of an image, by the layers of
 * image M on top of one another; entries, as empty files; packages, in the database of dpkg; cores, by taskset.
 */

interface Point {
  readonly of: string;
  readonly at: string;
  readonly image: string;
  readonly before?: readonly string[];
  readonly more?: readonly string[];
}

const stanza = (at: number) =>
  `Package: p${at}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.${at}\nDepends: p${at >> 1}\n\n`;

/** An image of one layer of Debian with so many packages and so many further files. */
function madeImage(name: string, packages: number, entries: number): string {
  const folder = scratchPath(name);
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
  const members = [
    file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
    file('var/lib/dpkg/status', numbers(packages).map(stanza).join('')),
    ...numbers(packages).map((at) => file(`var/lib/dpkg/info/p${at}.list`, `/.\n/usr\n/usr/share/p${at}\n`)),
    ...numbers(entries).map((at) => file(`usr/share/p${at >> 7}/file-${at}.txt`)),
  ];
  writeOciLayout(folder, { image: buildImage({ layers: [Buffer.concat([...members, endMarker])] }) });
  return folder;
}

function points(layout: string): readonly Point[] {
  const sizes = [1, 2, 3].map((times) => {
    const folder = times === 1 ? layout : join(`${layout}-${times}-times`);
    if (existsSync(layout) && !existsSync(folder)) {
      repeatedLayout(layout, folder, times);
    }
    return { of: 'size, in GB', at: (3.3 * times).toFixed(1), image: folder };
  });
  const cores = Array.from({ length: Math.min(8, availableParallelism()) }, (_, at) => ({
    of: 'cores, image M',
    at: String(at + 1),
    image: layout,
    before: ['taskset', '-c', `0-${at}`],
    more: ['--jobs', String(at + 1)],
  }));
  return [
    ...[10_000, 100_000, 400_000].map((count) => ({
      of: 'entries',
      at: String(count),
      image: madeImage(`entries-${count}`, 100, count),
    })),
    ...[500, 2000, 8000].map((count) => ({
      of: 'packages of Debian',
      at: String(count),
      image: madeImage(`packages-${count}`, count, 10_000),
    })),
    ...(existsSync(layout) ? [...sizes, ...cores] : []),
  ];
}

/** A table in Markdown. `tcf` is the built program. */
export async function curveRows(tcf: string, layout: string): Promise<readonly string[]> {
  const rows: string[] = [];
  for (const { at, before = [], image, more = [], of } of points(layout)) {
    process.stderr.write(`curve: ${of}, ${at}\n`);
    const output = scratchPath('curve.json');
    const command = [...before, process.execPath, tcf, 'sbom', `oci:${image}`, '-o', output, ...more];
    const { cpu, peakMiB, readMiB, wall }: ProcessCost = await processCost(command);
    rows.push(
      `| ${of} | ${at} | ${wall.toFixed(2)} | ${cpu.toFixed(2)} | ${peakMiB.toFixed(0)} | ${readMiB.toFixed(0)} |`,
    );
  }
  return [
    'How it grows with one thing, each point one run (`bench/curves.ts`):',
    '',
    '| with | at | wall s | CPU s | peak MiB | read MiB |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ];
}
