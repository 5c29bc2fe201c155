import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type SigstoreServer, startSigstore, testIdentity } from '../support/sigstore.ts';
import { serveTuf, TestTuf, type TufServer } from '../support/tuf.ts';
import { must, pushIndex, type Ran, run, tcfIn } from './support.ts';

/* The engines of clusters with the policies that tcf exports (byte for byte, but for the TUF mirror of an ImageValidatingPolicy), and tcf itself with the policies they come from: who lets which image
   through. What they believe is a private Sigstore, brought by a TUF mirror as in a cluster that has its own. */

type Who = 'tcf' | 'policy-controller' | 'kyverno' | 'kyverno by ImageValidatingPolicy';

const byImages = 'kyverno by ImageValidatingPolicy';
const everybody: readonly Who[] = ['tcf', 'policy-controller', 'kyverno', byImages];
const nobody: readonly Who[] = [];

/** Someone with an identity token: an address, or the workflow of a repository. */
const workflow = (path: string) => `https://github.com/acme/app/.github/workflows/${path}`;

interface Signing {
  readonly by: string;
  readonly attest?: string;
  readonly log?: 1 | 2;
}

interface Case {
  /** Begins with the scope that decides. */
  readonly repository: string;
  /** What tcf signs, keyless. */
  readonly signed?: readonly Signing[];
  /** What is done with the image after that. */
  readonly change?: (image: string, digest: Digest) => Promise<void>;
  /** An index around the image is signed and asked for. */
  readonly isIndex?: true;
  readonly lets: readonly Who[];
}

const tests = 'https://example.test/tests/v1';

const common: Readonly<Record<string, Case>> = {
  'an image that is signed': { repository: 'signed/good', signed: [{ by: 'ann' }], lets: everybody },
  'one in a folder below': { repository: 'signed/a/b/good', signed: [{ by: 'ann' }], lets: everybody },
  'an index that is signed': { repository: 'signed/index', isIndex: true, lets: everybody },
  'one that a stranger signed first': {
    repository: 'signed/crowd',
    signed: [{ by: 'eve' }, { by: 'ann' }],
    lets: everybody,
  },
  'one that nobody signed': { repository: 'signed/none', lets: nobody },
  'one that a stranger signed': { repository: 'signed/stranger', signed: [{ by: 'eve' }], lets: nobody },
  'one with the signature of another': {
    repository: 'signed/copied',
    change: (_, digest) => carry('signed/good', 'signed/copied', digest, signatureType),
    lets: nobody,
  },
  'one of which the signer only attested something': {
    repository: 'signed/attested',
    change: async (_, digest) => {
      const same = 'stock/attested';
      await pushDemoImage({ host: registry.host, repository: same, tag: '1', deb: 'signed-attested' });
      await keyless(`${registry.host}/${same}@${digest}`, { by: 'ann', attest: tests });
      await carry(same, 'signed/attested', digest, tests);
    },
    lets: nobody,
  },
  'one whose log is a Rekor v2': {
    repository: 'signed/rekor2',
    signed: [{ by: 'ann', log: 2 }],
    lets: ['tcf', 'kyverno', byImages],
  },
  'one by a workflow': {
    repository: 'workflows/good',
    signed: [{ by: workflow('release.yml@refs/tags/v1') }],
    lets: everybody,
  },
  'one by a workflow of another branch': {
    repository: 'workflows/branch',
    signed: [{ by: workflow('release.yml@refs/heads/main') }],
    lets: nobody,
  },
  'one by a workflow in a folder, which the glob does not enter': {
    repository: 'workflows/folder',
    signed: [{ by: workflow('a/release.yml@refs/tags/v1') }],
    lets: nobody,
  },
  'one by a workflow whose name holds the right one': {
    repository: 'workflows/within',
    signed: [{ by: `https://evil.test/${workflow('release.yml@refs/tags/v1')}` }],
    lets: nobody,
  },
  'one that is signed and tested': {
    repository: 'tested/good',
    signed: [{ by: 'ann', attest: tests }],
    lets: everybody,
  },
  'one that is signed by one and tested by another': {
    repository: 'tested/both',
    signed: [{ by: 'ann' }, { by: 'bob', attest: tests }],
    lets: everybody,
  },
  'one that is signed only': { repository: 'tested/half', signed: [{ by: 'ann' }], lets: nobody },
  'one that a stranger tested': {
    repository: 'tested/stranger',
    signed: [{ by: 'ann' }, { by: 'eve', attest: tests }],
    lets: nobody,
  },
  'one of which something else is attested': {
    repository: 'tested/else',
    signed: [{ by: 'ann', attest: 'https://example.test/tests/v2' }],
    lets: nobody,
  },
  'one without a signature where that is a warning': { repository: 'warned/none', lets: everybody },
  'one in no scope': { repository: 'elsewhere/good', signed: [{ by: 'ann' }], lets: nobody },
  'one whose repository begins as a scope does': {
    repository: 'signed-more/good',
    signed: [{ by: 'ann' }],
    lets: nobody,
  },
};

const keys: Readonly<Record<string, Case>> = {
  'an image that tcf signed with the key': {
    repository: 'signed/bundle',
    change: (image) => must(tcf(['sign', image, '--key', 'team.key', '--no-sbom'])),
    lets: ['tcf', 'kyverno', byImages],
  },
  'an image that cosign 2 signed with the key': {
    repository: 'signed/tag',
    change: (image) => cosign2('sign', image, 'team'),
    lets: ['tcf', 'policy-controller'],
  },
  'an image that tcf signed with another key': {
    repository: 'signed/other-bundle',
    change: (image) => must(tcf(['sign', image, '--key', 'eve.key', '--no-sbom'])),
    lets: nobody,
  },
  'an image that cosign 2 signed with another key': {
    repository: 'signed/other-tag',
    change: (image) => cosign2('sign', image, 'eve'),
    lets: nobody,
  },
  'an image of which the key only attested something': {
    repository: 'signed/attested-tag',
    change: (image) => cosign2('attest', image, 'team', ...testsOf()),
    lets: nobody,
  },
  'an image that is signed and tested, by cosign 2': {
    repository: 'tested/tag',
    change: async (image) => {
      await cosign2('sign', image, 'team');
      await cosign2('attest', image, 'team', ...testsOf());
    },
    lets: ['tcf', 'policy-controller'],
  },
  'an image that is signed and tested, by tcf': {
    repository: 'tested/bundle',
    change: (image) =>
      must(tcf(['sign', image, '--key', 'team.key', '--no-sbom', '--attest', `${tests}=tests.json`])),
    lets: ['tcf', 'kyverno', byImages],
  },
  'an image that is signed only, by cosign 2': {
    repository: 'tested/half',
    change: (image) => cosign2('sign', image, 'team'),
    lets: nobody,
  },
};

const two: Readonly<Record<string, Case>> = {
  'an image that both signed': {
    repository: 'two/both',
    signed: [{ by: 'ann' }, { by: 'bob' }],
    lets: ['tcf', 'kyverno', byImages],
  },
  'an image that one of them signed, and again': {
    repository: 'two/again',
    signed: [{ by: 'ann' }, { by: 'ann' }],
    lets: nobody,
  },
  'an image of the outer scope that ann signed': {
    repository: 'two/within/good',
    signed: [{ by: 'ann' }],
    lets: ['tcf', 'kyverno', byImages],
  },
};

const place = folder();
const tcf = tcfIn(place.path);
const tuf = { TUF_ROOT: join(place.path, 'tuf') };
let sigstore: SigstoreServer;
let mirror: TufServer;
let registry: TestRegistry;

beforeAll(async () => {
  sigstore = await startSigstore();
  const repository = new TestTuf(sigstore.trustedRoot, new Date());
  // These clients download every target, and this one is not there.
  repository.publish({ edit: { targets: ({ targets }) => delete targets['other/file.txt'] } });
  mirror = await serveTuf(repository.files);
  writeFileSync(join(place.path, 'tuf.json'), repository.anchor);
  await must(run(place.path, join(inject('parts'), 'tuf-initialize'), [mirror.url, 'tuf.json'], tuf));
  registry = await startRegistry();
  writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
  for (const log of [1, 2] as const) {
    writeFileSync(join(place.path, `signing-${log}.json`), sigstore.signingConfig(log));
  }
  writeFileSync(join(place.path, 'tests.json'), '{"passed":true}');
  for (const name of ['team', 'eve']) {
    await must(tcf(['keygen', '--output-key-prefix', name]));
  }
}, 300_000);
afterAll(async () => {
  await registry.close();
  await mirror[Symbol.asyncDispose]();
  await sigstore[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

function keyless(image: string, { attest, by, log = 1 }: Signing): Promise<void> {
  const person = by.includes('://')
    ? { sub: by, email: undefined }
    : { sub: by, email: `${by}@example.test` };
  return must(
    tcf(
      [
        ...['sign', image, '--no-sbom', '--signing-config', `signing-${log}.json`],
        ...['--trusted-root', 'root.json'],
        ...(attest === undefined ? [] : ['--attest', `${attest}=tests.json`]),
      ],
      { SIGSTORE_ID_TOKEN: sigstore.token(person) },
    ),
  );
}

const testsOf = () => ['--type', tests, '--predicate', 'tests.json'];

function cosign2(verb: string, image: string, key: string, ...options: readonly string[]): Promise<void> {
  const offline = ['--tlog-upload=false', '--yes', '--allow-http-registry'];
  return must(
    run(place.path, inject('cosign2'), [verb, '--key', `${key}.key`, ...options, ...offline, image]),
  );
}

const signatureType = 'https://sigstore.dev/cosign/sign/v1';

/** Takes what one repository holds of a type to an image of another, as if it were about that. */
async function carry(from: string, to: string, digest: Digest, type: string): Promise<void> {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const [source, target] = [from, to].map((repository) => ({ registry: registry.host, repository }));
  if (source === undefined || target === undefined) {
    throw new Error('two repositories');
  }
  const subject = await client.manifest(source, '1');
  const image = await client.manifest(target, digest);
  if (subject === undefined || image === undefined) {
    throw new Error('two images');
  }
  for (const { digest: referrer } of await client.referrers(source, subject.descriptor.digest)) {
    const found = await client.manifest(source, referrer);
    const manifest = JSON.parse(Buffer.from(found?.bytes ?? []).toString());
    if (manifest.annotations['dev.sigstore.bundle.predicateType'] !== type) {
      continue;
    }
    for (const blob of [manifest.config, ...manifest.layers]) {
      await client.copyBlob(target, blob, () => client.blob(source, blob));
    }
    const { mediaType } = manifest.subject;
    const about = { mediaType, digest, size: image.bytes.length };
    await client.attach(target, Buffer.from(JSON.stringify({ ...manifest, subject: about })), about);
  }
}

async function prepare({ change, isIndex, repository, signed = [] }: Case): Promise<string> {
  const deb = repository.replaceAll('/', '-');
  const digest = await pushDemoImage({ host: registry.host, repository, tag: '1', deb });
  const image = `${registry.host}/${repository}@${digest}`;
  for (const one of signed) {
    await keyless(image, one);
  }
  await change?.(image, digest);
  if (isIndex === undefined) {
    return image;
  }
  const index = await pushIndex(registry.host, repository, digest);
  await keyless(index, { by: 'ann' });
  return index;
}

interface Engine {
  readonly who: Who;
  readonly target?: string;
  /** What it says where it has looked and denies. */
  readonly denial: RegExp;
  ask(policy: string, image: string): Promise<Ran>;
}

const engines: readonly Engine[] = [
  {
    who: 'tcf',
    denial: /: denied$/m,
    ask: (policy, image) =>
      tcf(['verify', image, '--policy', `${policy}.yaml`, '--trusted-root', 'root.json']),
  },
  {
    who: 'policy-controller',
    target: 'cluster-image-policy',
    denial: /"errors":\[/,
    ask: (policy, image) => {
      const file = `${policy}/cluster-image-policy.yaml`;
      const asked = ['-policy', file, '-image', image, '-log-level', 'error'];
      return run(place.path, join(inject('parts'), 'policy-tester'), asked, tuf);
    },
  },
  {
    who: 'kyverno',
    target: 'kyverno',
    denial: /fail: [1-9]/,
    ask: (policy, image) => askKyverno(`${policy}/kyverno.yaml`, image),
  },
  {
    who: byImages,
    target: 'image-validating-policy',
    denial: /fail: [1-9]/,
    ask: (policy, image) => askKyverno(`${policy}/image-validating-policy.yaml`, image),
  },
];

/**
 * An ImageValidatingPolicy says itself whom it believes: the public instance, which is not reached here,
 * where it says nothing. The command line counts what only audits as failed, so the document that only warns
 * is left out.
 */
function believeMirror(file: string): void {
  const path = join(place.path, file);
  const anchor = readFileSync(join(place.path, 'tuf.json')).toString('base64');
  const tuf = `        tuf:\n          mirror: ${mirror.url}\n          root:\n            data: ${anchor}\n`;
  const documents = readFileSync(path, 'utf8').split(/^---\n/m);
  const denying = documents.filter((one) => one.includes('validationActions:\n    - Deny\n'));
  expect(denying).toHaveLength(1);
  writeFileSync(path, denying.join('').replaceAll('      cosign:\n', `      cosign:\n${tuf}`));
}

function askKyverno(policy: string, image: string): Promise<Ran> {
  const spec = { containers: [{ name: 'one', image }] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one', namespace: 'default' }, spec };
  writeFileSync(join(place.path, 'pod.json'), JSON.stringify(pod));
  const asked = ['apply', policy, '--resource', 'pod.json', '--registry', '--audit-warn'];
  return run(place.path, join(inject('parts'), 'kyverno'), asked, tuf);
}

const identity = (name: string) =>
  `${name}: { issuer: "${testIdentity.issuer}", identity: "${name}@example.test" }`;
const people = [
  identity('ann'),
  identity('bob'),
  `workflow: { issuer: "${testIdentity.issuer}", identity: "${workflow('*.yml@refs/tags/*')}" }`,
];
const attested = (by: string) => `attested: { predicates: [{ type: "${tests}", by: [${by}] }] }`;

const policies: readonly Policy[] = [
  {
    name: 'common',
    cases: common,
    signers: people,
    scopes: {
      signed: 'signed: { by: [ann] }',
      workflows: 'signed: { by: [workflow] }',
      tested: `signed: { by: [ann] }, ${attested('ann, bob')}`,
      warned: 'signed: { by: [ann], mode: warn }',
    },
    targets: ['cluster-image-policy', 'kyverno', 'image-validating-policy'],
  },
  {
    name: 'keys',
    cases: keys,
    trust: 'trust: { logs: { key: 0 } }',
    signers: ['team: { keyFile: team.pub }'],
    scopes: {
      signed: 'signed: { by: [team] }',
      tested: `signed: { by: [team] }, ${attested('team')}`,
    },
    targets: ['cluster-image-policy', 'kyverno', 'image-validating-policy'],
  },
  {
    name: 'two',
    cases: two,
    signers: people,
    scopes: {
      two: 'signed: { by: [ann, bob], threshold: 2 }',
      'two/within': 'signed: { by: [ann] }',
    },
    targets: ['kyverno', 'image-validating-policy'],
  },
];

interface Policy {
  readonly name: string;
  readonly cases: Readonly<Record<string, Case>>;
  readonly trust?: string;
  readonly signers: readonly string[];
  /** Rules by the folder of the registry that they are about. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly targets: readonly string[];
}

describe.for(policies)('$name', ({ cases, name, scopes, signers, targets, trust = '' }) => {
  const references = new Map<string, string>();

  beforeAll(async () => {
    const rules = Object.entries(scopes).map(
      ([match, require]) => `  - { match: "${registry.host}/${match}", require: { ${require} } }\n`,
    );
    const text = `version: 1\n${trust}\nsigners:\n${signers.map((one) => `  ${one}\n`).join('')}scopes:\n${rules.join('')}`;
    writeFileSync(join(place.path, `${name}.yaml`), text);
    const source = join(import.meta.dirname, '../../src/main.ts');
    for (const target of targets) {
      const asked = ['policy', 'export', '--to', target, `${name}.yaml`, '--output', name];
      await must(run(place.path, process.execPath, [source, ...asked]));
    }
    if (targets.includes('image-validating-policy')) {
      believeMirror(`${name}/image-validating-policy.yaml`);
    }
    for (const [what, one] of Object.entries(cases)) {
      references.set(what, await prepare(one));
    }
  }, 600_000);

  describe.for(engines.filter(({ target }) => target === undefined || targets.includes(target)))(
    '$who',
    ({ ask, denial, who }) => {
      test.for(Object.entries(cases))('%s', async ([what, { lets }]) => {
        const { code, text } = await ask(name, references.get(what) ?? '');
        expect(code === 0, text).toBe(lets.includes(who));
        if (code !== 0) {
          expect(text).toMatch(denial);
        }
      });
    },
  );

  test('whatever an engine lets through, tcf does', () => {
    for (const { lets } of Object.values(cases)) {
      expect(lets.length === 0 || lets.includes('tcf')).toBe(true);
    }
  });
});
