import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { concat, decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { isObject, type JsonLimits, parseJson } from '../../base/json.ts';
import { byCodeUnit, printable, quoted } from '../../base/text.ts';
import { readZip, type ZipLimits } from '../../image/zip.ts';
import { parseStrictYaml } from '../../policy/yaml.ts';
import { readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { AdvisoryRecord } from '../../vulns/advisory.ts';
import { parseLlvmFacts } from '../../vulns/llvm.ts';
import { parseCudaReleases, parseNvidiaFacts } from '../../vulns/nvidia.ts';
import { parseOsv } from '../../vulns/osv.ts';
import { parseRustsec } from '../../vulns/rustsec.ts';
import { type ArchiveIndex, isPackagesFile, readArchiveIndex } from './archive-index.ts';

/** Told of what lies in the inputs, in the order of their names. */
export interface InputReader {
  record(record: AdvisoryRecord): void;
  /** What looks like a record, and cannot be read: nobody knows what it is about. */
  unread(where: string, why: string): void;
  /** Something else that lies beside the records. */
  passedOver(where: string): void;
  document(name: 'cuda-releases' | 'llvm' | 'nvidia', value: unknown): void;
  archive(index: ArchiveIndex): void;
}

/** The largest record of OSV, a kernel's with every version of every release, has some 4 MiB. */
const recordLimits: JsonLimits = { maxBytes: 32 * 1024 * 1024, maxDepth: 64, surrogates: 'replaced' };
/** The archive of npm has some 250,000 records, in zip64. */
const zipLimits: ZipLimits = { entries: 2_000_000, directory: 512 * 1024 * 1024 };
/** All of OSV has some 600,000 files. */
const maxFiles = 2_000_000;

/**
 * Reads a folder, a zip archive or a file: records of OSV in JSON or YAML, advisories of RustSec, tables of
 * NVIDIA and LLVM, indexes of Debian's archive.
 *
 * @throws TcfError `file.unreadable`, `db.input` (exit 3), `zip.*`, `db.index` (exit 2).
 */
export async function readInput(host: Host, input: string, reader: InputReader): Promise<void> {
  const path = resolve(host.cwd, input);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw askedWrongly('file.unreadable', `there is no ${quoted(input)}`, { hint: 'check the path' });
  }
  if (stat.isDirectory()) {
    for (const name of filesBelow(path)) {
      await readOne(host, path, name, reader);
    }
    return;
  }
  let isKnown = true;
  const passedOver = (): void => {
    isKnown = false;
  };
  await readOne(host, dirname(path), basename(path), bound(reader, passedOver));
  if (!isKnown) {
    throw askedWrongly('db.input', `${quoted(input)} holds nothing that tcf db build reads`, {
      hint: 'give OSV records or archives of them, RustSec, tables of NVIDIA, or Packages of Debian beside its InRelease',
    });
  }
}

function bound(reader: InputReader, passedOver: (where: string) => void): InputReader {
  return {
    record: (record) => reader.record(record),
    unread: (where, why) => reader.unread(where, why),
    passedOver,
    document: (name, value) => reader.document(name, value),
    archive: (index) => reader.archive(index),
  };
}

/** Regular files, by name; links lead elsewhere and are not followed. */
function filesBelow(folder: string): readonly string[] {
  const found: string[] = [];
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && entry.name !== '.git') {
        walk(name);
      } else if (entry.isFile() && found.push(name) > maxFiles) {
        throw cannotTell('db.input', `${quoted(folder)} holds more than ${maxFiles} files`);
      }
    }
  };
  walk('');
  return found.sort(byCodeUnit);
}

async function readOne(host: Host, folder: string, name: string, reader: InputReader): Promise<void> {
  const path = join(folder, name);
  if (/\.zip$/i.test(name)) {
    await readArchive(path, name, reader);
  } else if (isPackagesFile(name)) {
    const index = await readArchiveIndex(host, folder, name);
    if (index === undefined) {
      reader.passedOver(name);
    } else {
      reader.archive(index);
    }
  } else if (/\.(?:json|md|toml|ya?ml)$/i.test(name)) {
    readBytes(await readPlainFile(host, path, recordLimits.maxBytes, 'the input'), name, reader);
  } else {
    reader.passedOver(name);
  }
}

async function readArchive(path: string, name: string, reader: InputReader): Promise<void> {
  await readZip(
    path,
    async (entries) => {
      for (const entry of [...entries].sort((a, b) => byCodeUnit(a.name, b.name))) {
        const where = `${name}/${entry.name}`;
        if (!/\.(?:json|ya?ml)$/i.test(entry.name)) {
          reader.passedOver(where);
          continue;
        }
        if (entry.size > recordLimits.maxBytes) {
          reader.unread(where, `it has more than ${recordLimits.maxBytes} bytes`);
          continue;
        }
        const chunks: Uint8Array[] = [];
        await entry.stream((chunk) => chunks.push(Uint8Array.from(chunk)));
        readBytes(concat(chunks), where, reader);
      }
    },
    zipLimits,
  );
}

/** A record that is refused costs no other: it is counted and named. */
function readBytes(bytes: Uint8Array, where: string, reader: InputReader): void {
  try {
    readDocument(bytes, where, reader);
  } catch (error) {
    if (error instanceof TcfError || error instanceof TomlError) {
      reader.unread(where, printable(error.message.split('\n')[0] ?? ''));
      return;
    }
    throw error;
  }
}

function readDocument(bytes: Uint8Array, where: string, reader: InputReader): void {
  if (/\.(?:md|toml)$/i.test(where)) {
    readToml(bytes, where, reader);
    return;
  }
  const value = /\.json$/i.test(where) ? parseJson(bytes, where, recordLimits) : yamlOf(bytes, where);
  if (
    isObject(value) &&
    'id' in value &&
    ('affected' in value || 'modified' in value || 'schema_version' in value)
  ) {
    reader.record(parseOsv(value, where));
  } else if (Array.isArray(value) && isObject(value[0]) && 'cve' in value[0]) {
    readFacts(value, where, reader);
  } else if (
    isObject(value) &&
    Object.keys(value).length > 0 &&
    Object.keys(value).every((key) => /^\d+\.\d+(?:\.\d+)?$/.test(key))
  ) {
    parseCudaReleases(value, where);
    reader.document('cuda-releases', value);
  } else {
    reader.passedOver(where);
  }
}

function readFacts(value: readonly unknown[], where: string, reader: InputReader): void {
  const [first] = value;
  if (isObject(first) && 'programs' in first) {
    parseNvidiaFacts(value, where);
    reader.document('nvidia', value);
  } else {
    parseLlvmFacts(value, where);
    reader.document('llvm', value);
  }
}

/** RustSec: TOML in the first block of a Markdown file, and the title below it. */
function readToml(bytes: Uint8Array, where: string, reader: InputReader): void {
  const text = decodeUtf8(bytes) ?? '';
  const [, block, rest = ''] = /^```toml\r?\n(.*?)^```(.*)/ms.exec(text) ?? [];
  if (/\.md$/i.test(where) && block === undefined) {
    reader.passedOver(where);
    return;
  }
  const value = parseToml(block ?? text);
  if (!('advisory' in value)) {
    reader.passedOver(where);
    return;
  }
  reader.record(parseRustsec(value, where, /^# (.+)$/m.exec(rest)?.[1]));
}

/** Strict: with anchors and aliases ten lines become gigabytes, and no record has them. */
function yamlOf(bytes: Uint8Array, where: string): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    throw cannotTell('yaml.malformed', `${where} is not UTF-8`);
  }
  return parseStrictYaml(text, where, 'record', recordLimits.maxBytes).value;
}
