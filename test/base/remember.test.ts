import { expect, test } from 'vitest';
import { remembered } from '../../src/base/remember.ts';

test('each text is made once, also where nothing comes of it, and never too many are kept', () => {
  let made = 0;
  const half = remembered((text) => {
    made += 1;
    return text.length % 2 === 0 ? text.slice(0, text.length / 2) : undefined;
  });
  expect([half('abcd'), half('abc'), half('abcd'), half('abc')]).toEqual(['ab', undefined, 'ab', undefined]);
  expect(made).toBe(2);
  for (let at = 0; at < 5000; at += 1) {
    half(`${at}`);
  }
  expect(half('abcd')).toBe('ab');
  expect(made).toBe(5003);
});

test('a text that no version is as long as is not kept', () => {
  let made = 0;
  const length = remembered((text) => {
    made += 1;
    return text.length;
  });
  const long = '1.'.repeat(200);
  expect([length(long), length(long)]).toEqual([400, 400]);
  expect(made).toBe(2);
});
