import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import type { Bom } from '../../src/bom/model.ts';
import { scanLimits } from '../../src/image/finds.ts';
import { memoryImage } from '../support/image.ts';
import { rpmHeader } from '../support/rpm-header.ts';
import { archive, file, symlink } from '../support/tar.ts';

/* Budgets are for hostile input: what the largest honest images bring is read whole (bench/limits.md). */

const count = 20_000;

/**
 * A database as SQLite itself writes it: 20,000 packages with 7 KiB of files each, more than a layer keeps at
 * the first look.
 */
function database(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'tcf-large-'));
  try {
    const path = join(folder, 'rpmdb.sqlite');
    const sqlite = new DatabaseSync(path);
    sqlite.exec(
      'PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL); BEGIN',
    );
    const insert = sqlite.prepare('INSERT INTO Packages (blob) VALUES (?)');
    const names = Array.from(
      { length: 95 },
      (_, at) => `a-file-of-a-package-with-a-name-that-is-as-long-as-those-of-headers-of-its-own-${at}`,
    );
    for (let at = 0; at < count; at += 1) {
      const header = rpmHeader({
        1000: `package-${at}`,
        1001: '1.0',
        1002: '1.fc41',
        1022: 'noarch',
        1117: names,
      });
      insert.run(header);
    }
    sqlite.exec('COMMIT');
    sqlite.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const rpms = ({ components }: Bom) => components.filter(({ purl = '' }) => purl.startsWith('pkg:rpm/'));
const release = file('etc/os-release', 'ID=fedora\nVERSION_ID=41\n');

test('a database of 20,000 packages is read whole, in its place and behind a link', {
  timeout: 120_000,
}, async () => {
  const bytes = database();
  expect(bytes.length).toBeGreaterThan(scanLimits.layerContent);
  for (const layer of [
    archive(release, file('var/lib/rpm/rpmdb.sqlite', bytes)),
    archive(release, symlink('var/lib/rpm', '../../data/rpm'), file('data/rpm/rpmdb.sqlite', bytes)),
  ]) {
    const bom = await makeBom(memoryImage({ layers: [layer] }), undefined, { jobs: 1 });
    expect(rpms(bom)).toHaveLength(count);
    expect(bom.properties.filter(({ name }) => name.startsWith('tcf:skipped'))).toEqual([]);
  }
});

test('a status of 15,000 packages is read whole', { timeout: 60_000 }, async () => {
  const stanza = (at: number): string =>
    `Package: package-${at}\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 100\nMaintainer: Somebody <somebody@example.org>\nArchitecture: amd64\nVersion: 1.${at}-1\nDepends: package-${(at * 7) % 15_000}, package-${(at * 13) % 15_000} (>= 1.0)\nDescription: ${'a usual text of a package '.repeat(20)}\n`;
  const status = Array.from({ length: 15_000 }, (_, at) => stanza(at)).join('\n');
  expect(status.length).toBeGreaterThan(11_000_000);
  const layer = archive(
    file('etc/os-release', 'ID=debian\nVERSION_ID=13\n'),
    file('var/lib/dpkg/status', status),
  );
  const bom = await makeBom(memoryImage({ layers: [layer] }), undefined, { jobs: 1 });
  expect(bom.components.filter(({ purl = '' }) => purl.startsWith('pkg:deb/'))).toHaveLength(15_000);
  expect(bom.properties.filter(({ name }) => name.startsWith('tcf:skipped'))).toEqual([]);
});
