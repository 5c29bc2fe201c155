import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { type SigstoreServer, startSigstore, testIdentity } from '../support/sigstore.ts';
import {
  must,
  pushIndex,
  type RealRegistry,
  run,
  startDockerRegistry,
  startReferrersRegistry,
  tcfIn,
} from './support.ts';

let sigstore: SigstoreServer;

beforeAll(async () => {
  sigstore = await startSigstore();
});
afterAll(() => sigstore[Symbol.asyncDispose]());

/** A registry of each kind: what one tool writes through the API or the fallback tag, the other must find. */
describe.for([
  ['a registry with referrers', startReferrersRegistry],
  ['a registry without referrers', startDockerRegistry],
] as const)('on %s', ([, start]) => {
  const place = folder();
  let registry: RealRegistry;
  let image: string;

  const tcf = tcfIn(place.path);
  const cosign = (...args: string[]) => run(place.path, inject('cosign'), args);
  const policy = (name: string, signer: string) =>
    writeFileSync(
      join(place.path, name),
      `version: 1\ntrust: { root: root.json, logs: { key: 0 } }\nsigners: { who: ${signer} }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [who] } } }]\n`,
    );

  beforeAll(async () => {
    registry = await start(inject('parts'), place.path);
    const digest = await pushDemoImage({ host: registry.host, repository: 'triton/dev', tag: '1' });
    image = `${registry.host}/triton/dev@${digest}`;
    writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
    writeFileSync(join(place.path, 'signing.json'), sigstore.signingConfig(1));
    policy('team.yaml', '{ keyFile: team.pub }');
    policy('cosign.yaml', '{ keyFile: cosign.pub }');
    policy('ann.yaml', `{ issuer: "${testIdentity.issuer}", identity: "${testIdentity.identity}" }`);
    expect(await tcf(['keygen', '--output-key-prefix', 'team'])).toMatchObject({ code: 0 });
    expect(await cosign('generate-key-pair')).toMatchObject({ code: 0 });
  });

  afterAll(() => {
    registry.stop();
    place[Symbol.dispose]();
  });

  test('cosign verifies the signature and the SBOM that tcf made with a key', async () => {
    const signed = await tcf(['sign', image, '--key', 'team.key']);
    expect(signed.code, signed.text).toBe(0);
    const common = ['--insecure-ignore-tlog=true', '--allow-http-registry'];
    const verified = await cosign('verify', '--key', 'team.pub', ...common, image);
    expect(verified.code, verified.text).toBe(0);
    const attested = await cosign(
      'verify-attestation',
      '--type',
      'cyclonedx',
      '--key',
      'team.pub',
      ...common,
      image,
    );
    expect(attested.code, attested.text).toBe(0);
    expect((await cosign('verify', '--key', 'cosign.pub', ...common, image)).code).not.toBe(0);
  });

  test('cosign verifies the annotations and the predicates that tcf signed', async () => {
    const predicate = {
      buildDefinition: { buildType: 'https://example.test/v1', externalParameters: {} },
      runDetails: { builder: { id: 'https://example.test/builder' } },
    };
    writeFileSync(join(place.path, 'provenance.json'), JSON.stringify(predicate));
    const signed = await tcf([
      ...['sign', image, '--key', 'team.key', '--no-sbom', '-a', 'env=prod'],
      ...['--attest', 'slsaprovenance1=provenance.json'],
    ]);
    expect(signed.code, signed.text).toBe(0);
    const common = ['--key', 'team.pub', '--insecure-ignore-tlog=true', '--allow-http-registry'];
    const verified = await cosign('verify', '-a', 'env=prod', ...common, image);
    expect(verified.code, verified.text).toBe(0);
    expect((await cosign('verify', '-a', 'env=test', ...common, image)).code).not.toBe(0);
    const attested = await cosign('verify-attestation', '--type', 'slsaprovenance1', ...common, image);
    expect(attested.code, attested.text).toBe(0);
    expect((await cosign('verify-attestation', '--type', 'openvex', ...common, image)).code).not.toBe(0);
  });

  test('tcf verifies what cosign made with a key', async () => {
    expect((await tcf(['verify', image, '--policy', 'cosign.yaml'])).code).toBe(1);
    const signed = await cosign(
      'sign',
      '--yes',
      '--key',
      'cosign.key',
      '--tlog-upload=false',
      '--use-signing-config=false',
      '--allow-http-registry',
      image,
    );
    expect(signed.code, signed.text).toBe(0);
    const verified = await tcf(['verify', image, '--policy', 'cosign.yaml']);
    expect(verified.code, verified.text).toBe(0);
  });

  test('what either signs of an index and its platforms, both verify, and nothing beyond it', async () => {
    const common = ['--insecure-ignore-tlog=true', '--allow-http-registry'];
    const verified = async (image: string, who: string) => {
      const [ours, theirs] = [
        await tcf(['verify', image, '--policy', `${who}.yaml`]),
        await cosign('verify', '--key', `${who}.pub`, ...common, image),
      ];
      expect(ours.code === 0, `${ours.text}\n${theirs.text}`).toBe(theirs.code === 0);
      return ours.code === 0;
    };
    const platformOf = async (repository: string) => {
      const digest = await pushDemoImage({ host: registry.host, repository, tag: '1', deb: repository });
      const index = await pushIndex(registry.host, repository, digest);
      return { index, platform: `${registry.host}/${repository}@${digest}` };
    };
    const [one, all, theirs] = [
      await platformOf('index-one'),
      await platformOf('index-all'),
      await platformOf('index-theirs'),
    ];
    await must(tcf(['sign', one.index, '--key', 'team.key', '--no-sbom']));
    await must(tcf(['sign', all.index, '--key', 'team.key', '--recursive']));
    const key = ['--key', 'cosign.key', '--tlog-upload=false', '--use-signing-config=false'];
    await must(cosign('sign', '--yes', '--recursive', ...key, '--allow-http-registry', theirs.index));
    expect([await verified(one.index, 'team'), await verified(one.platform, 'team')]).toEqual([true, false]);
    expect([await verified(all.index, 'team'), await verified(all.platform, 'team')]).toEqual([true, true]);
    expect([await verified(all.index, 'cosign'), await verified(all.platform, 'cosign')]).toEqual([
      false,
      false,
    ]);
    expect([await verified(theirs.index, 'cosign'), await verified(theirs.platform, 'cosign')]).toEqual([
      true,
      true,
    ]);
    const attested = (image: string) =>
      cosign('verify-attestation', '--type', 'cyclonedx', '--key', 'team.pub', ...common, image);
    await must(attested(all.platform));
    expect((await attested(one.platform)).code).not.toBe(0);
  }, 300_000);

  test('cosign reads the key file that tcf made', async () => {
    const read = await cosign('public-key', '--key', 'team.key');
    expect(read.code, read.text).toBe(0);
    expect(read.text).toContain('BEGIN PUBLIC KEY');
  });

  test('cosign verifies what tcf signed keyless', async () => {
    const signed = await tcf(
      ['sign', image, '--no-sbom', '--signing-config', 'signing.json', '--trusted-root', 'root.json'],
      {
        SIGSTORE_ID_TOKEN: sigstore.token(),
      },
    );
    expect(signed.code, signed.text).toBe(0);
    expect(await tcf(['verify', image, '--policy', 'ann.yaml'])).toMatchObject({ code: 0 });
    const asked = [
      '--trusted-root',
      'root.json',
      '--certificate-oidc-issuer',
      testIdentity.issuer,
      '--allow-http-registry',
    ];
    const verified = await cosign('verify', ...asked, '--certificate-identity', testIdentity.identity, image);
    expect(verified.code, verified.text).toBe(0);
    expect(
      (await cosign('verify', ...asked, '--certificate-identity', 'bob@example.test', image)).code,
    ).not.toBe(0);
  });
});
