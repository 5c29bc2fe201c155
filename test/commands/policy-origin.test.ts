import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadPolicies } from '../../src/app/trust/policies.ts';
import { main } from '../../src/cli.ts';
import { folder, type TestHostOptions, testHost } from '../support/host.ts';

/*
 * Who speaks through a policy is where it was loaded from, and a file that looks like a policy is never
 * passed over.
 */

const text = `version: 1
signers: { one: { issuer: https://accounts.google.com, identity: ada@acme.example } }
scopes: [{ match: quay.io, require: { signed: { by: [one] } } }]
`;
let place: ReturnType<typeof folder>;
beforeEach(() => {
  place = folder();
});
afterEach(() => place[Symbol.dispose]());

function hostWith(files: readonly string[], options: Partial<TestHostOptions> = {}) {
  for (const file of files) {
    mkdirSync(dirname(join(place.path, file)), { recursive: true });
    writeFileSync(join(place.path, file), text);
  }
  mkdirSync(join(place.path, 'project/deep'), { recursive: true });
  return testHost({ cwd: place.path, ...options, env: options.env ?? {} });
}
const originsOf = async (host: ReturnType<typeof testHost>, given?: string) =>
  (await loadPolicies(host, given)).map(({ origin }) => origin);

test.for<readonly [string, readonly string[], string | undefined, readonly string[]]>([
  [
    'all four',
    ['etc/tcf/policy.yaml', 'home/.config/tcf/policy.yaml', 'given.yaml', '.tcf/policy.yaml'],
    'given.yaml',
    ['machine', 'user', 'given', 'project'],
  ],
  ['the command line alone', ['given.yaml'], 'given.yaml', ['given']],
  ['the policy of the machine, named once more', ['etc/tcf/policy.yaml'], 'MACHINE', ['machine']],
  ['the policy of the project, named', ['.tcf/policy.yaml'], 'PROJECT', ['given']],
])('each policy has its origin: %s', async ([, files, given, origins]) => {
  const host = hostWith(files);
  const named: Readonly<Record<string, string>> = {
    MACHINE: join(host.machine.config, 'policy.yaml'),
    PROJECT: join(place.path, '.tcf/policy.yaml'),
  };
  expect(await originsOf(host, named[given ?? ''] ?? given)).toEqual(origins);
});

test('a file that only calls itself that of the machine is not that of the machine', async () => {
  const host = hostWith(['policy.yaml']);
  expect(await originsOf(host, '/etc/../policy.yaml'.replace('/etc/../', `${place.path}/`))).toEqual([
    'given',
  ]);
});

test.for([
  ['.tcf/policy.yml', 'policy.yml'],
  ['.tcf/policy.json', 'policy.json'],
  ['.tcf/Policy.yaml', 'Policy.yaml'],
  ['.tcf/policies.yaml', 'policies.yaml'],
  ['.tcf/policy', 'policy'],
  ['.tcf/policy.yaml.txt', 'policy.yaml.txt'],
  ['project/.tcf/policy.yml', 'policy.yml'],
  ['home/.config/tcf/policy.yml', 'policy.yml'],
  ['etc/tcf/policy.yml', 'policy.yml'],
] as const)('a policy under another name is an error, even beside others: %s', async ([file, name]) => {
  const cwd = /^(?:etc|home)/.test(file) ? place.path : join(place.path, 'project/deep');
  for (const beside of [[], ['given.yaml', '.tcf/policy.yaml']]) {
    const host = hostWith([file, 'given.yaml', ...beside], { cwd });
    const exit = await main(['verify', 'quay.io/acme/app', '--policy', join(place.path, 'given.yaml')], host);
    expect(exit).toBe(3);
    expect(host.err()).toContain(`${name}" is not read as a policy`);
    expect(host.err()).toContain('hint: rename it to policy.yaml');
  }
});

test('other files beside a policy are let be', async () => {
  const host = hostWith([
    '.tcf/policy.yaml',
    '.tcf/policy-notes.md',
    '.tcf/team.pub',
    '.tcf/policies/x.yaml',
    'given.yaml',
  ]);
  expect(await originsOf(host, 'given.yaml')).toEqual(['given', 'project']);
});

test('a project alone is not asked', async () => {
  await expect(loadPolicies(hostWith(['.tcf/policy.yaml']), undefined)).rejects.toMatchObject({
    code: 'policy.none',
  });
  await expect(loadPolicies(hostWith([]), undefined)).rejects.toMatchObject({ code: 'policy.none' });
});
