import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { inOrder, select, toRows, usersOf } from '../../src/report/page/browser/data.ts';
import { layOut, toGroups } from '../../src/report/page/browser/map.ts';
import { squarify } from '../../src/report/page/browser/treemap.ts';
import { escapeHtml, html } from '../../src/report/page/html.ts';
import { packData, packPage } from '../../src/report/page/pack.ts';
import { toPage } from '../../src/report/page/page.ts';
import { pageScript } from '../../src/report/page/script.ts';
import { pageStyle } from '../../src/report/page/style.ts';
import { buildPageScript, pageScriptFile } from '../../toolchain/page.ts';
import { documentOf, hostilePage, hostileTexts, manyComponents, pageFacts } from '../support/page-facts.ts';

const many = pageFacts(documentOf(manyComponents(10_000)));
const packed = packPage(many.contents, many.layers);
const rows = toRows(packed);

test('the script that the page carries is made of src/report/page/browser as it is now', async () => {
  expect(readFileSync(pageScriptFile, 'utf8')).toBe(await buildPageScript());
});

test('neither script nor sheet ends its own element', () => {
  expect(pageScript).not.toMatch(/<\/script|<!--/i);
  expect(pageStyle).not.toMatch(/<\//);
});

test('the page lets nothing run but its own script, and fetches nothing', () => {
  const page = toPage(pageFacts(documentOf([])));
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
  const digest = (text: string) => `&#39;sha256-${createHash('sha256').update(text).digest('base64')}&#39;`;
  expect(policy).toContain(
    `default-src &#39;none&#39;; script-src ${digest(pageScript)}; style-src ${digest(pageStyle)}`,
  );
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).not.toMatch(/\s(?:src|srcset|action|style|on\w+)=/i);
  expect(page.match(/\shref="(?!#)[^"]*"/g)).toEqual([' href="data:,"']);
});

test('A-122: whatever a stranger wrote is text of the page, and no markup', () => {
  const page = toPage(hostilePage());
  const ours = page.replace(pageScript, '').replace(pageStyle, '');
  for (const text of hostileTexts.filter((one) => /[<>"]/.test(one))) {
    expect(ours).not.toContain(text);
  }
  expect(ours).not.toMatch(/<img|<svg onload|onerror="|onfocus='/);
  expect(ours).not.toMatch(/[\u0000\u001b\u202e\u2028]/);
});

test.for([
  ['a component', 0],
  ['a thousand', 1000],
  ['ten thousand', 10_000],
] as const)('%s: at most 250 KB and 120 B for each', ([, count]) => {
  const page = toPage(pageFacts(documentOf(manyComponents(count))));
  expect(Buffer.byteLength(page)).toBeLessThan(250_000 + 120 * count);
});

test('lists that a hostile SBOM makes long do not make the page long', () => {
  const properties = Array.from({ length: 100_000 }, (_, at) => ({
    name: 'tcf:skipped',
    value: `${at} ${'x'.repeat(900)}`,
  }));
  expect(Buffer.byteLength(toPage(pageFacts(documentOf([], { properties }))))).toBeLessThan(250_000);
});

test('the data are what the page was made of', () => {
  const data = JSON.parse(inflateRawSync(Buffer.from(packData(packed), 'base64')).toString());
  expect(data).toEqual(packed);
  expect(rows).toHaveLength(10_000);
});

const query = {
  words: '',
  kind: -1,
  layer: -1,
  license: -1,
  origin: 0,
  by: 'name',
  isDescending: false,
} as const;

test('words have to stand somewhere in a row, each of them', () => {
  const [some] = rows;
  const words = `${some?.name.toUpperCase()}   pkg:deb`;
  expect(select(rows, { ...query, words }).map(({ name }) => name)).toContain(some?.name);
  expect(select(rows, { ...query, words: `${words} nowhere` })).toEqual([]);
  expect(select(rows, query)).toHaveLength(10_000);
});

test('a filter takes what has the value, and "not known" what has none', () => {
  const layered = select(rows, { ...query, layer: 3 });
  expect(new Set(layered.map(({ layer }) => layer))).toEqual(new Set([3]));
  expect(layered).toHaveLength(2000);
  expect(select(rows, { ...query, layer: -2 })).toEqual([]);
});

test('an order and its reverse', () => {
  const sizes = (isDescending: boolean) =>
    inOrder(rows, { by: 'size', isDescending }).map(({ size }) => size);
  expect(sizes(false)).toEqual(rows.map(({ size }) => size).toSorted((a, b) => a - b));
  expect(sizes(true)).toEqual(sizes(false).toReversed());
});

test('who needs what, turned around, has as many edges', () => {
  const edges = rows.reduce((sum, { needs = [] }) => sum + needs.length, 0);
  expect([...usersOf(rows).values()].reduce((sum, users) => sum + users.length, 0)).toBe(edges);
});

test('rectangles have the area of their weight, and lie inside without overlap', () => {
  const items = [60, 40, 20, 10, 5, 4, 3, 2, 1].map((weight) => ({ weight }));
  const box = { x: 10, y: 20, width: 300, height: 200 };
  const placed = squarify(items, box);
  const total = items.reduce((sum, { weight }) => sum + weight, 0);
  for (const [{ weight }, { height, width, x, y }] of placed) {
    expect(width * height).toBeCloseTo((weight / total) * box.width * box.height, 3);
    expect(x).toBeGreaterThanOrEqual(box.x - 1e-6);
    expect(y).toBeGreaterThanOrEqual(box.y - 1e-6);
    expect(x + width).toBeLessThanOrEqual(box.x + box.width + 1e-6);
    expect(y + height).toBeLessThanOrEqual(box.y + box.height + 1e-6);
  }
  expect(placed).toHaveLength(items.length);
  expect(squarify([], box)).toEqual([]);
  expect(squarify(items, { ...box, width: 0 })).toEqual([]);
});

test.for(['kind', 'layer'] as const)('the map by %s weighs as much as everything together', (order) => {
  const groups = toGroups(packed, rows, order);
  const weight = groups.reduce((sum, group) => sum + group.weight, 0);
  const components = rows.reduce((sum, { size }) => sum + size, 0);
  const layers = packed.layers.reduce((sum, [, , bytes]) => sum + bytes, 0);
  expect(weight).toBe(order === 'kind' ? components : Math.max(components, layers));
  expect(layOut(groups, { x: 0, y: 0, width: 800, height: 400 })).toHaveLength(groups.length);
});

test('without sizes every component counts the same', () => {
  const facts = pageFacts(documentOf(manyComponents(100).map(({ properties: _, ...rest }) => rest)));
  const page = packPage(facts.contents, facts.layers);
  expect(toGroups(page, toRows(page), 'kind').reduce((sum, { weight }) => sum + weight, 0)).toBe(100);
});

test('a template escapes texts and keeps its own markup', () => {
  expect(
    html`<b title="${'"<&>\''}">${['<i>'].map((text) => html`<u>${text}</u>`)}${undefined}</b>`.text,
  ).toBe('<b title="&quot;&lt;&amp;&gt;&#39;"><u>&lt;i&gt;</u></b>');
  expect(escapeHtml('a&amp;')).toBe('a&amp;amp;');
});
