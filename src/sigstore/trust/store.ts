import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { knownRepositories } from '../../attest/tuf/anchors.ts';
import { maxTarget } from '../../attest/tuf/limits.ts';
import { merge } from '../../attest/tuf/merge.ts';
import { formatState, maxState, parseState, type State } from '../../attest/tuf/state.ts';
import { decodeBase64, encodeBase64, encodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly, cannotTell, TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { byCodeUnit, quoted } from '../../base/text.ts';
import { codeOf } from '../../system/errors.ts';
import { type Readers, readNewest, writeNext } from './generations.ts';

/** A trusted root that the user brought. */
export interface ImportedRoot {
  readonly bytes: Uint8Array;
  readonly importedAt: Date;
  /** With which services to sign, where the user said so. */
  readonly signingConfig?: Uint8Array;
}

/** What tcf keeps of Sigstore instances between two runs, one folder for each name. */
export interface TrustStore {
  /** Of everything that is kept, sorted. */
  names(): Promise<readonly string[]>;
  /**
   * What is known through TUF, proven again. @throws TcfError `trust.corrupt`, `trust.unsafe`,
   * `trust.unreadable` (exit 2).
   */
  state(name: string): Promise<State | undefined>;
  /**
   * Adds to what is known, whatever other runs do meanwhile, and returns all of it. A corrupt state is
   * replaced.
   */
  keep(name: string, state: State): Promise<State>;
  /** @throws TcfError as `state`. */
  imported(name: string): Promise<ImportedRoot | undefined>;
  import(name: string, root: ImportedRoot): Promise<void>;
}

const importFormat = 'tcf.imported-root/1';
/** Two files in base64. */
const maxImport = 4 * maxTarget;
const attempts = 100;

/** The name of an instance is the name of a folder, and nothing else: CVE-2026-24137. */
const wellFormed = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/** @throws TcfError `trust.name` (exit 3). */
export function parseInstanceName(text: string): string {
  if (wellFormed.test(text)) {
    return text;
  }
  throw askedWrongly('trust.name', `${quoted(text)} is not a name of a Sigstore instance`, {
    hint: 'lower-case letters, digits, "." and "-"',
  });
}

/** The root that tcf carries for a name. */
export function anchorOf(name: string): Uint8Array | undefined {
  return Object.hasOwn(knownRepositories, name)
    ? knownRepositories[name as keyof typeof knownRepositories].anchor()
    : undefined;
}

export function openTrustStore(folder: string, readers: Readers = 'owner'): TrustStore {
  const tuf = (name: string) => join(folder, parseInstanceName(name), 'tuf');
  const imports = (name: string) => join(folder, parseInstanceName(name), 'imported');
  const readState = async (name: string) => {
    const newest = await readNewest(tuf(name), maxState, `what is kept of ${name}`);
    return {
      number: newest?.number ?? 0,
      bytes: newest?.bytes,
      parse: () => (newest === undefined ? undefined : parseState(newest.bytes, name, anchorOf(name))),
    };
  };
  return {
    names: () => namesIn(folder),
    state: async (name) => {
      const { parse } = await readState(name);
      return whole(name, tuf(name), parse);
    },
    keep: async (name, state) => {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const { bytes, number, parse } = await readState(name);
        const known = orNothing(parse);
        const joined =
          known === undefined ? state : { ...state, repository: merge(state.repository, known.repository) };
        const next = formatState(joined);
        if (bytes !== undefined && Buffer.compare(next, bytes) === 0) {
          return joined;
        }
        if (await writeNext(tuf(name), number, next, readers)) {
          return joined;
        }
      }
      throw cannotTell(
        'trust.unwritable',
        `cannot keep what is known of ${name}: other runs keep replacing it`,
      );
    },
    imported: async (name) => {
      const newest = await readNewest(imports(name), maxImport, `the imported root of ${name}`);
      return newest === undefined
        ? undefined
        : whole(name, imports(name), () => parseImport(newest.bytes, name));
    },
    import: async (name, root) => {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const newest = await readNewest(imports(name), maxImport, `the imported root of ${name}`);
        if (await writeNext(imports(name), newest?.number ?? 0, formatImport(root), readers)) {
          return;
        }
      }
      throw cannotTell('trust.unwritable', `cannot keep the root of ${name}: other runs keep replacing it`);
    },
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((entry) => wellFormed.test(entry)).sort(byCodeUnit);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return [];
    }
    throw error;
  }
}

/** An unproven state is neither used nor skipped: its damage may be meant to bring an older root back. */
function whole<T>(name: string, folder: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    throw cannotTell('trust.corrupt', `what is kept of ${name} cannot be used: ${error.message}`, {
      hint: `fetch it again with tcf trust update ${name}, or remove ${quoted(folder)}`,
      cause: error,
    });
  }
}

function orNothing<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}

function formatImport({ bytes, importedAt, signingConfig }: ImportedRoot): Uint8Array {
  const document = {
    format: importFormat,
    importedAt: importedAt.toISOString(),
    trustedRoot: encodeBase64(bytes),
    ...(signingConfig === undefined ? {} : { signingConfig: encodeBase64(signingConfig) }),
  };
  return encodeUtf8(`${JSON.stringify(document, undefined, 1)}\n`);
}

function parseImport(bytes: Uint8Array, name: string): ImportedRoot {
  const limits = { maxBytes: maxImport, maxDepth: 2 };
  const shape = new Shape(parseJson(bytes, `the imported root of ${name}`, limits), name);
  if (shape.get('format').string(100) !== importFormat) {
    throw shape.get('format').wrong(`is not ${importFormat}`);
  }
  const config = shape.optional('signingConfig');
  const importedAt = new Date(shape.get('importedAt').string(40));
  if (Number.isNaN(Number(importedAt))) {
    throw shape.get('importedAt').wrong('is not a time');
  }
  return {
    bytes: fileAt(shape.get('trustedRoot')),
    importedAt,
    ...(config === undefined ? {} : { signingConfig: fileAt(config) }),
  };
}

function fileAt(shape: Shape): Uint8Array {
  const bytes = decodeBase64(shape.string(2 * maxTarget));
  if (bytes === undefined) {
    throw shape.wrong('is not base64');
  }
  return bytes;
}
