import { describe, expect, test } from 'vitest';
import { examineCdi } from '../../src/app/doctor/gpu.ts';
import { type CdiFile, viewCdi } from '../../src/launch/dev/cdi.ts';

/*
 * CDI specification, "Overall": folders in the order of their weight; container-device-interface, cache.go: a
 * device twice in one folder is nobody's.
 */

const gpu = (...names: readonly string[]) => names.map((name) => `nvidia.com/gpu=${name}`);
const file = (path: string, names: readonly string[], more: Partial<CdiFile> = {}): CdiFile => ({
  path,
  devices: gpu(...names),
  missing: [],
  ...more,
});

describe('what runtimes make of several files', () => {
  test.for<readonly [string, readonly CdiFile[], readonly string[], readonly string[]]>([
    ['one', [file('/etc/cdi/a.yaml', ['0', 'all'])], ['0', 'all'], []],
    [
      'two with other devices',
      [file('/etc/cdi/a.yaml', ['0']), file('/etc/cdi/b.yaml', ['1'])],
      ['0', '1'],
      [],
    ],
    [
      'one that wins',
      [file('/etc/cdi/a.yaml', ['0', '1']), file('/var/run/cdi/a.yaml', ['0'])],
      ['0', '1'],
      [],
    ],
    [
      'two in one folder',
      [file('/etc/cdi/a.yaml', ['0', '1']), file('/etc/cdi/b.yaml', ['0'])],
      ['1'],
      ['0'],
    ],
    [
      'a conflict below one that wins',
      [file('/etc/cdi/a.yaml', ['0']), file('/etc/cdi/b.yaml', ['0']), file('/var/run/cdi/a.yaml', ['0'])],
      ['0'],
      [],
    ],
    ['none', [], [], []],
  ])('%s', ([, files, devices, conflicts]) => {
    const view = viewCdi(files);
    expect(view.devices).toEqual(gpu(...devices));
    expect(view.conflicts.map(({ device }) => device)).toEqual(gpu(...conflicts));
  });
});

test.for<
  readonly [
    string,
    readonly CdiFile[],
    readonly (readonly [level: string, text: RegExp, hint: RegExp | undefined])[],
  ]
>([
  [
    'a file in order',
    [file('/etc/cdi/a.yaml', ['0'])],
    [['ok', /a\.yaml has nvidia\.com\/gpu=0$/, undefined]],
  ],
  [
    'one that is older than the driver',
    [file('/etc/cdi/a.yaml', ['0'], { missing: ['/usr/lib/libcuda.so.1', '/x'] })],
    [
      [
        'error',
        /names \/usr\/lib\/libcuda\.so\.1 and 1 more, and that is gone$/,
        /--output=\/etc\/cdi\/a\.yaml$/,
      ],
    ],
  ],
  [
    'one that is, and wins over a new one: writing the other anew would change nothing',
    [file('/etc/cdi/a.yaml', ['0']), file('/var/run/cdi/b.yaml', ['0'], { missing: ['/x'] })],
    [
      ['ok', /a\.yaml has nvidia\.com\/gpu=0, but \/var\/run\/cdi\/b\.yaml gives them/, undefined],
      [
        'error',
        /it wins over \/etc\/cdi\/a\.yaml/,
        /--output=\/var\/run\/cdi\/b\.yaml, or rm \/var\/run\/cdi\/b\.yaml/,
      ],
    ],
  ],
  [
    'one that is, and nothing comes of it',
    [file('/etc/cdi/a.yaml', ['0'], { missing: ['/x'] }), file('/var/run/cdi/b.yaml', ['0'])],
    [
      ['note', /\/var\/run\/cdi\/b\.yaml wins over it/, /^rm \/etc\/cdi\/a\.yaml$/],
      ['ok', /b\.yaml has/, undefined],
    ],
  ],
  [
    'two that name one device',
    [file('/etc/cdi/a.yaml', ['0']), file('/etc/cdi/b.yaml', ['0', '1'])],
    [
      ['ok', /a\.yaml has/, undefined],
      ['ok', /b\.yaml has/, undefined],
      ['error', /a\.yaml and \/etc\/cdi\/b\.yaml both name nvidia\.com\/gpu=0/, /^rm \/etc\/cdi\/b\.yaml$/],
    ],
  ],
  [
    'one that cannot be read',
    [file('/etc/cdi/a.yaml', [], { problem: 'line 3' })],
    [['error', /cannot be read: line 3/, /--output=\/etc\/cdi\/a\.yaml/]],
  ],
])('doctor: %s', ([, files, expected]) => {
  const found = examineCdi(files);
  expect(found.map(({ level }) => level)).toEqual(expected.map(([level]) => level));
  for (const [index, [, text, hint]] of expected.entries()) {
    expect(found[index]?.message).toMatch(text);
    if (hint === undefined) {
      expect(found[index]?.hint).toBeUndefined();
    } else {
      expect(found[index]?.hint).toMatch(hint);
    }
  }
});
