import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { byCodeUnit } from '../../src/base/text.ts';
import type { Component } from '../../src/bom/model.ts';
import type { Catalog } from '../../src/catalogers/contract.ts';
import { catalogers } from '../../src/catalogers/index.ts';
import { treeFromFolder } from '../support/tree.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/catalogers');
const cases = readdirSync(fixtures).flatMap((name) =>
  readdirSync(join(fixtures, name)).map((folder) => [`${name}/${folder}`, name] as const),
);

test.for(cases)('%s', ([folder, name]) => {
  const cataloger = catalogers.find((candidate) => candidate.name === name);
  if (cataloger === undefined) {
    throw new Error(`no cataloger of src/catalogers/index.ts has the name ${name}`);
  }
  const found = goldenOf(cataloger.catalog(treeFromFolder(join(fixtures, folder, 'rootfs'), cataloger)));
  const golden = join(fixtures, folder, 'components.json');
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(golden, `${JSON.stringify(found, null, 2)}\n`);
  }
  expect(found).toEqual(JSON.parse(readFileSync(golden, 'utf8')));
});

/** What a reader wants to see change: evidence is cut to the places, and everything is in order. */
function goldenOf(catalog: Catalog): object {
  const { components, dependencies, leftOut = [], skipped, unknownDependencies = [] } = catalog;
  const told = (list: Catalog['skipped']) =>
    list.map(({ path, reason }) => `${path}: ${reason}`).sort(byCodeUnit);
  return JSON.parse(
    JSON.stringify({
      components: [...components].sort((a, b) => byCodeUnit(a.bomRef, b.bomRef)).map(briefly),
      dependencies: Object.fromEntries(
        [...dependencies]
          .sort((a, b) => byCodeUnit(a.ref, b.ref))
          .map(({ ref, dependsOn }) => [ref, [...dependsOn].sort(byCodeUnit)]),
      ),
      unknownDependencies: [...unknownDependencies].sort(byCodeUnit),
      skipped: told(skipped),
      ...(leftOut.length === 0 ? {} : { leftOut: told(leftOut) }),
    }),
  );
}

function briefly({ evidence, components, ...component }: Component): object {
  return {
    ...component,
    locations: (evidence?.occurrences ?? []).map(({ location }) => location),
    ...(components === undefined ? {} : { components: components.map(briefly) }),
  };
}
