import { printable } from '../base/text.ts';

/** One input of an image, as a table shows it. */
export interface LockRow {
  /** Name of the image whose lock pins it. */
  readonly image: string;
  readonly kind: string;
  readonly name: string;
  readonly version: string;
  /** What the archive has today; absent: the same, or nobody asked. */
  readonly newer?: string;
  /** Identifiers of published weaknesses of this version. */
  readonly unsafe?: readonly string[];
  readonly for?: string;
}

/** One input that another lock has otherwise. */
export interface LockDifference {
  readonly kind: string;
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
  readonly isRebuilt: boolean;
}

/** Columns that are as wide as their longest cell; what nobody asked for has no column. */
export function formatLockTable(rows: readonly LockRow[]): string {
  const columns: readonly (readonly [string, (row: LockRow) => string])[] = [
    ['IMAGE', ({ image }) => image],
    ['KIND', ({ kind }) => kind],
    ['NAME', ({ name }) => name],
    ['PINNED', ({ kind, version }) => (kind === 'llvm' ? version.slice(0, 12) : version)],
    ['NEWER', ({ newer = '' }) => newer],
    ['UNSAFE', ({ unsafe = [] }) => unsafeCell(unsafe)],
    ['FOR', (row) => row.for ?? ''],
  ];
  const shown = columns.filter(([title, cell]) => title === 'KIND' || rows.some((row) => cell(row) !== ''));
  const table = [
    shown.map(([title]) => title),
    ...rows.map((row) => shown.map(([, cell]) => printable(cell(row), 200))),
  ];
  const widths = shown.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table
    .map(
      (cells) =>
        `${cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Three of them; the rest is counted, and `--json` has them all. */
function unsafeCell(ids: readonly string[]): string {
  const more = ids.length > 3 ? [`${ids.length - 3} more`] : [];
  return [...ids.slice(0, 3), ...more].join(', ');
}

/** `~ wheel triton 3.6.0 -> 3.9.0`, one line for each input that moves. */
export function formatLockDifferences(changes: readonly LockDifference[]): string {
  return changes
    .map(({ after, before, isRebuilt, kind, name }) => {
      const sign = signOf(before, after);
      const versions = isRebuilt
        ? `${before}, other bytes under the same version`
        : [before, after].filter((version) => version !== undefined).join(' -> ');
      return `${sign} ${kind} ${printable(name, 200)} ${printable(versions, 300)}\n`;
    })
    .join('');
}

function signOf(before: string | undefined, after: string | undefined): string {
  if (before === undefined) {
    return '+';
  }
  return after === undefined ? '-' : '~';
}
