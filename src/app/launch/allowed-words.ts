import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly } from '../../base/error.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { formatYaml, parseStrictYaml } from '../../policy/yaml.ts';
import { fileExists, readPlainFile, writeUserFile } from '../../system/files.ts';
import { configFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';

const maxFile = 1024 * 1024;

const wordsFile = (host: Host): string => join(configFolder(host), 'devcontainers.yaml');

/**
 * What the user has allowed the projects, by their folders: words for the engine that give something of the
 * host.
 */
type AllowedWords = Readonly<Record<string, readonly string[]>>;

/**
 * What the user allows the project in the current folder.
 *
 * @throws TcfError `devcontainer.allowed` (exit 3).
 */
export async function allowedWords(host: Host): Promise<readonly string[]> {
  return (await readWords(host))[realpathSync(host.cwd)] ?? [];
}

/** Adds words for the project in the current folder. Returns all that it has now. */
export async function allowWords(host: Host, words: readonly string[]): Promise<readonly string[]> {
  const all = await readWords(host);
  const folder = realpathSync(host.cwd);
  const now = [...new Set([...(all[folder] ?? []), ...words])].sort();
  mkdirSync(configFolder(host), { recursive: true, mode: 0o700 });
  await writeUserFile(host, wordsFile(host), formatYaml({ version: 1, allow: { ...all, [folder]: now } }), {
    mode: 0o600,
  });
  return now;
}

async function readWords(host: Host): Promise<AllowedWords> {
  const path = wordsFile(host);
  if (!fileExists(host, path)) {
    return {};
  }
  const text = decodeUtf8(await readPlainFile(host, path, maxFile, 'what projects may'));
  if (text === undefined) {
    throw askedWrongly('devcontainer.allowed', `${quoted(path)} is not UTF-8`);
  }
  const document = new Shape(parseStrictYaml(text, path, 'file').value, path);
  if (document.get('version').value !== 1) {
    throw document.get('version').wrong('is not 1');
  }
  const allow = document.get('allow');
  return Object.fromEntries(
    Object.keys(allow.record()).map((folder) => [
      folder,
      allow
        .get(folder)
        .list(1000)
        .map((word) => word.string(4096)),
    ]),
  );
}
