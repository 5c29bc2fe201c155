import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CycloneDxOptions, toCycloneDx } from '../../src/bom/cyclonedx.ts';
import { formatCycloneDxXml } from '../../src/bom/cyclonedx-xml.ts';
import { bomOf, catalog, deb, richBom } from '../support/bom.ts';

/*
 * The official schemas hold the same documents in test/e2e/xml.test.ts; here is what the writer itself
 * promises.
 */

const versions = ['1.6', '1.7'] as const;
const options: CycloneDxOptions = {
  specVersion: '1.7',
  toolVersion: '0.1.0',
  timestamp: '2026-11-20T10:00:00Z',
};
const rich = (specVersion: (typeof versions)[number]): string =>
  formatCycloneDxXml(toCycloneDx(richBom(), { ...options, specVersion }), specVersion);

test.for(versions)('a BOM with everything in it, in %s', (specVersion) => {
  const golden = new URL(`../../fixtures/bom/rich-${specVersion}.cdx.xml`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(golden, rich(specVersion));
  }
  expect(rich(specVersion)).toBe(readFileSync(golden, 'utf8'));
});

/** Every tag that is opened is closed, in its order; what stands between them has no bare markup. */
function problemsOf(xml: string): readonly string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const [declaration = '', ...rest] = xml.split(/(?<=\?>)/);
  if (!declaration.startsWith('<?xml version="1.0"')) {
    problems.push('no declaration');
  }
  for (const [, close, name = '', attributes = '', self, text] of rest
    .join('')
    .matchAll(/<(\/?)([A-Za-z][\w-]*)((?: [A-Za-z][\w-]*="[^"<]*")*)(\/?)>|([^<]+)/g)) {
    if (text !== undefined || attributes !== '') {
      const content = (text ?? '') + attributes;
      if (/&(?!(?:amp|lt|gt|quot|#9|#10);)/.test(content)) {
        problems.push(`a bare ampersand: ${content}`);
      }
      if (/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/.test(content)) {
        problems.push('a character XML cannot hold');
      }
      if (text !== undefined) {
        continue;
      }
    }
    if (close === '/') {
      if (open.pop() !== name) {
        problems.push(`</${name}> closes nothing`);
      }
    } else if (self !== '/') {
      open.push(name);
    }
  }
  return [...problems, ...open.map((name) => `<${name}> stays open`)];
}

test('what strangers wrote is text, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (name, value) => {
      const component = deb('a', { name, description: value, cpe: value, properties: [{ name, value }] });
      const bom = bomOf({ dpkg: catalog({ components: [component] }) });
      expect(problemsOf(formatCycloneDxXml(toCycloneDx(bom, options), '1.7'))).toEqual([]);
    }),
  );
});

test('markup in a name is not markup', () => {
  const bom = bomOf({ dpkg: catalog({ components: [deb('a', { name: '</name><script a="b">&' })] }) });
  expect(formatCycloneDxXml(toCycloneDx(bom, options), '1.7')).toContain(
    '<name>&lt;/name&gt;&lt;script a=&quot;b&quot;&gt;&amp;</name>',
  );
});

test('every text of the JSON form is in the XML form', () => {
  const document = toCycloneDx(richBom(), options);
  const xml = rich('1.7');
  const texts: string[] = [];
  JSON.stringify(document, (key, value) => {
    if (typeof value === 'string' && !['$schema', 'bomFormat', 'specVersion'].includes(key)) {
      texts.push(value);
    }
    return value;
  });
  expect(texts.length).toBeGreaterThan(100);
  const shown = (text: string) =>
    [
      ['&', '&amp;'],
      ['<', '&lt;'],
      ['>', '&gt;'],
      ['"', '&quot;'],
      ['\t', '&#9;'],
      ['\n', '&#10;'],
    ].reduce((all, [from = '', to = '']) => all.replaceAll(from, to), text);
  expect(texts.filter((text) => !xml.includes(shown(text)))).toEqual([]);
});

test('a member without a place in the XML form is an error, not a loss', () => {
  const document = { ...toCycloneDx(richBom(), options), extra: 1 };
  expect(() => formatCycloneDxXml(document, '1.7')).toThrow('the XML form of bom has no place for extra');
});
