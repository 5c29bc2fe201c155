import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from '../src/attest/tuf/metadata.ts';
import {
  type Download,
  findTarget,
  newRepository,
  type TufRepository,
  updateMetadata,
  updateTarget,
} from '../src/attest/tuf/update.ts';
import { TcfError } from '../src/base/error.ts';

/**
 * The client of src/attest/tuf behind the command line that theupdateframework/tuf-conformance wants
 * (CLIENT-CLI.md): `init`, `refresh` and `download` of a target. What is trusted lies
 * in the metadata folder under the names of the suite, and is read from there again.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'metadata-dir': { type: 'string', default: '.' },
    'metadata-url': { type: 'string', default: '' },
    'target-name': { type: 'string', multiple: true, default: [] },
    'target-base-url': { type: 'string', default: '' },
    'target-dir': { type: 'string', default: '.' },
  },
});
const [command, file = ''] = positionals;
const folder = values['metadata-dir'];
const at = (name: string) => join(folder, name);

/** Read again as it was written; a file that cannot be read is as good as none. */
function kept<T>(name: string, parse: (bytes: Uint8Array) => T): T | undefined {
  if (!existsSync(at(name))) {
    return undefined;
  }
  try {
    return parse(readFileSync(at(name)));
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}

function load(): TufRepository {
  const [timestamp, snapshot, targets] = [
    kept('timestamp.json', parseTimestamp),
    kept('snapshot.json', parseSnapshot),
    kept('targets.json', parseTargets),
  ];
  return {
    ...newRepository(readFileSync(at('root.json'))),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(targets === undefined ? {} : { targets }),
  };
}

const save = ({ root, snapshot, targets, timestamp }: TufRepository) => {
  for (const role of [root, timestamp, snapshot, targets]) {
    if (role !== undefined) {
      writeFileSync(at(`${role.role}.json`), role.bytes);
    }
  }
};

const from =
  (base: string): Download =>
  async (path, limit) => {
    const reply = await fetch(`${base.replace(/\/$/, '')}/${path}`);
    if (reply.status === 404 || reply.status === 403) {
      return undefined;
    }
    if (!reply.ok) {
      throw new TcfError(2, 'sigstore.refused', `${path}: ${reply.status}`);
    }
    const bytes = new Uint8Array(await reply.arrayBuffer());
    if (bytes.length > limit) {
      throw new TcfError(2, 'bytes.too-large', `${path} is longer than ${limit}`);
    }
    return bytes;
  };

async function refresh() {
  const found = await updateMetadata(load(), {
    download: from(values['metadata-url']),
    now: new Date(),
    persist: async (state) => save(state),
  });
  save({ ...found.state, targets: found.targets });
  return found;
}

async function download(): Promise<void> {
  const { snapshot, state, targets } = await refresh();
  for (const name of values['target-name']) {
    const path = join(values['target-dir'], encodeURIComponent(name));
    const before = existsSync(path) ? readFileSync(path) : undefined;
    // Ours asks below `targets/`; the suite has an address of its own for them, and hashes before the last
    // name.
    const get: Download = (asked, limit) => {
      const prefix = asked.slice('targets/'.length, asked.length - name.length);
      const slash = name.lastIndexOf('/') + 1;
      return from(values['target-base-url'])(`${name.slice(0, slash)}${prefix}${name.slice(slash)}`, limit);
    };
    const info = await findTarget({ root: state.root, snapshot, targets }, name, {
      download: from(values['metadata-url']),
      now: new Date(),
      onRole: (role, { bytes }) => writeFileSync(at(`${encodeURIComponent(role)}.json`), bytes),
    });
    if (info === undefined) {
      throw new TcfError(2, 'tuf.no-target', `there is no target ${name}`);
    }
    const bytes = await updateTarget(state.root, info, name, before, get);
    if (bytes !== before) {
      writeFileSync(path, bytes);
    }
  }
}

try {
  if (command === 'init') {
    const root = parseRoot(readFileSync(file));
    writeFileSync(at('root.json'), root.bytes);
  } else if (command === 'refresh') {
    await refresh();
  } else if (command === 'download') {
    await download();
  } else {
    throw new TcfError(3, 'tuf-client', `there is no command ${command}, only init, refresh and download`);
  }
} catch (error) {
  // Whatever it is, the suite wants 1; what is not ours shows its stack.
  process.stderr.write(
    `${error instanceof TcfError ? `${error.code}: ${error.message}` : (error as Error).stack}\n`,
  );
  process.stderr.write(`${readdirSync(folder).join(' ')}\n`);
  process.exitCode = 1;
}
