/** One row of a package database: its number, and the header or why there is none. */
export interface Row {
  readonly where: string;
  readonly blob?: Uint8Array;
  readonly fault?: string;
}

/** The largest header seen is under 20 MiB; rpm itself ends at 256 MiB. */
export const maxHeader: number = 64 * 1024 * 1024;
/** More packages than any distribution has. */
export const maxRows = 200_000;
