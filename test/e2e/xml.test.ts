import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { schemaOf } from '../support/bom.ts';
import { run, scratch, tcf } from './support.ts';

/* The XML form by the official schemas: of the BOM with everything in it, and of the real image. */

const root = join(import.meta.dirname, '../..');
const people = ['--author', 'Ann <ann@example.org>', '--supplier', 'Acme <https://acme.example>'];
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
  const written = await tcf([
    ...['sbom', image, '--profile', 'bsi', '--base', `${image}-base`],
    ...people,
    ...shape,
  ]);
  expect(written.code, written.stderr).toBe(0);
  expect(written.stderr).toMatch(/^\d+ came with the base, \d+ were added$/m);
  const real = await validate(specVersion, file);
  expect(real.code, real.stderr).toBe(0);
});

test.for([
  ['ntia', 'NTIA 2021 minimum elements: complete, 3 fields stated as unknown'],
  ['cisa', 'CISA 2026 minimum elements: complete, 5 fields stated as unknown'],
  ['bsi', 'BSI TR-03183-2 v2.1: complete'],
] as const)(
  'the profile %s is complete on the real image, and valid in both versions',
  async ([profile, told]) => {
    for (const specVersion of ['1.6', '1.7'] as const) {
      const image = `containers-storage:${inject('image')}`;
      const written = await tcf([
        ...['sbom', image, '--profile', profile, '--spec-version', specVersion],
        ...people,
      ]);
      expect(written.code, written.stderr).toBe(0);
      expect(written.stderr).toContain(`${told}\n`);
      const document: unknown = JSON.parse(written.stdout);
      expect(schemaOf(specVersion)(document)).toEqual([]);
      // What Triton ships of AMD and NVIDIA has no version in its bytes; its files were written when pip
      // installed the wheel.
      const version = /"name": "rocm-device-libs-ockl",\s+"version": "([^"]*)"/.exec(written.stdout)?.[1];
      expect(version).toMatch(profile === 'bsi' ? /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ : /^unknown$/);
    }
  },
);

test('the schema notices what is wrong, so that its silence says something', async () => {
  const file = join(folder.path, 'wrong.xml');
  writeFileSync(
    file,
    '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.7" version="1"><extra/></bom>',
  );
  expect((await validate('1.7', file)).code).not.toBe(0);
});
