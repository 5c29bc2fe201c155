import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { rolldown } from 'rolldown';

/**
 * Starts threads that read layers, from the program of src/app/scan-thread.ts as one file: to strip 150
 * modules of their types for every thread takes ten times as long as to start it.
 *
 * @param folder where the file goes.
 */
export async function bundledThread(folder: string): Promise<() => Worker> {
  const file = join(folder, 'scan-thread.mjs');
  const input = join(import.meta.dirname, '../../src/app/scan-thread.ts');
  await using bundle = await rolldown({ input, platform: 'node', logLevel: 'silent' });
  await bundle.write({ file, codeSplitting: false });
  return () => new Worker(file);
}
