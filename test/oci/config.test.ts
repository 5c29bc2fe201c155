import { expect, test } from 'vitest';
import { parseImageConfig } from '../../src/oci/config.ts';

const parse = (text: string) => parseImageConfig(Buffer.from(text), 'the configuration');
const whole = (config: string) =>
  `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]},"config":${config}}`;

test.for([
  ['a label of 200 KiB', `{"Labels":{"notes":"${'x'.repeat(200_000)}"}}`, { notes: 'x'.repeat(200_000) }],
  ['half a surrogate pair, as Go reads it', String.raw`{"Labels":{"a":"x\ud800y"}}`, { a: 'x\ufffdy' }],
  ['half a pair in the name of a label', String.raw`{"Labels":{"\udc00":"y"}}`, { '\ufffd': 'y' }],
  ['a whole pair', String.raw`{"Labels":{"a":"\ud83d\ude00"}}`, { a: '😀' }],
  ['no labels', '{"Labels":null}', {}],
] as const)('a configuration with %s is read', ([, config, labels]) => {
  expect(parse(whole(config)).labels).toEqual(labels);
});

test('a variable of 200 KiB is read', () => {
  expect(parse(whole(`{"Env":["A=${'x'.repeat(200_000)}"]}`)).env[0]).toHaveLength(200_002);
});

test.for([
  ['a label that is not a text', '{"Labels":{"a":1}}', 'the configuration.config.Labels.a is not a string'],
  ['a label twice', '{"Labels":{"a":"1","a":"2"}}', 'stands twice'],
  ['two labels that Go reads as one', String.raw`{"Labels":{"\ud800":"1","\udc00":"2"}}`, 'stands twice'],
] as const)('a configuration with %s is refused', ([, config, message]) => {
  expect(() => parse(whole(config))).toThrow(message);
});
