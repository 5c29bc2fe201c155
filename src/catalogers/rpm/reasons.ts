import { compact } from '../../base/compact.ts';
import { printable } from '../../base/text.ts';
import type { Skipped, Tree, TreeFile } from '../contract.ts';
import { columnText, numberOf, readTable } from './sqlite.ts';

/** Why a package is there, and from which repository, as dnf records it. */
export interface Reason {
  /** `user`, `dependency`, `weak-dependency`, `group`, `clean` or `external-user`; in dnf's words. */
  readonly reason?: string;
  /** The id of a repository, as `[fedora]` in its configuration. */
  readonly repository?: string;
}

/** What to ask for a package: its name and architecture, and its version with epoch where there is one. */
export type Reasons = (name: string, arch: string, evr: string) => Reason;

const history = 'var/lib/dnf/history.sqlite';
const state = 'usr/lib/sysimage/libdnf5';

export const reasonFiles: readonly string[] = [
  ...[history, `${history}-wal`],
  ...[`${state}/packages.toml`, `${state}/nevras.toml`],
];

export function isReasonFile(path: string): boolean {
  return reasonFiles.includes(path);
}

/** What dnf 5 wrote, else the history of dnf 4. Without either nobody knows why a package is there. */
export function reasonsOf(tree: Tree, skipped: Skipped[]): Reasons {
  const packages = tree.file(`${state}/packages.toml`);
  if (packages !== undefined) {
    return fromState(packages, tree.file(`${state}/nevras.toml`), skipped);
  }
  const database = tree.file(history);
  return database === undefined ? () => ({}) : fromHistory(database, tree.file(`${history}-wal`), skipped);
}

/**
 * Transaction items that stand for the old half of a change, and the one that takes a package away (libdnf,
 * TransactionItemAction).
 */
const replaced: ReadonlySet<number> = new Set([3, 5, 7, 10]);
const remove = 8;
const done = 1;
const historyReasons: Readonly<Record<number, string>> = {
  1: 'dependency',
  2: 'user',
  3: 'clean',
  4: 'weak-dependency',
  5: 'group',
};

/**
 * As dnf 4 itself finds a reason: the last item of a finished transaction for this name and architecture
 * (libdnf, Swdb).
 */
function fromHistory(database: TreeFile, log: TreeFile | undefined, skipped: Skipped[]): Reasons {
  const path = printable(database.path);
  const content = database.content();
  if (content === undefined) {
    skipped.push({ path, reason: 'is too large to read' });
    return () => ({});
  }
  // The page that lists the tables is read for each of them.
  const faults = new Set<string>();
  const rows = function* (table: string): Generator<readonly (Uint8Array | undefined)[]> {
    for (const row of readTable(content, log?.content(), table)) {
      if ('fault' in row) {
        faults.add(`${row.where} ${row.fault}`);
      }
      // Every table begins with a key; most take it from the row's number.
      else {
        yield [row.columns[0] ?? bytesOf(row.rowid), ...row.columns.slice(1)];
      }
    }
  };
  const finished = new Set<number>();
  for (const columns of rows('trans')) {
    if (numberOf(columns[8]) === done) {
      finished.add(numberOf(columns[0]));
    }
  }
  const repositories = new Map<number, string>();
  for (const [id, name] of rows('repo')) {
    repositories.set(numberOf(id), columnText(name));
  }
  const items = new Map<number, { readonly key: string; readonly evr: string }>();
  for (const [id, name, epoch, version, release, arch] of rows('rpm')) {
    const evr = `${numberOf(epoch) > 0 ? `${numberOf(epoch)}:` : ''}${columnText(version)}-${columnText(release)}`;
    items.set(numberOf(id), { key: `${columnText(name)}.${columnText(arch)}`, evr });
  }
  const last = new Map<string, { readonly order: number; readonly reason: Reason; readonly evr: string }>();
  for (const [, transaction, item, repository, action, reason] of rows('trans_item')) {
    const order = numberOf(transaction);
    const found = items.get(numberOf(item));
    if (found === undefined || !finished.has(order) || replaced.has(numberOf(action))) {
      continue;
    }
    if ((last.get(found.key)?.order ?? 0) > order) {
      continue;
    }
    const word = numberOf(action) === remove ? undefined : historyReasons[numberOf(reason)];
    last.set(found.key, {
      order,
      evr: found.evr,
      reason: reasonFrom(word, repositories.get(numberOf(repository))),
    });
  }
  skipped.push(...[...faults].map((reason) => ({ path, reason })));
  return (name, arch, evr) => {
    const found = last.get(`${name}.${arch}`);
    if (found === undefined) {
      return {};
    }
    // rpm brought another version since: dnf's reason stays, its repository does not.
    return found.evr === evr ? found.reason : reasonFrom(found.reason.reason, undefined);
  };
}

function bytesOf(number: number): Uint8Array {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(number % 2 ** 48, 0, 6);
  return bytes;
}

/** A state of dnf 5 has a line for each package; a database of 5,000 packages has half a megabyte. */
const line = /^"([^"\\]{1,400})"\s*=\s*\{\s*(\w{1,40})\s*=\s*"([^"\\]{0,200})"\s*\}$/;

/** `"bash.x86_64" = {reason="User"}` and `"bash-5.2-1.x86_64" = {from_repo="fedora"}`, below their table. */
function fromState(packages: TreeFile, nevras: TreeFile | undefined, skipped: Skipped[]): Reasons {
  const read = (file: TreeFile | undefined): ReadonlyMap<string, string> => {
    const found = new Map<string, string>();
    if (file === undefined) {
      return found;
    }
    const content = file.content();
    const path = printable(file.path);
    if (content === undefined) {
      skipped.push({ path, reason: 'is too large to read' });
    }
    const lines = Buffer.from(content ?? [])
      .toString('utf8')
      .split('\n');
    for (const [at, text] of lines.entries()) {
      const [, key, field = '', value = ''] = line.exec(text.trim()) ?? [];
      if (key !== undefined && /^(?:reason|from_repo)/.test(field)) {
        found.set(key, value);
      } else if (!/^(?:|#.*|\[\w+\]|version\s*=.*)$/.test(text.trim())) {
        skipped.push({ path, reason: `line ${at + 1} is of no known form` });
      }
    }
    return found;
  };
  const reasons = read(packages);
  const repositories = read(nevras);
  return (name, arch, evr) => {
    const word = reasons.get(`${name}.${arch}`)?.toLowerCase().replaceAll(' ', '-');
    return reasonFrom(
      word !== undefined && stateReasons.has(word) ? word : undefined,
      repositories.get(`${name}-${evr}.${arch}`) ?? repositories.get(`${name}-0:${evr}.${arch}`),
    );
  };
}

const stateReasons: ReadonlySet<string> = new Set([...Object.values(historyReasons), 'external-user']);

function reasonFrom(reason: string | undefined, repository: string | undefined): Reason {
  return compact({
    reason,
    // A repository may be named by its address, which may hold a password; an id has neither slash nor colon.
    ...(repository !== undefined && /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$/.test(repository)
      ? { repository }
      : {}),
  });
}
