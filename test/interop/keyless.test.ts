import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { type RealSigstore, startRealSigstore } from './real-sigstore.ts';
import { type RealRegistry, run, startDockerRegistry, startReferrersRegistry, tcfIn } from './support.ts';

/* Keyless signatures with a real Fulcio, transparency logs and timestamp authority, on real registries. */

const place = folder();
const tcf = tcfIn(place.path);
const cosign = (...args: string[]) => run(place.path, inject('cosign'), args);
let sigstore: RealSigstore;

beforeAll(async () => {
  const data = join(place.path, 'sigstore');
  mkdirSync(data);
  sigstore = await startRealSigstore(inject('parts'), data);
  writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
  writeFileSync(join(place.path, 'signing.json'), sigstore.signingConfig);
});
afterAll(async () => {
  await sigstore[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const policy = (name: string, host: string, who: string, require: string) =>
  writeFileSync(
    join(place.path, name),
    `version: 1\ntrust: { root: root.json }\nsigners: { who: { issuer: "${sigstore.issuer}", identity: "${who}" } }\nscopes: [{ match: "${host}", require: ${require} }]\n`,
  );

describe.for([
  ['docker-registry, which has no referrers API', startDockerRegistry],
  ['a registry which has it', startReferrersRegistry],
] as const)('on %s', ([, start]) => {
  let registry: RealRegistry;
  let image: string;

  beforeAll(async () => {
    registry = await start(inject('parts'), place.path);
    const digest = await pushDemoImage({ host: registry.host, repository: 'triton/dev', tag: '1' });
    image = `${registry.host}/triton/dev@${digest}`;
    const both = '{ signed: { by: [who] }, sbom: { by: [who] } }';
    policy('ann.yaml', registry.host, 'ann@example.test', both);
    policy('bob.yaml', registry.host, 'bob@example.test', '{ signed: { by: [who] } }');
    policy('eve.yaml', registry.host, 'eve@example.test', '{ signed: { by: [who] } }');
  });
  afterAll(() => registry.stop());

  const asked = (who: string) => [
    ...['--trusted-root', 'root.json', '--certificate-oidc-issuer', sigstore.issuer],
    ...['--certificate-identity', who, '--allow-http-registry'],
  ];

  test('what tcf signs, tcf and cosign verify', async () => {
    const options = ['--signing-config', 'signing.json', '--trusted-root', 'root.json'];
    const signed = await tcf(['sign', image, ...options], {
      SIGSTORE_ID_TOKEN: sigstore.token('ann@example.test'),
    });
    expect(signed.code, signed.text).toBe(0);
    const verified = await tcf(['verify', image, '--policy', 'ann.yaml']);
    expect(verified.code, verified.text).toBe(0);
    const theirs = await cosign('verify', ...asked('ann@example.test'), image);
    expect(theirs.code, theirs.text).toBe(0);
    const attested = await cosign(
      'verify-attestation',
      '--type',
      'cyclonedx',
      ...asked('ann@example.test'),
      image,
    );
    expect(attested.code, attested.text).toBe(0);
  });

  test('what cosign signs, tcf verifies', async () => {
    writeFileSync(join(place.path, 'token'), sigstore.token('bob@example.test'));
    const signed = await cosign(
      ...['sign', '--yes', '--signing-config', 'signing.json', '--trusted-root', 'root.json'],
      ...['--identity-token', 'token', '--allow-http-registry', image],
    );
    expect(signed.code, signed.text).toBe(0);
    const verified = await tcf(['verify', image, '--policy', 'bob.yaml']);
    expect(verified.code, verified.text).toBe(0);
  });

  test('neither of them believes it of anybody else', async () => {
    expect(await tcf(['verify', image, '--policy', 'eve.yaml'])).toMatchObject({ code: 1 });
    expect((await cosign('verify', ...asked('eve@example.test'), image)).code).not.toBe(0);
  });
});
