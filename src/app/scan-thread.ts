import { parentPort } from 'node:worker_threads';
import { catalogers } from '../catalogers/index.ts';
import { serveScans } from '../image/scan-thread.ts';

/** What a thread runs that reads layers (src/app/scan.ts starts it). */
if (parentPort !== null) {
  serveScans(parentPort, catalogers);
}
