import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { formatStatement, predicateTypes, toSignatureStatement } from '../../src/attest/statement.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import type { Fetched } from '../../src/registry/contract.ts';
import { formatReferrer } from '../../src/sigstore/attach.ts';
import { signStatement } from '../../src/sigstore/sign.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import {
  pushIndex,
  type RealRegistry,
  run,
  startDockerRegistry,
  startReferrersRegistry,
  startZot,
  tcfIn,
} from './support.ts';

const registries = [
  ['docker-registry', startDockerRegistry],
  ['a registry with referrers', startReferrersRegistry],
  ['zot', startZot],
] as const;

/** What a registry goes through in years, by real cosign 3 and 2 and by tcf, each checked by the other. */
describe.for(registries)('on %s', ([name, start]) => {
  const place = folder();
  const tcf = tcfIn(place.path);
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  let registry: RealRegistry;

  const cosign = (...args: string[]) => run(place.path, inject('cosign'), args);
  const offline = [
    '--yes',
    '--key',
    'cosign.key',
    '--tlog-upload=false',
    '--use-signing-config=false',
    '--allow-http-registry',
  ];
  const checked = (key: string) => [
    '--key',
    `${key}.pub`,
    '--insecure-ignore-tlog=true',
    '--allow-http-registry',
  ];
  const good = async (ran: Promise<{ code: number; text: string }>) => {
    const { code, text } = await ran;
    expect(code, text).toBe(0);
    return text;
  };
  const tcfSign = (image: string, ...more: readonly string[]) =>
    good(tcf(['sign', image, '--key', 'team.key', ...more]));
  const tcfVerify = (image: string, policy: string) => tcf(['verify', image, '--policy', `${policy}.yaml`]);
  const newImage = async (repository: string) => {
    const digest = await pushDemoImage({ host: registry.host, repository, tag: '1' });
    return { repository, digest, image: `${registry.host}/${repository}@${digest}` };
  };
  const referrers = async (repository: string, subject: Digest) =>
    (await client.referrers({ registry: registry.host, repository }, subject)).map(({ digest }) => digest);
  const remove = async (repository: string, digest: Digest) => {
    const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${digest}`, {
      method: 'DELETE',
    });
    expect(answer.status).toBe(202);
  };

  beforeAll(async () => {
    registry = await start(inject('parts'), place.path);
    await good(tcf(['keygen', '--output-key-prefix', 'team']));
    await good(cosign('generate-key-pair'));
    for (const [name, rules] of [
      ['team', 'signed: { by: [team] }'],
      ['cosign', 'signed: { by: [cosign] }'],
      [
        'custom',
        'attested: { predicates: [{ type: "https://cosign.sigstore.dev/attestation/v1", by: [cosign] }] }',
      ],
    ] as const) {
      writeFileSync(
        join(place.path, `${name}.yaml`),
        `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub }, cosign: { keyFile: cosign.pub } }\nscopes: [{ match: "${registry.host}", require: { ${rules} } }]\n`,
      );
    }
  });
  afterAll(() => {
    registry.stop();
    place[Symbol.dispose]();
  });

  test('signatures are deleted, and the image is signed again by both', async () => {
    const { digest, image, repository } = await newImage('deleted');
    await tcfSign(image, '--no-sbom');
    await good(cosign('sign', ...offline, image));
    const [first, second] = await referrers(repository, digest);
    if (first === undefined || second === undefined) {
      throw new Error('two signatures are expected');
    }
    await remove(repository, first);
    await tcfSign(image, '--no-sbom');
    await good(cosign('verify', ...checked('team'), image));
    expect(await tcfVerify(image, 'team')).toMatchObject({ code: 0 });
    for (const one of await referrers(repository, digest)) {
      await remove(repository, one).catch(() => {});
    }
    expect(await tcfVerify(image, 'team')).toMatchObject({ code: 1 });
    await tcfSign(image, '--no-sbom');
    expect(await tcfVerify(image, 'team')).toMatchObject({ code: 0 });
    // With the dead entries gone, cosign can sign here again too.
    await good(cosign('sign', ...offline, image));
    expect(await tcfVerify(image, 'cosign')).toMatchObject({ code: 0 });
  });

  test.skipIf(name === 'zot')('an image with the media types of docker is signed and verified', async () => {
    const { image, repository, digest } = await newImage('docker-types');
    const there = { registry: registry.host, repository };
    const original = await client.manifest(there, digest);
    const text = Buffer.from(original?.bytes ?? [])
      .toString()
      .replaceAll(mediaTypes.manifest, mediaTypes.dockerManifest)
      .replaceAll(mediaTypes.config, mediaTypes.dockerConfig)
      .replaceAll(mediaTypes.layerGzip, mediaTypes.dockerLayer);
    const pushed = await client.pushManifest(there, 'docker', mediaTypes.dockerManifest, Buffer.from(text));
    const docker = image.replace(digest, pushed.digest);
    await tcfSign(docker, '--no-sbom');
    await good(cosign('verify', ...checked('team'), docker));
    expect(await tcfVerify(docker, 'team')).toMatchObject({ code: 0 });
  });

  test('--recursive signs an index and its platforms, in both directions', async () => {
    const { digest, image } = await newImage('recursive');
    const index = await pushIndex(registry.host, 'recursive', digest);
    await tcfSign(index, '--recursive');
    for (const one of [index, image]) {
      await good(cosign('verify', ...checked('team'), one));
      expect(await tcfVerify(one, 'team')).toMatchObject({ code: 0 });
    }
    await good(cosign('sign', '--recursive', ...offline, index));
    for (const one of [index, image]) {
      expect(await tcfVerify(one, 'cosign')).toMatchObject({ code: 0 });
    }
  });

  test('200 signatures: one more is found by both', async () => {
    const { digest, image, repository } = await newImage('many');
    const there = { registry: registry.host, repository };
    const subject = (await client.manifest(there, digest))?.descriptor;
    if (subject === undefined) {
      throw new Error('the image is gone');
    }
    const config = await client.pushBlob(there, mediaTypes.empty, Buffer.from('{}'));
    const statement = formatStatement(toSignatureStatement(digest));
    const manifests: Fetched[] = [];
    for (let number = 0; number < 200; number += 1) {
      const { privateKey } = generateKeyPairSync('ed25519');
      const bundle = await signStatement(statement, keySigner(privateKey), []);
      const layer = await client.pushBlob(there, mediaTypes.sigstoreBundle, bundle);
      const bytes = formatReferrer(subject, layer, config, predicateTypes.signature, new Date());
      const descriptor = { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length };
      const document = {
        kind: 'manifest',
        mediaType: mediaTypes.manifest,
        config,
        layers: [layer],
        subject,
        annotations: {},
      } as const;
      manifests.push({ bytes, descriptor, document });
    }
    await client.attachAll(there, manifests, digest);
    expect(await tcfVerify(image, 'team')).toMatchObject({ code: 1 });
    await tcfSign(image, '--no-sbom');
    expect(await tcfVerify(image, 'team')).toMatchObject({ code: 0 });
    await good(cosign('verify', ...checked('team'), image));
    await good(cosign('sign', ...offline, image));
    expect(await tcfVerify(image, 'cosign')).toMatchObject({ code: 0 });
  });

  test('attestations of 30 MB go in both directions', async () => {
    const { image } = await newImage('large');
    const filler = 'x'.repeat(1000);
    const predicate = { Data: Array.from({ length: 22_000 }, (_, at) => `${at} ${filler}`), Timestamp: '' };
    writeFileSync(join(place.path, 'large.json'), JSON.stringify(predicate));
    const type = 'https://cosign.sigstore.dev/attestation/v1';
    await tcfSign(image, '--no-sbom', '--attest', `${type}=large.json`);
    await good(
      cosign('verify-attestation', '--type', type, ...checked('team'), image).then(({ code, text }) => ({
        code,
        text: text.slice(-2000),
      })),
    );
    await good(cosign('attest', '--predicate', 'large.json', '--type', type, ...offline, image));
    expect(await tcfVerify(image, 'custom')).toMatchObject({ code: 0 });
  });

  test('signatures of cosign 2 in OCI 1.1 mode are found', async () => {
    const { image } = await newImage('oci11');
    const args = [
      'sign',
      '--yes',
      '--key',
      'cosign.key',
      '--tlog-upload=false',
      '--allow-http-registry',
      '--registry-referrers-mode=oci-1-1',
    ];
    await good(run(place.path, inject('cosign2'), [...args, image], { COSIGN_EXPERIMENTAL: '1' }));
    expect(await tcfVerify(image, 'cosign')).toMatchObject({ code: 0 });
    expect(await tcfVerify(image, 'team')).toMatchObject({ code: 1 });
  });
});
