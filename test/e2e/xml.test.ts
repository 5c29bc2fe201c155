import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { run, scratch, tcf } from './support.ts';

/* The XML form by the official schemas: of the BOM with everything in it, and of the real image. */

const root = join(import.meta.dirname, '../..');
const folder = scratch();
afterAll(() => folder[Symbol.dispose]());

const validate = (specVersion: string, file: string) => {
  const schema = join(
    root,
    `node_modules/@cyclonedx/cyclonedx-library/res/schema/bom-${specVersion}.SNAPSHOT.xsd`,
  );
  return run('xmllint', ['--noout', '--nonet', '--huge', '--schema', schema, file]);
};

test.for(['1.6', '1.7'])('the XML of %s is valid', async (specVersion) => {
  const rich = await validate(specVersion, join(root, `fixtures/bom/rich-${specVersion}.cdx.xml`));
  expect(rich.code, rich.stderr).toBe(0);
  const file = join(folder.path, `${specVersion}.xml`);
  const image = `containers-storage:${inject('image')}`;
  const written = await tcf([
    'sbom',
    image,
    '--format',
    'cyclonedx-xml',
    '--spec-version',
    specVersion,
    '-o',
    file,
  ]);
  expect(written.code, written.stderr).toBe(0);
  const real = await validate(specVersion, file);
  expect(real.code, real.stderr).toBe(0);
});

test.for(['1.6', '1.7'])('the XML of %s with the fields of BSI is valid', async (specVersion) => {
  const file = join(folder.path, `${specVersion}-bsi.xml`);
  const image = `containers-storage:${inject('image')}`;
  const shape = ['--format', 'cyclonedx-xml', '--spec-version', specVersion, '-o', file];
  const who = ['--author', 'Ann <ann@example.org>', '--base', `${image}-base`];
  const written = await tcf(['sbom', image, '--profile', 'bsi', ...who, ...shape]);
  // Parts of the wheel have no version of their own, and nobody invents one.
  expect(written.code, written.stderr).toBe(1);
  expect(written.stderr).toContain('  no version: pkg:generic/amd/rocm-device-libs-ockl#');
  expect(written.stderr).toMatch(/^\d+ came with the base, \d+ were added$/m);
  const real = await validate(specVersion, file);
  expect(real.code, real.stderr).toBe(0);
});

test('the schema notices what is wrong, so that its silence says something', async () => {
  const file = join(folder.path, 'wrong.xml');
  writeFileSync(
    file,
    '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.7" version="1"><extra/></bom>',
  );
  expect((await validate('1.7', file)).code).not.toBe(0);
});
