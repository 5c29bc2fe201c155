import { describe, expect, test } from 'vitest';
import { parseRunArguments } from '../../src/launch/arguments.ts';

const own = { policy: true, 'dry-run': false };
const parse = (line: string) => parseRunArguments(line.split(' '), own);

test.for([
  ['an image alone', 'app', [], 'app', []],
  ['a command with flags of its own', 'app ls -l --policy x', [], 'app', ['ls', '-l', '--policy', 'x']],
  ['short switches in one word', '-it --rm app sh', ['-it', '--rm'], 'app', ['sh']],
  ['a short flag whose value is the next word', '-v a:b -e NAME app', ['-v', 'a:b', '-e', 'NAME'], 'app', []],
  ['a short flag that carries its value', '-va:b -itv c:d app', ['-va:b', '-itv', 'c:d'], 'app', []],
  ['a long flag whose value is the next word', '--name triton app', ['--name', 'triton'], 'app', []],
  ['a long flag with "="', '--device=nvidia.com/gpu=all app', ['--device=nvidia.com/gpu=all'], 'app', []],
  ['a switch with "="', '--rm=true app', ['--rm=true'], 'app', []],
  ['"--" before the image', '--rm -- app -x', ['--rm'], 'app', ['-x']],
  [
    'the triton-dev-containers launcher',
    '--userns=keep-id --security-opt label=disable -e USERNAME=me app',
    ['--userns=keep-id', '--security-opt', 'label=disable', '-e', 'USERNAME=me'],
    'app',
    [],
  ],
] as const)('finds the image behind %s', ([, line, flags, image, command]) => {
  expect(parse(line)).toMatchObject({ engineFlags: flags, image, command });
});

test("takes tcf's own flags out of the line", () => {
  expect(parse('--rm --policy p.yaml --dry-run app').own).toEqual({
    policy: ['p.yaml'],
    'dry-run': ['true'],
  });
  expect(parse('--policy=p.yaml app').engineFlags).toEqual([]);
});

describe('refuses', () => {
  test.for([
    ['no image', '--rm', /needs an image/],
    [
      'a flag it does not know, which could swallow the image',
      '--sneaky good evil',
      /does not know the flag "--sneaky"/,
    ],
    ['a short flag it does not know', '-x app', /does not know the flag "-x"/],
    ['a root file system in place of an image', '--rootfs /tmp/evil', /does not take --rootfs/],
    ['pulling again', '--pull=always app', /does not take --pull/],
    ['pulling again, in two words', '--pull always app', /does not take --pull/],
    ['an image as a volume', '--mount type=image,src=evil,dst=/x app', /does not take --mount type=image/],
    [
      'an image as a volume, inline',
      '--mount=dst=/x,TYPE=image,src=evil app',
      /does not take --mount type=image/,
    ],
    [
      'an image as a volume, in CSV quotes',
      '--mount "type=image",src=evil,dst=/x app',
      /does not take --mount type=image/,
    ],
    ['another architecture behind the back of the check', '--arch arm64 app', /does not take --arch/],
    ['a flag without its value', '--name', /--name needs a value/],
    ['a value for a switch of ours', '--dry-run=false app', /--dry-run takes no value/],
    ['a name from the prototype', '--constructor app', /does not know the flag/],
  ] as const)('%s', ([, line, message]) => {
    expect(() => parse(line)).toThrow(message);
  });
});
