import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { must, scratch, startDockerRegistry, tcf } from './support.ts';

const place = scratch();
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;

beforeAll(async () => {
  registry = await startDockerRegistry(place.path);
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
});
afterAll(async () => {
  await registry.stop();
  place[Symbol.dispose]();
});

test('the program of docs/signer-command.md signs with openssl, and the key that it prints verifies', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/signer-command.md'), 'utf8');
  const [, script = ''] = /```sh\n(.*?)```/s.exec(page) ?? [];
  const signer = join(place.path, 'signer');
  writeFileSync(signer, script);
  chmodSync(signer, 0o755);
  const cwd = place.path;
  await must(
    'openssl',
    ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'team.pem'],
    {
      cwd,
    },
  );
  writeFileSync(join(cwd, 'team.pub'), await must(signer, ['public-key'], { cwd }));
  writeFileSync(
    join(cwd, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }]\n`,
  );
  const image = `${registry.host}/dev:1`;
  const verify = () => tcf(['verify', image, '--policy', 'policy.yaml', '--allow-http'], { cwd });
  expect(await verify()).toMatchObject({ code: 1 });
  const signed = await tcf(['sign', image, '--signer-cmd', './signer', '--allow-http'], { cwd });
  expect(signed, signed.stderr).toMatchObject({ code: 0 });
  expect(await verify()).toMatchObject({ code: 0 });
});
