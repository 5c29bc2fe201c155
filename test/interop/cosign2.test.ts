import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { type RealRegistry, run, startDockerRegistry, startReferrersRegistry, tcfIn } from './support.ts';

const tools = [
  ['cosign 2', 'cosign2', []],
  ['cosign 3 in the old format', 'cosign', ['--new-bundle-format=false', '--use-signing-config=false']],
] as const;

const registries = [
  ['docker-registry', startDockerRegistry],
  ['a registry with referrers', startReferrersRegistry],
] as const;

/** The tags of cosign 2, by that tool itself and by cosign 3 where it is asked to write them. */
describe.for(
  registries.flatMap(([where, start]) =>
    tools.map(([name, tool, oldFormat]) => [`${name} on ${where}`, start, tool, oldFormat] as const),
  ),
)('%s', ([, start, tool, oldFormat]) => {
  const place = folder();
  const tcf = tcfIn(place.path);
  let registry: RealRegistry;

  const cosign = (...args: string[]) => run(place.path, inject(tool), args);
  const newImage = async (name: string) => {
    const repository = `${name}-${tool}`;
    const digest = await pushDemoImage({ host: registry.host, repository, tag: '1' });
    return `${registry.host}/${repository}@${digest}`;
  };
  const offline = [
    '--key',
    'cosign.key',
    '--tlog-upload=false',
    '--yes',
    '--allow-http-registry',
    ...oldFormat,
  ];

  beforeAll(async () => {
    registry = await start(inject('parts'), place.path);
    expect(await cosign('generate-key-pair')).toMatchObject({ code: 0 });
    expect(await tcf(['keygen', '--output-key-prefix', 'other'])).toMatchObject({ code: 0 });
    for (const [name, key, rules] of [
      ['signed', 'cosign', 'signed: { by: [who] }'],
      ['stranger', 'other', 'signed: { by: [who] }'],
      ['attested', 'cosign', 'sbom: { by: [who] }'],
      ['both', 'cosign', 'signed: { by: [who] }, sbom: { by: [who] }'],
    ] as const) {
      writeFileSync(
        join(place.path, `${name}.yaml`),
        `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { who: { keyFile: ${key}.pub } }\nscopes: [{ match: "${registry.host}", require: { ${rules} } }]\n`,
      );
    }
  });
  afterAll(() => {
    registry.stop();
    place[Symbol.dispose]();
  });

  test('a signature at the .sig tag allows, by this key only, and is no SBOM', async () => {
    const image = await newImage('triton/signed');
    const signed = await cosign('sign', ...offline, image);
    expect(signed.code, signed.text).toBe(0);
    const verified = await tcf(['verify', image, '--policy', 'signed.yaml']);
    expect(verified.code, verified.text).toBe(0);
    expect(await tcf(['verify', image, '--policy', 'stranger.yaml'])).toMatchObject({ code: 1 });
    expect(await tcf(['verify', image, '--policy', 'attested.yaml'])).toMatchObject({ code: 1 });
  });

  test('an SBOM at the .att tag allows, and is no signature', async () => {
    const image = await newImage('triton/attested');
    expect(await tcf(['sbom', `docker://${image}`, '-o', 'bom.json'])).toMatchObject({ code: 0 });
    const attested = await cosign(
      'attest',
      '--predicate',
      'bom.json',
      '--type',
      'cyclonedx',
      ...offline,
      image,
    );
    expect(attested.code, attested.text).toBe(0);
    const verified = await tcf(['verify', image, '--policy', 'attested.yaml']);
    expect(verified.code, verified.text).toBe(0);
    expect(await tcf(['verify', image, '--policy', 'signed.yaml'])).toMatchObject({ code: 1 });
  });

  test('a bundle by a stranger does not hide the signature', async () => {
    const image = await newImage('triton/hidden');
    expect(await tcf(['sign', image, '--key', 'other.key', '--no-sbom'])).toMatchObject({ code: 0 });
    expect(await tcf(['verify', image, '--policy', 'signed.yaml'])).toMatchObject({ code: 1 });
    expect((await cosign('sign', ...offline, image)).code).toBe(0);
    expect(await tcf(['verify', image, '--policy', 'signed.yaml'])).toMatchObject({ code: 0 });
  });
});
