import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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
  if (!existsSync(join(tools, 'lib/python3.11/site-packages/spdx_python_model'))) {
    await must(join(tools, 'bin/pip'), ['install', '--quiet', 'spdx-python-model==0.0.6']);
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

/**
 * The classes that SPDX makes of its model's SHACL shapes: types, cardinalities, patterns and vocabularies of
 * each member. Prints how many elements there are, and which are named and not there.
 */
const readBySpdx3 = `
import sys
from spdx_python_model import v3_0_1 as spdx
found = spdx.SHACLObjectSet()
with open(sys.argv[1], "rb") as file:
    spdx.JSONLDDeserializer().read(file, found)
found.link()
print(len(list(found.foreach_type(spdx.software_Package))), sorted(found.missing_ids))
`;

test('SPDX 3.0.1 is valid by the model of SPDX, and leads nowhere that is not there', async () => {
  const file = join(here.path, 'image.spdx3.json');
  const image = `containers-storage:${inject('image')}-venv`;
  const made = await tcf(['sbom', image, '--format', 'spdx-json', '--spec-version', '3.0.1', '-o', file]);
  expect(made.code, made.stderr).toBe(0);
  const read = () => run(join(tools, 'bin/python'), ['-c', readBySpdx3, file]);
  const ran = await read();
  expect(ran.code, ran.stderr).toBe(0);
  const count = Number(/^wrote (\d+) components/m.exec(made.stderr)?.[1]);
  expect(count).toBeGreaterThan(100);
  // The image is an element as well.
  expect(ran.stdout.trim()).toBe(`${count + 1} []`);
  for (const change of [
    's/"dependsOn"/"dependsUpon"/',
    's/"software_primaryPurpose": "library"/"software_primaryPurpose": 7/',
    's/"created": "\\(.*\\)Z"/"created": "\\1+01:00"/',
  ]) {
    const before = readFileSync(file, 'utf8');
    await must('sed', ['-i', change, file]);
    expect(readFileSync(file, 'utf8')).not.toBe(before);
    expect((await read()).code, change).not.toBe(0);
    writeFileSync(file, before);
  }
});
