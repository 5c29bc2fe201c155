import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { must, run, scratch, startDockerRegistry, tcf } from './support.ts';

const place = scratch();
const sides = [scratch(), scratch()] as const;
const cwd = place.path;
let from: Awaited<ReturnType<typeof startDockerRegistry>>;
let to: Awaited<ReturnType<typeof startDockerRegistry>>;
let image: string;

beforeAll(async () => {
  [from, to] = [await startDockerRegistry(sides[0].path), await startDockerRegistry(sides[1].path)];
  const digest = await pushDemoImage({ host: from.host, repository: 'triton/dev', tag: '1' });
  image = `triton/dev@${digest}`;
  await must(
    process.execPath,
    [join(import.meta.dirname, '../../src/main.ts'), 'keygen', '--output-key-prefix', 'team'],
    { cwd },
  );
  const signed = await tcf(['sign', `${from.host}/${image}`, '--key', 'team.key', '--allow-http'], { cwd });
  expect(signed, signed.stderr).toMatchObject({ code: 0 });
  const scope = (host: string) =>
    `{ match: "${host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }`;
  writeFileSync(
    join(cwd, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [${scope(from.host)}, ${scope(to.host)}]\n`,
  );
});
afterAll(async () => {
  await Promise.all([from.stop(), to.stop()]);
  for (const one of [place, ...sides]) {
    one[Symbol.dispose]();
  }
});

const copy = (...args: readonly string[]) => tcf(['copy', ...args, '--allow-http'], { cwd });
const verify = (name: string, ...more: readonly string[]) =>
  tcf(['verify', name, '--policy', 'policy.yaml', '--allow-http', ...more], { cwd });

test('from registry to registry, to a folder and back: it verifies, and skopeo sees the same image', async () => {
  const over = await copy(`${from.host}/triton/dev:1`, `${to.host}/mirror/dev:1`);
  expect(over, over.stderr).toMatchObject({ code: 0 });
  expect(await verify(`${to.host}/mirror/dev:1`)).toMatchObject({ code: 0 });
  expect(await copy(`${to.host}/mirror/dev:1`, 'oci:stick:1')).toMatchObject({ code: 0 });
  expect(await verify('oci:stick:1', '--as', `${from.host}/triton/dev`)).toMatchObject({ code: 0 });
  expect(await copy('oci:stick:1', `${to.host}/back/dev:1`)).toMatchObject({ code: 0 });
  expect(await verify(`${to.host}/back/dev:1`)).toMatchObject({ code: 0 });
  const raw = (name: string) => must('skopeo', ['inspect', '--raw', '--tls-verify=false', name], { cwd });
  const original = await raw(`docker://${from.host}/${image}`);
  for (const name of [`docker://${to.host}/mirror/dev:1`, `docker://${to.host}/back/dev:1`, 'oci:stick:1']) {
    expect(await raw(name), name).toBe(original);
  }
});

test('what skopeo copied has lost its signatures, which is why tcf copies', async () => {
  const args = ['copy', '--src-tls-verify=false', '--dest-tls-verify=false'];
  await must('skopeo', [...args, `docker://${from.host}/${image}`, `docker://${to.host}/skopeo/dev:1`], {
    cwd,
  });
  expect(await verify(`${to.host}/skopeo/dev:1`)).toMatchObject({ code: 1 });
});

/** Pushes an image whose layers take some time. */
async function pushLarge(): Promise<void> {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const repository = { registry: from.host, repository: 'large' };
  const layers = [];
  for (let count = 0; count < 4; count += 1) {
    layers.push(await client.pushBlob(repository, mediaTypes.layer, randomBytes(70_000_000)));
  }
  const text = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
  const config = await client.pushBlob(repository, mediaTypes.config, Buffer.from(JSON.stringify(text)));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  await client.pushManifest(repository, '1', mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
}

test('a copy that is killed leaves no name behind, in a registry or in a folder, and can be run again', async () => {
  await pushLarge();
  const targets = [`${to.host}/large:1`, 'oci:large:1'];
  for (const target of targets) {
    const main = join(import.meta.dirname, '../../src/main.ts');
    const child = spawn(process.execPath, [main, 'copy', `${from.host}/large:1`, target, '--allow-http'], {
      cwd,
      stdio: 'ignore',
    });
    const ended = new Promise((done) => child.on('close', (_, signal) => done(signal)));
    await sleep(1000);
    child.kill('SIGKILL');
    const seen = await run(
      'skopeo',
      [
        ...['inspect', '--raw', '--tls-verify=false'],
        target.startsWith('oci:') ? target : `docker://${target}`,
      ],
      { cwd },
    );
    // A machine that is fast enough is done by now, and then the name is right.
    if ((await ended) === 'SIGKILL') {
      expect(seen.code).not.toBe(0);
    }
    const again = await copy(`${from.host}/large:1`, target);
    expect(again, again.stderr).toMatchObject({ code: 0 });
  }
  const [entry] = JSON.parse(readFileSync(join(cwd, 'large/index.json'), 'utf8')).manifests;
  const manifest = readFileSync(join(cwd, 'large/blobs', entry.digest.replace(':', '/')));
  for (const { digest } of JSON.parse(manifest.toString()).layers) {
    expect(digestOf(readFileSync(join(cwd, 'large/blobs', digest.replace(':', '/'))))).toBe(digest);
  }
});

test('a large layer needs little memory', async () => {
  const ran = await run(
    '/usr/bin/time',
    [
      ...['-f', '%M', process.execPath, join(import.meta.dirname, '../../src/main.ts')],
      ...['copy', `${from.host}/large:1`, `${to.host}/again/large:1`, '--allow-http'],
    ],
    { cwd },
  );
  expect(ran.code, ran.stderr).toBe(0);
  expect(Number(ran.stderr.trim().split('\n').at(-1))).toBeLessThan(300_000);
});
