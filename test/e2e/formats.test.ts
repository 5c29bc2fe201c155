import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { must, run, scratch, tcf } from './support.ts';

/* The other formats, judged by programs of others. */

const here = scratch();
const tools = '/var/tmp/tcf-interop/spdx-tools';

beforeAll(async () => {
  if (!existsSync(join(tools, 'bin/pyspdxtools'))) {
    await must('python3', ['-m', 'venv', tools]);
    await must(join(tools, 'bin/pip'), ['install', '--quiet', 'spdx-tools==0.8.5']);
  }
}, 600_000);
afterAll(() => here[Symbol.dispose]());

/** What the validator of SPDX prints; nothing where the document is valid. */
async function validate(file: string): Promise<string> {
  const { stderr, stdout } = await run(join(tools, 'bin/pyspdxtools'), ['--infile', file]);
  return `${stdout}${stderr}`.trim();
}

test.for(['-base', '-venv'])('SPDX of the image%s is valid by the tools of SPDX', async (suffix) => {
  const file = join(here.path, `image${suffix}.spdx.json`);
  const ran = await tcf([
    'sbom',
    `containers-storage:${inject('image')}${suffix}`,
    '--format',
    'spdx-json',
    '-o',
    file,
  ]);
  expect(ran.code, ran.stderr).toBe(0);
  expect(await validate(file)).toBe('');
  await must('sed', [
    '-i',
    's/"SPDX-2.3"/"SPDX-7.3"/; s/"filesAnalyzed": false/"filesAnalyzed": true/',
    file,
  ]);
  expect(await validate(file)).not.toBe('');
});
