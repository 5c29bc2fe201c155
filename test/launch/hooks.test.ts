import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { containerdVerifier, parseVerifierArguments } from '../../src/launch/containerd-hook.ts';
import { ociHookFile, parseContainerState, parseRootPath } from '../../src/launch/oci-hook.ts';
import { shellWord } from '../../src/launch/shell.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const id = 'b'.repeat(64);
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

test('a hook for podman and CRI-O asks about every container, before its first process, through a shell that is always there', () => {
  const hook = JSON.parse(
    ociHookFile({ program: ['/n', '/t'], flags: ['--policy', '/p'], env: { HOME: '/h' } }),
  );
  expect(hook).toEqual({
    version: '1.0.0',
    hook: {
      path: '/bin/sh',
      args: ['sh', '-c', 'exec "$0" "$@"', '/n', '/t', 'hook', 'enter', 'podman', '--policy', '/p'],
      env: ['HOME=/h'],
      timeout: 120,
    },
    when: { always: true },
    stages: ['createRuntime'],
  });
});

test('a program that is gone is a denial, not a hook that is skipped', () => {
  const { hook } = JSON.parse(ociHookFile({ program: ['/gone/node', '/gone/tcf.js'], flags: [], env: {} }));
  const [, ...args] = hook.args;
  expect(() => execFileSync(hook.path, args, { stdio: 'ignore' })).toThrow(/status|failed/i);
});

test('reads the state and the root of a container, and no annotation (A-117)', () => {
  expect(
    parseContainerState(bytes({ id, bundle: '/b', annotations: { 'io.tcf.verified': 'true' } })),
  ).toEqual({
    kind: 'container',
    id,
    bundle: '/b',
  });
  const build = { id: 'buildah-buildah1331144193', bundle: '/b' };
  expect(parseContainerState(bytes(build))).toEqual({ kind: 'build', ...build });
  expect(parseRootPath(bytes({ root: { path: '/r' } }), '/b')).toBe('/r');
  expect(parseRootPath(bytes({ root: { path: 'rootfs' } }), '/b')).toBe('/b/rootfs');
});

test.for<readonly [string, unknown]>([
  ['nothing', ''],
  ['no id', { bundle: '/b' }],
  ['an id that is a path', { id: '../x', bundle: '/b' }],
  ['a short id', { id: 'bbb', bundle: '/b' }],
  ['a bundle that is not an absolute path', { id, bundle: 'b' }],
  ['the id twice', `{"id":"${id}","id":"${id}","bundle":"/b"}`],
])('a state with %s is refused', ([, state]) => {
  expect(() => parseContainerState(bytes(state))).toThrow();
});

test('a verifier for containerd is a script that passes on what containerd says', () => {
  const script = containerdVerifier({
    program: ['/bin/echo', "it's"],
    flags: ['--policy', '/p q'],
    env: { HOME: '/h $(x)' },
  });
  const out = execFileSync('/bin/sh', ['-c', script, 'sh', '-name', 'a b', '-digest', 'c'], {
    encoding: 'utf8',
  });
  expect(out).toBe("it's hook enter containerd --policy /p q -- -name a b -digest c\n");
});

test('reads what containerd says', () => {
  const args = [
    '-name',
    'quay.io/x:1',
    '-digest',
    digest,
    '-stdin-media-type',
    'application/vnd.oci.descriptor.v1+json',
  ];
  expect(parseVerifierArguments(args)).toEqual({ registry: 'quay.io', repository: 'x', tag: '1', digest });
  expect(parseVerifierArguments(args.map((word) => word.replace(/^-/, '--')))).toMatchObject({ digest });
});

test.for<readonly [string, readonly string[]]>([
  ['no digest', ['-name', 'quay.io/x:1']],
  ['no name', ['-digest', digest]],
  ['a digest that is none', ['-name', 'quay.io/x:1', '-digest', 'sha256:abc']],
  ['a name that is none', ['-name', 'QUAY', '-digest', digest]],
  ['a name twice', ['-name', 'quay.io/x:1', '-name', 'quay.io/y:1', '-digest', digest]],
  ['a flag without a value', ['-name', 'quay.io/x:1', '-digest']],
  ['a value without a flag', ['quay.io/x:1', '-name', '-digest', digest]],
])('arguments with %s are refused', ([, args]) => {
  expect(() => parseVerifierArguments(args)).toThrow();
});

test.for(['plain', '', "a'b", 'a b', '$(x)', '`x`', 'a\nb', '*', '~', '\\', '"'])(
  'the word %j reaches a program as it is',
  (word) => {
    expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  },
);
