import { formatBytes } from '../base/size.ts';
import { plural, printable } from '../base/text.ts';

/** How far the reading of an image is. */
export interface ScanState {
  readonly layers: number;
  readonly ended: number;
  /** Bytes as they are stored. */
  readonly read: number;
  /** Bytes of all layers as they are stored; absent where a store does not say. */
  readonly total?: number;
  /** Milliseconds since the first layer was begun. */
  readonly elapsed: number;
}

/** Columns of the bar. */
const barWidth = 20;
/** Before this a rate says nothing. */
const ratedFrom = 1000;

/**
 * `reading layer 3 of 6  ━━━━━━━━────────────  412.1 MiB of 1.2 GiB  82.4 MiB/s  10 s left`, shortened from
 * its end to what fits.
 */
export function formatScanState({ elapsed, ended, layers, read, total }: ScanState, columns: number): string {
  const isRated = elapsed >= ratedFrom && read > 0;
  const rate = (read * 1000) / elapsed;
  const isKnown = total !== undefined && total > 0 && read <= total;
  if (layers === 0) {
    return formatWaiting('opening the image', elapsed, columns);
  }
  const parts = [
    ended === layers
      ? `read ${plural(layers, 'layer')}, putting the list together`
      : `reading layer ${ended + 1} of ${layers}`,
    ...(isKnown && ended < layers ? [bar(read / total)] : []),
    ...(ended === layers || read === 0
      ? []
      : [isKnown ? `${formatBytes(read)} of ${formatBytes(total)}` : formatBytes(read)]),
    ...(isRated && ended < layers ? [`${formatBytes(Math.round(rate))}/s`] : []),
    ...(isRated && isKnown && ended < layers ? [`${timeLeft((total - read) / rate)} left`] : []),
  ];
  return shorten(parts, columns);
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * barWidth);
  return '━'.repeat(filled) + '─'.repeat(barWidth - filled);
}

/** `8 s`, `3 min`. */
function timeLeft(seconds: number): string {
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}

function shorten(parts: readonly string[], columns: number): string {
  for (let count = parts.length; count > 1; count -= 1) {
    const text = parts.slice(0, count).join('  ');
    if (text.length <= columns) {
      return text;
    }
  }
  return (parts[0] ?? '').slice(0, Math.max(0, columns));
}

/** Blobs on their way. */
export interface TransferState {
  /** How many were begun. */
  readonly blobs: number;
  /** Bytes of them that have passed. */
  readonly passed: number;
  /** Bytes that they have. */
  readonly total: number;
  /** Milliseconds since the first was begun. */
  readonly elapsed: number;
}

/** `moving 3 blobs  ━━━━━━━━────────────  412.1 MiB of 1.2 GiB  82.4 MiB/s  10 s left`, shortened as above. */
export function formatTransfer({ blobs, elapsed, passed, total }: TransferState, columns: number): string {
  const rate = (passed * 1000) / Math.max(1, elapsed);
  const isRated = elapsed >= ratedFrom && passed > 0;
  return shorten(
    [
      `moving ${plural(blobs, 'blob')}`,
      ...(total > 0 ? [bar(passed / total)] : []),
      `${formatBytes(passed)} of ${formatBytes(total)}`,
      ...(isRated ? [`${formatBytes(Math.round(rate))}/s`] : []),
      ...(isRated && passed < total ? [`${timeLeft((total - passed) / rate)} left`] : []),
    ],
    columns,
  );
}

/** `waiting for the log rekor.example.org  4 s`. */
export function formatWaiting(what: string, elapsed: number, columns: number): string {
  const seconds = Math.floor(elapsed / 1000);
  return shorten([printable(what, 200), ...(seconds > 0 ? [`${seconds} s`] : [])], columns);
}
