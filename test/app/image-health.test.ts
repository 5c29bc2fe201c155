import { expect, test } from 'vitest';
import { flagsOfCheck, healthFlags } from '../../src/app/launch/image-health.ts';
import { Shape } from '../../src/base/shape.ts';
import { testHost } from '../support/host.ts';

/*
 * The health check of an image as podman run(1) is told of it. The member is Docker's
 * (moby/docker-image-spec: NONE, CMD, CMD-SHELL, nanoseconds); how podman 4.3 takes --health-cmd was seen
 * with it: an array with a keyword becomes one word.
 */

const second = 1_000_000_000;

test.for<readonly [unknown, readonly string[]]>([
  [
    {
      Test: ['CMD', '/usr/local/bin/ready'],
      Interval: 5 * second,
      Timeout: second / 2,
      StartPeriod: 30 * second,
      Retries: 3,
    },
    [
      '--health-cmd=CMD /usr/local/bin/ready',
      '--health-interval=5s',
      '--health-timeout=0.5s',
      '--health-start-period=30s',
      '--health-retries=3',
    ],
  ],
  [{ Test: ['CMD-SHELL', '[ -f /ready ]'] }, ['--health-cmd=[ -f /ready ]']],
  [{ Test: ['CMD', 'test', '-f', '/a b'] }, ['--health-cmd=["test","-f","/a b"]']],
  [{ Test: ['CMD', '/a b'] }, ["--health-cmd='/a b'"]],
  [{ Test: ['NONE'] }, []],
  [{ Test: [] }, []],
  [{ Test: null, Interval: null }, []],
  [{ Test: ['EXEC', 'x'] }, []],
])('%j is %j', ([check, flags]) => {
  expect(flagsOfCheck(new Shape(check, 'the check'))).toEqual(flags);
});

test.for(['--no-healthcheck', '--health-cmd=none', '--health-interval=9s'])(
  'where people say %s, the image says nothing',
  async (flag) => {
    // Nothing is asked either: there is no such registry.
    const host = testHost({ cwd: '/nonexistent' });
    expect(await healthFlags(host, { image: 'nowhere.invalid/x:1' }, ['--interactive', flag])).toEqual([]);
  },
);
