import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { type RealRegistry, run, startDockerRegistry, tcfIn } from './support.ts';

const place = folder();
const home = join(place.path, 'home');
const tcf = tcfIn(place.path);
let registry: RealRegistry;
let digest: string;

/** The same file for podman, skopeo and tcf: each reads the one of its user in place of the system's. */
beforeAll(async () => {
  registry = await startDockerRegistry(inject('parts'), place.path);
  digest = await pushDemoImage({ host: registry.host, repository: 'mirrored/app', tag: '1' });
  mkdirSync(join(home, '.config/containers'), { recursive: true });
  writeFileSync(
    join(home, '.config/containers/registries.conf'),
    `unqualified-search-registries = ["first.example", "second.example"]
[aliases]
"shortapp" = "asked.example/team/app"
[[registry]]
prefix = "asked.example/team"
location = "nowhere.invalid/team"
[[registry.mirror]]
location = "${registry.host}/mirrored"
insecure = true
[[registry]]
location = "blocked.example"
blocked = true
`,
  );
  writeFileSync(
    join(place.path, 'policy.yaml'),
    'version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\n' +
      'scopes: [{ match: asked.example, require: { signed: { by: [team] } } }]\n',
  );
  expect(await tcf(['keygen', '--output-key-prefix', 'team'])).toMatchObject({ code: 0 });
  const signed = await tcf(['sign', `${registry.host}/mirrored/app:1`, '--no-sbom', '--key', 'team.key']);
  expect(signed.code, signed.text).toBe(0);
});
afterAll(() => {
  registry.stop();
  place[Symbol.dispose]();
});

const env = {
  HOME: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  CONTAINERS_REGISTRIES_CONF: join(home, '.config/containers/registries.conf'),
};
const podman = (...args: readonly string[]) =>
  run(
    place.path,
    'podman',
    [
      '--root',
      join(place.path, 'storage'),
      '--runroot',
      join(place.path, 'run'),
      '--storage-driver',
      'vfs',
      ...args,
    ],
    env,
  );
const verify = (name: string) => tcf(['verify', name, '--policy', 'policy.yaml'], env);

test('skopeo and tcf read the mirror of a registry that is not there, and tcf judges the name that was asked', async () => {
  const name = 'asked.example/team/app:1';
  const inspected = await run(
    place.path,
    'skopeo',
    ['inspect', '--no-tags', '--format', '{{.Digest}}', `docker://${name}`],
    env,
  );
  expect(inspected, inspected.text).toMatchObject({ code: 0, text: expect.stringContaining(digest) });
  const verified = await verify(name);
  expect(verified.code, verified.text).toBe(0);
  expect(verified.text).toContain(`asked.example/team/app@${digest}: allowed`);
});

test('podman and tcf mean the same by an alias', async () => {
  const pulled = await podman('pull', 'shortapp:1');
  expect(pulled.code, pulled.text).toBe(0);
  const listed = await podman('images', '--format', '{{.Repository}}:{{.Tag}}');
  expect(listed.text).toContain('asked.example/team/app:1');
  const verified = await verify('shortapp:1');
  expect(verified.code, verified.text).toBe(0);
  expect(verified.text).toContain('"shortapp:1" is asked.example/team/app:1');
});

test('what podman would try in turn is refused with both meanings, and what it blocks is not asked', async () => {
  const ambiguous = await verify('other');
  expect(ambiguous).toMatchObject({
    code: 3,
    text: expect.stringContaining('first.example/other:latest or second.example/other:latest'),
  });
  expect((await podman('pull', 'blocked.example/app:1')).text).toContain('blocked');
  expect(await verify('blocked.example/app:1')).toMatchObject({
    code: 2,
    text: expect.stringContaining('blocks "blocked.example"'),
  });
});
