import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { tracer } from './checks.ts';

/** What one test file entered, as a JSON file in the folder that the environment names. */
export interface Recording {
  readonly file: string;
  /** Ids of functions. */
  readonly entered: readonly string[];
}

const entered = new Set<string>();
Reflect.set(globalThis, tracer, (id: string) => entered.add(id));

afterAll(() => {
  const recording: Recording = { file: expect.getState().testPath ?? '', entered: [...entered] };
  writeFileSync(join(process.env['TCF_TRACE'] ?? '', `${randomUUID()}.json`), JSON.stringify(recording));
});
