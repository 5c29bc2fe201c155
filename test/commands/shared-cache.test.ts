import { expect, test } from 'vitest';
import { startBucket } from '../support/s3.ts';
import { openScene, type SceneParts } from '../support/scene.ts';

/* `tcf sbom --cache-from`, `--cache-to`: machines that share a registry or a bucket and nothing else. */

const open = (parts: SceneParts = {}) => openScene({ keys: ['team', 'stranger'], ...parts });

async function scene() {
  const opened = await open();
  opened.write('policy.yaml', `${opened.policy('signed: { by: [team] }')}layerCache: { signers: [team] }\n`);
  return opened;
}

type Opened = Awaited<ReturnType<typeof scene>>;

/** The paths that were asked for since, without what leads to the image. */
function asked({ registry }: Opened, from: number): readonly string[] {
  return registry.requests.slice(from).map(({ method, path }) => `${method} ${path}`);
}

const sbom = (opened: Opened, ...flags: readonly string[]) =>
  opened.tcf('sbom', opened.name, '--allow-http', '--format', 'cyclonedx-json', ...flags);

test('a registry: the second machine fetches no layer of the image', async () => {
  await using opened = await scene();
  const { registry } = opened;
  const cache = `${registry.host}/cache`;
  const alone = await sbom(opened);
  const first = await sbom(opened, '--cache-to', cache, '--key', 'team.key');
  expect(first).toMatchObject({ exit: 0, out: alone.out });
  expect([...registry.manifests.keys()].filter((key) => key.startsWith('cache:'))).toHaveLength(2);

  const from = registry.requests.length;
  const second = await sbom(opened, '--cache-from', cache, '--policy', 'policy.yaml');
  expect(second).toMatchObject({ exit: 0, out: alone.out, err: expect.not.stringContaining('warning') });
  const seen = asked(opened, from);
  expect(seen.filter((line) => line.startsWith('GET /v2/dev/blobs/'))).toHaveLength(1);
  expect(seen.filter((line) => line.startsWith('GET /v2/cache/'))).toHaveLength(4);
  expect(seen.filter((line) => !line.startsWith('GET '))).toEqual([]);
});

test('a bucket, with the variables of its clients', async () => {
  await using opened = await scene();
  await using bucket = await startBucket();
  const env = { AWS_ENDPOINT_URL: bucket.url, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  const call = (...flags: readonly string[]) =>
    opened.tcfWith({ env }, 'sbom', opened.name, '--allow-http', '--format', 'cyclonedx-json', ...flags);
  const first = await call('--cache-to', 's3://team/ci', '--key', 'team.key');
  expect(first).toMatchObject({ exit: 0, err: expect.not.stringContaining('warning') });
  expect(bucket.objects.size).toBe(2);
  const from = opened.registry.requests.length;
  const second = await call('--cache-from', 's3://team/ci', '--policy', 'policy.yaml');
  expect(second).toMatchObject({ exit: 0, out: first.out, err: expect.not.stringContaining('warning') });
  expect(asked(opened, from).filter((line) => line.includes('/blobs/'))).toHaveLength(1);
});

test('what a stranger put there is not read, and told once', async () => {
  await using opened = await scene();
  const cache = `${opened.registry.host}/cache`;
  const alone = await sbom(opened);
  await sbom(opened, '--cache-to', cache, '--key', 'stranger.key');
  const asks = await sbom(opened, '--cache-from', cache, '--policy', 'policy.yaml');
  expect(asks).toMatchObject({ exit: 0, out: alone.out });
  expect(asks.err.match(/warning: the shared cache/g)).toHaveLength(1);
  expect(asks.err).toContain('has an entry that does not count');
});

test('what others said is not kept as what this machine has read: it counts while a policy names them', async () => {
  await using opened = await scene();
  const cache = `${opened.registry.host}/cache`;
  await sbom(opened, '--cache-to', cache, '--key', 'team.key');
  const layers = (from: number) =>
    asked(opened, from).filter((line) => line.startsWith('GET /v2/dev/blobs/')).length - 1;

  let from = opened.registry.requests.length;
  const trusted = await sbom(opened, '--cache', '--cache-from', cache, '--policy', 'policy.yaml');
  expect([trusted.exit, layers(from)]).toEqual([0, 0]);

  from = opened.registry.requests.length;
  const alone = await sbom(opened, '--cache');
  expect([alone.exit, layers(from)]).toEqual([0, 2]);
  expect(alone.out).toBe(trusted.out);
});

test.for([
  ['no policy at all', [], 'no policy says whose entries count'],
  ['a policy without layerCache', ['--policy', 'plain.yaml'], 'no policy says whose entries count'],
] as const)('%s: nothing is asked of the cache', async ([, flags, said]) => {
  await using opened = await scene();
  opened.write('plain.yaml', opened.policy('signed: { by: [team] }'));
  const cache = `${opened.registry.host}/cache`;
  await sbom(opened, '--cache-to', cache, '--key', 'team.key');
  const from = opened.registry.requests.length;
  const asks = await sbom(opened, '--cache-from', cache, ...flags);
  expect(asks).toMatchObject({ exit: 0, err: expect.stringContaining(said) });
  expect(asked(opened, from).filter((line) => line.includes('/v2/cache/'))).toEqual([]);
});

test.for([
  [['--cache-to', 'registry.example/c'], 'no signer is given'],
  [['--key', 'team.key'], '--key signs what --cache-to writes'],
  [['--cache-from', 'type=gha'], 'cannot read "type=gha" as the place of a cache'],
  [['--cache-from', 's3://UPPER'], 'names no place in a bucket'],
  [['--attested', '--cache-from', 'registry.example/c'], '--cache-from is about a new SBOM'],
  [['--policy', 'policy.yaml'], 'are asked with --attested only'],
] as const)('asked wrongly: %s', async ([flags, said]) => {
  await using opened = await scene();
  const asks = await sbom(opened, ...flags);
  expect(asks.exit).toBe(3);
  expect(asks.err).toContain(said);
});
