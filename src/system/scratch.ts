import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilFinished } from './unfinished.ts';

/** A folder of our own for the time of `use`, gone afterwards whatever happens. */
export async function withScratchFolder<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'tcf-'));
  using _ = untilFinished(path);
  try {
    return await use(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
