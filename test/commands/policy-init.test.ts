import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openScene, type Scene } from '../support/scene.ts';
import { startSigstore } from '../support/sigstore.ts';

const init = (scene: Scene, ...more: readonly string[]) =>
  scene.tcf('policy', 'init', scene.name, '--allow-http', ...more);
const written = (scene: Scene, file = 'policy.yaml') => readFileSync(join(scene.path, file), 'utf8');
const isThere = (scene: Scene, file = 'policy.yaml') => existsSync(join(scene.path, file));

test('a signed image with its SBOM: what it keeps is asked for, and the policy allows it', async () => {
  await using scene = await openScene({ policies: {}, signed: 'with its SBOM' });
  expect(await init(scene, '--key', 'team.pub')).toMatchObject({
    exit: 0,
    out: '',
    err: `wrote policy.yaml: signed, sbom, llvm\nnext: tcf verify ${scene.name} --policy policy.yaml\n`,
  });
  expect(written(scene)).toBe(`# A first policy, made by tcf policy init from what is attached to
# ${scene.pinned}
#
# Every policy that applies has to allow an image, so this one can tighten what others ask and loosen nothing.
# tcf policy check reads it, tcf policy explain IMAGE says which rules decide; docs/policy.md has all of them.

version: 1

trust:
  # Signatures of this key are in no transparency log. Where they will be, leave this line away: then
  # nobody who steals the key signs unseen.
  logs: { key: 0 }

signers:
  # Whoever holds the private key of this public one.
  team: { keyFile: "team.pub" }

scopes:
  # Images of this name, whatever their tag. An image in no scope is denied.
  - match: "${scene.name}"
    require:
      # The very digest that is to start was signed by one of these.
      signed: { by: [team] }
      # Not kept today (no provenance of this image is attested by a trusted signer):
      # provenance: { by: [team] }
      # One of these attests an SBOM of it, so that everybody knows what is inside.
      sbom: { by: [team] }
      # By that SBOM the LLVM inside is the commit that this release of Triton pins.
      llvm: { is: pinned }
`);
  const verified = await scene.tcf('verify', scene.name, '--policy', 'policy.yaml', '--allow-http');
  expect(verified.exit, verified.err).toBe(0);
  expect(await scene.tcf('policy', 'check', 'policy.yaml')).toMatchObject({ exit: 0 });
});

test('what the image does not keep stands there as a comment, and is not asked for', async () => {
  await using scene = await openScene({ policies: {}, signed: 'alone' });
  expect(await init(scene, '--key', 'team.pub')).toMatchObject({ exit: 0 });
  const text = written(scene);
  expect(text).toMatch(/# Not kept today \(.*\):\n {6}# sbom: \{ by: \[team\] \}/);
  expect(text).not.toMatch(/^ {6}(?:sbom|llvm)/m);
  const verified = await scene.tcf('verify', scene.name, '--policy', 'policy.yaml', '--allow-http');
  expect(verified.exit, verified.err).toBe(0);
});

describe('a provenance that is attached', () => {
  const builder = 'https://build.example/runner@v1';
  const repository = 'https://github.com/acme/app';
  const built = (uri: string, id = builder) => ({
    buildDefinition: { buildType: 'https://build.example/type', externalParameters: { source: uri } },
    runDetails: { builder: { id } },
  });

  async function withProvenances(...provenances: readonly object[]) {
    await using scene = await openScene({ policies: {}, signed: 'alone' });
    for (const [at, provenance] of provenances.entries()) {
      scene.write(`${at}.json`, JSON.stringify(provenance));
      const how = ['--key', 'team.key', '--allow-http', '--no-sbom'];
      const signed = await scene.tcf('sign', scene.name, ...how, '--attest', `slsaprovenance1=${at}.json`);
      expect(signed.exit, signed.err).toBe(0);
    }
    const called = await init(scene, '--key', 'team.pub');
    const verify = (file: string) => scene.tcf('verify', scene.name, '--policy', file, '--allow-http');
    const verified = await verify('policy.yaml');
    scene.write('elsewhere.yaml', written(scene).replace('acme/app"', 'evil/app"'));
    return { ...called, text: written(scene), verified, elsewhere: await verify('elsewhere.yaml') };
  }

  test('is asked for as it is today, line by line', async () => {
    const made = await withProvenances(built(`git+${repository}@refs/heads/main`));
    expect(made).toMatchObject({ exit: 0, err: expect.stringContaining('signed, provenance') });
    expect(
      made.text,
    ).toContain(`      # One of these attests how it was built (SLSA provenance), and it was built as it is today.
      provenance:
        by: [team]
        # That builder made it:
        builder: "${builder}"
        # of that repository:
        sourceRepository: "${repository}"
        # at that branch or tag:
        ref: "refs/heads/main"
`);
    expect(made.verified.exit, made.verified.err).toBe(0);
    expect(made.elsewhere.exit).toBe(1);
  });

  test('of a tag lets the next tag start', async () => {
    const made = await withProvenances(built(`git+${repository}@refs/tags/v1.2`));
    expect(made.text).toContain('ref: "refs/tags/*"');
    expect(made.verified.exit, made.verified.err).toBe(0);
  });

  test('that says no source is asked for by its builder alone', async () => {
    const made = await withProvenances(built('', 'https://build.example/*'));
    expect(made.text).toContain('      provenance: { by: [team] }\n');
    expect(made.text).not.toMatch(/builder:|sourceRepository:|ref:/);
    expect(made.verified.exit, made.verified.err).toBe(0);
  });

  test('of several only what they say alike is asked for', async () => {
    const [one, other] = ['main', 'next'].map((name) => built(`git+${repository}@refs/heads/${name}`));
    const made = await withProvenances(one ?? {}, other ?? {});
    expect(made.text).toContain(`sourceRepository: "${repository}"`);
    expect(made.verified.exit, made.verified.err).toBe(0);
  });
});

test('what else the signer attests is named, and nothing of a stranger', async () => {
  await using scene = await openScene({ keys: ['team', 'other'], policies: {}, signed: 'alone' });
  scene.write('x.json', '{}');
  for (const [key, type] of [
    ['team', 'https://acme.example/review/v1'],
    ['other', 'https://evil.example/review/v1'],
  ]) {
    const how = ['--key', `${key}.key`, '--allow-http', '--no-sbom', '--attest', `${type}=x.json`];
    const signed = await scene.tcf('sign', scene.name, ...how);
    expect(signed.exit, signed.err).toBe(0);
  }
  expect(await init(scene, '--key', 'team.pub')).toMatchObject({ exit: 0 });
  expect(written(scene)).toContain(
    '# Attested by these as well, and asked for by no line here (docs/policy.md has the rules):\n      #   https://acme.example/review/v1\n',
  );
  expect(written(scene)).not.toContain('evil.example');
});

test('the key is named from where the policy lies', async () => {
  await using scene = await openScene({ policies: {}, signed: 'alone' });
  mkdirSync(join(scene.path, 'below'));
  expect(await init(scene, '--key', 'team.pub', '-o', 'below/p.yaml')).toMatchObject({ exit: 0 });
  expect(written(scene, 'below/p.yaml')).toContain('keyFile: "../team.pub"');
  const verified = await scene.tcf('verify', scene.name, '--policy', 'below/p.yaml', '--allow-http');
  expect(verified.exit, verified.err).toBe(0);
});

describe('a workflow', () => {
  const issuer = 'https://token.actions.githubusercontent.com';
  const start = 'https://github.com/acme/app/.github/workflows/build.yml@refs/';
  const now = new Date('2026-11-23T12:00:00Z');

  async function signedBy(refs: readonly string[], more: readonly string[]) {
    await using sigstore = await startSigstore({ now: () => now });
    await using scene = await openScene({ policies: {}, host: { now } });
    scene.write('root.json', sigstore.trustedRoot);
    scene.write('config.json', sigstore.signingConfig(1));
    const services = ['--signing-config', 'config.json', '--trusted-root', 'root.json'];
    for (const ref of refs) {
      const token = sigstore.token({ iss: issuer, sub: `${start}${ref}`, email: undefined });
      const env = { SIGSTORE_ID_TOKEN: token };
      const signed = await scene.tcfWith(
        { env },
        'sign',
        scene.name,
        '--allow-http',
        '--no-sbom',
        ...services,
      );
      expect(signed.exit, signed.err).toBe(0);
    }
    const called = await init(scene, '--trusted-root', 'root.json', ...more);
    const text = isThere(scene) ? written(scene) : '';
    const verified = await scene.tcf('verify', scene.name, '--policy', 'policy.yaml', '--allow-http');
    return { ...called, text, verified };
  }

  test('is named with the branch that signed, and nothing wider', async () => {
    const { err, exit, text, verified } = await signedBy(['heads/main'], ['--github', 'acme/app/build.yml']);
    expect(exit, err).toBe(0);
    expect(text).toContain(`  app:\n    issuer: ${issuer}\n    identity: "${start}heads/main"\n`);
    expect(text).toContain('root: "root.json"');
    expect(text).not.toContain('*');
    expect(verified.exit, verified.err).toBe(0);
  });

  test('that signed from two branches is asked about', async () => {
    const refs = ['heads/main', 'heads/other'];
    expect(await signedBy(refs, ['--github', 'acme/app/build.yml'])).toMatchObject({
      exit: 3,
      text: '',
      err: expect.stringContaining('has signed from refs/heads/main and refs/heads/other'),
    });
    const named = await signedBy(refs, ['--github', 'acme/app/build.yml@refs/heads/main']);
    expect(named.exit, named.err).toBe(0);
    expect(named.text).toContain(`identity: "${start}heads/main"`);
    expect(named.text).not.toContain('heads/other');
  });

  test('of the same name elsewhere is not it', async () => {
    expect(await signedBy(['heads/main'], ['--github', 'evil/app/build.yml'])).toMatchObject({
      exit: 1,
      text: '',
    });
  });
});

describe('no policy is written', () => {
  test.for([
    ['by somebody else', 'alone', ['--key', 'other.pub'], 1, 'no policy was written'],
    ['where nobody signed', undefined, ['--key', 'team.pub'], 1, 'nothing is attached to the image'],
    [
      'for other images',
      'alone',
      ['--key', 'team.pub', '--match', 'quay.io/acme/app'],
      1,
      'no scope of the policy covers',
    ],
    ['with a private key', 'alone', ['--key', 'team.key'], 3, 'is not a public key'],
    ['without a signer', 'alone', [], 3, 'nothing says whom the policy shall trust'],
    [
      'with two',
      'alone',
      ['--key', 'team.pub', '--github', 'a/b/c.yml'],
      3,
      'a key and a workflow are named',
    ],
    ['for a workflow that is none', 'alone', ['--github', 'acme/*/build.yml'], 3, 'cannot read --github'],
    ['with a match that is none', 'alone', ['--key', 'team.pub', '--match', 'x"\n# y'], 3, 'match'],
  ] as const)('%s', async ([, signed, args, exit, said]) => {
    await using scene = await openScene({
      keys: ['team', 'other'],
      policies: {},
      ...(signed === undefined ? {} : { signed }),
    });
    expect(await init(scene, ...args)).toMatchObject({ exit, err: expect.stringContaining(said) });
    expect(isThere(scene)).toBe(false);
  });
});

test('what stands there stays, and nobody is asked', async () => {
  await using scene = await openScene({ signed: 'alone' });
  const before = written(scene);
  const asked = scene.registry.requests.length;
  expect(await init(scene, '--key', 'team.pub')).toMatchObject({
    exit: 3,
    err: expect.stringContaining('"policy.yaml" exists already'),
  });
  expect(written(scene)).toBe(before);
  expect(scene.registry.requests.length).toBe(asked);
});

test('a trial stands in no log of decisions', async () => {
  await using scene = await openScene({ policies: {}, signed: 'alone' });
  await init(scene, '--key', 'team.pub');
  expect(await scene.tcf('log', 'show')).toMatchObject({ out: expect.not.stringContaining(scene.name) });
});
