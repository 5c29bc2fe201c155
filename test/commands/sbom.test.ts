import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, testHost, type } from '../support/host.ts';
import { buildImage, writeOciLayout } from '../support/image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { archive, file } from '../support/tar.ts';

const place = folder();
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry();
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

async function sbom(...args: readonly string[]) {
  const host = testHost({ cwd: place.path });
  const exit = await main(['sbom', `${registry.host}/dev:1`, '--allow-http', ...args], host);
  return { exit, out: host.out(), err: host.err() };
}

test('who makes the SBOM and who supplies the image stand in it, as they were given', async () => {
  const { exit, out } = await sbom(
    ...['--author', 'Ann <ann@example.org>', '--author', 'The build team'],
    ...['--supplier', 'Acme <https://acme.example>'],
  );
  expect(exit).toBe(0);
  expect(JSON.parse(out).metadata).toMatchObject({
    authors: [{ name: 'Ann', email: 'ann@example.org' }, { name: 'The build team' }],
    supplier: { name: 'Acme', url: ['https://acme.example'] },
    component: { supplier: { name: 'Acme' } },
  });
});

test('XML says the same, and another author is another document', async () => {
  const { exit, out } = await sbom('--format', 'cyclonedx-xml', '--author', 'Ann');
  expect(exit).toBe(0);
  expect(out).toMatch(
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<bom xmlns="http:\/\/cyclonedx.org\/schema\/bom\/1.6"/,
  );
  expect(out).toContain('<author>\n        <name>Ann</name>');
  const serial = (text: string) => /urn:uuid:[0-9a-f-]+/.exec(text)?.[0];
  expect(serial((await sbom('--format', 'cyclonedx-xml', '--author', 'Bob')).out)).not.toBe(serial(out));
});

test('support and the address for vulnerabilities stand with the image', async () => {
  const { exit, out } = await sbom('--security-contact', 'psirt@acme.example', '--support-end', '2031-12-31');
  expect(exit).toBe(0);
  const { component } = JSON.parse(out).metadata;
  expect(component.externalReferences).toContainEqual({
    type: 'security-contact',
    url: 'mailto:psirt@acme.example',
  });
  expect(component.properties).toContainEqual({ name: 'tcf:cra:support-end', value: '2031-12-31' });
});

test.for([
  ['no layers at a time', ['--jobs', '0'], 'cannot read "0" layers at a time'],
  ['half a layer at a time', ['--jobs', '1.5'], 'cannot read "1.5" layers at a time'],
  ['too many layers at a time', ['--jobs', '129'], 'cannot read "129" layers at a time'],
  ['an address that is none', ['--security-contact', 'somebody'], 'cannot report anything to "somebody"'],
  ['a day that is none', ['--support-end', '2031-02-31'], 'cannot read "2031-02-31" as a day'],
  ['a year', ['--support-end', '2031'], 'as a day'],
  ['another format', ['--format', 'spdx'], '--format does not take "spdx"'],
  ['another version', ['--spec-version', '1.5'], 'tcf does not write cyclonedx-json in version "1.5"'],
  [
    'a version of another format',
    ['--format', 'spdx-json', '--spec-version', '1.6'],
    'tcf does not write spdx-json in version "1.6"',
  ],
  [
    'a version of a format without any',
    ['--format', 'table', '--spec-version', '1'],
    'tcf does not write table in version "1"',
  ],
  ['nobody', ['--author', ' '], '--author " " has no name'],
  ['an address that is none', ['--author', 'Ann <ann>'], 'has no name'],
  ['a supplier with a mail address', ['--supplier', 'Acme <a@b.example>'], 'has no name'],
  ['a supplier without a name', ['--supplier', '<https://acme.example>'], 'has no name'],
] as const)('%s is asked wrongly, and nothing is written', async ([, args, message]) => {
  const ran = await sbom(...args);
  expect(ran).toMatchObject({ exit: 3, out: '' });
  expect(ran.err).toContain(message);
});

test('a profile that lacks something is written, says what, and ends with 1', async () => {
  const { exit, out, err } = await sbom('--profile', 'bsi', '--author', 'Ann <ann@example.org>');
  expect(exit).toBe(1);
  expect(err).toMatch(/^BSI TR-03183-2 v2\.1: \d+ fields missing$/m);
  expect(err).toMatch(/^ {2}no creator with an e-mail address or URL: image:sha256:/m);
  const document = JSON.parse(out);
  expect(document.metadata.manufacturer).toEqual({
    name: 'Ann',
    contact: [{ name: 'Ann', email: 'ann@example.org' }],
  });
  const missing = document.properties.filter(({ name }: { name: string }) => name === 'tcf:profile:missing');
  expect(document.properties).toContainEqual({ name: 'tcf:profile', value: 'BSI TR-03183-2 v2.1' });
  expect(err).toContain(`${missing.length} fields missing`);
});

test('an author may be a page on the web', async () => {
  const { out } = await sbom('--author', 'Acme <https://acme.example/sbom>');
  expect(JSON.parse(out).metadata).toMatchObject({
    manufacturer: { name: 'Acme', url: ['https://acme.example/sbom'] },
  });
});

test.for([
  ['a profile without an author', ['--profile', 'ntia'], 'wants to know who makes the SBOM'],
  [
    'BSI without an address',
    ['--profile', 'bsi', '--author', 'Ann'],
    'who makes the SBOM, with an e-mail address or URL',
  ],
  ['another profile', ['--profile', 'fsct'], '--profile does not take "fsct"'],
] as const)('%s is asked wrongly, and nothing is written', async ([, args, message]) => {
  const ran = await sbom(...args);
  expect(ran).toMatchObject({ exit: 3, out: '' });
  expect(ran.err).toContain(message);
});

test('of several images a file each is written into a folder, and one that cannot be read holds up no other', async () => {
  using place = folder();
  const layers = [archive(file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'))];
  for (const name of ['one', 'two']) {
    writeOciLayout(join(place.path, name), { image: buildImage({ layers, labels: { name } }) });
  }
  const called = await type(['sbom', 'oci:one', 'oci:none', 'oci:two', 'oci:one', '-o', 'sboms'], {
    cwd: place.path,
  });
  expect(called).toMatchObject({ exit: 2, out: '', err: expect.stringContaining('tcf: error: oci:none: ') });
  expect(readdirSync(join(place.path, 'sboms')).sort()).toEqual([
    'oci_one-2.cdx.json',
    'oci_one.cdx.json',
    'oci_two.cdx.json',
  ]);
  const alone = await type(['sbom', 'oci:two'], { cwd: place.path });
  expect(readFileSync(join(place.path, 'sboms/oci_two.cdx.json'), 'utf8')).toBe(alone.out);
  expect(await type(['sbom', 'oci:one', 'oci:two'], { cwd: place.path })).toMatchObject({
    exit: 3,
    out: '',
    err: expect.stringContaining('-o FOLDER'),
  });
});
