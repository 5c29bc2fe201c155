import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { folder, testHost } from '../support/host.ts';

const signers = `version: 1
signers:
  ada: { issuer: https://accounts.google.com, identity: ada@acme.example }
  bob: { issuer: https://accounts.google.com, identity: bob@acme.example, notAfter: 2020-01-01 }
`;
const strict = `${signers}scopes:
  - match: quay.io
    require: { signed: { by: [bob] } }
  - match: quay.io/acme/app
    require: { signed: { by: [ada], maxAge: 90d }, attested: { mode: warn, predicates: [{ type: vuln, by: [ada] }] } }
exceptions:
  - digest: sha256:${'1'.repeat(64)}
    rules: [signed]
    reason: moving
    owner: ada
    expires: 2020-01-01
`;

async function tcf(files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  using place = folder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place.path, path)), { recursive: true });
    writeFileSync(join(place.path, path), text);
  }
  const host = testHost({ cwd: place.path, env: {} });
  const exit = await main(['policy', ...args], host);
  const written = (path: string): string | undefined =>
    existsSync(join(place.path, path)) ? readFileSync(join(place.path, path), 'utf8') : undefined;
  return {
    exit,
    out: host.out(),
    err: host.err(),
    left: readdirSync(place.path),
    files: ['out/policy.json', 'out/registries.d/tcf.yaml'].map(written),
  };
}

test('a policy that can deny is checked, and what works badly is said', async () => {
  const { err, exit, out } = await tcf({ 'p.yaml': strict }, 'check', 'p.yaml');
  expect({ exit, out }).toEqual({
    exit: 0,
    out: 'p.yaml is a policy: 2 signers, 2 scopes\n  quay.io: signed\n  quay.io/acme/app: signed, attested\n',
  });
  expect(err).toContain(`tcf: warning: the exception of ada for sha256:${'1'.repeat(64)} ended 2020-01-01\n`);
  expect(err).toContain('tcf: warning: what bob signs today no longer counts\n');
});

test.for([
  [
    'one scope only warns (A-112)',
    `${signers}scopes:\n  - { match: quay.io, require: { signed: { by: [ada] } } }\n  - { match: quay.io/acme, require: { signed: { by: [ada], mode: warn } } }\n`,
    'quay.io/acme: every rule only warns',
  ],
  [
    'a deny list beside warnings',
    `${signers}deny: { digests: ["sha256:${'1'.repeat(64)}"] }\nscopes:\n  - { match: quay.io, require: { signed: { by: [ada], mode: warn } } }\n`,
    'quay.io: every rule only warns',
  ],
] as const)('a policy that cannot deny anything fails: %s', async ([, text, message]) => {
  const { err, exit } = await tcf({ 'p.yaml': text }, 'check', 'p.yaml');
  expect(exit).toBe(1);
  expect(err).toContain(`tcf: error: ${message}, so every image is allowed\n`);
});

const cel = (that: string, more = '') =>
  `${signers}scopes:\n  - { match: quay.io/acme, require: { expressions: { by: [ada], all: [{ that: ${JSON.stringify(that)}, because: it is agreed }] }${more} } }\n`;

test.for([
  ['true'],
  ['1 == 1'],
  ['!false'],
  ['true || attestations.exists(a, a.predicate.ok)'],
  ['signatures.exists(s, true) || true'],
  ['image.registry == "quay.io"'],
  ['image.repository.startsWith("acme")'],
  ['image.digest.startsWith("sha256:")'],
  ['now > timestamp("2020-01-01T00:00:00Z") || now < timestamp("2021-01-01T00:00:00Z")'],
  ['now.getHours() < 24 && now.getDayOfWeek() < 7'],
  ['has(image.platform)'],
  ['[1, 2].all(n, n > 0)'],
  ['"a" in ["a", "b"]'],
  ['type(now) == type(now)'],
])('a scope is refused whose one expression is always true: %s', async ([that]) => {
  const { err, exit } = await tcf({ 'p.yaml': cel(that ?? '') }, 'check', 'p.yaml');
  expect(exit).toBe(1);
  expect(err).toContain('tcf: error: quay.io/acme: nothing in it can deny, so every image is allowed\n');
  expect(err).toContain('is true of every image\n');
});

test('an expression that is always true is refused beside rules that can deny, and other rules that only warn do not help', async () => {
  const beside = await tcf({ 'p.yaml': cel('true', ', signed: { by: [ada] }') }, 'check', 'p.yaml');
  expect(beside.exit).toBe(1);
  expect(beside.err).toContain('tcf: error: quay.io/acme: the expression "true" is true of every image\n');
  expect(beside.err).not.toContain('nothing in it can deny');
  const warned = await tcf(
    { 'p.yaml': cel('true', ', signed: { by: [ada], mode: warn }') },
    'check',
    'p.yaml',
  );
  expect(warned.err).toContain('nothing in it can deny');
});

test.for([
  ['signatures.exists(s, s.signer == "ada")'],
  ['attestations.all(a, true)'],
  ['sbom.components.size() > 0'],
  ['signatures.size() >= 0'],
  ['false'],
])('an expression that needs evidence, or is never true, can deny: %s', async ([that]) => {
  expect(await tcf({ 'p.yaml': cel(that ?? '') }, 'check', 'p.yaml')).toMatchObject({
    exit: 0,
    err: expect.not.stringContaining('allowed'),
  });
});

test.for([
  ['image.repository == "acme/app"'],
  ['image.repository != "acme/old"'],
  [`image.digest != "sha256:${'a'.repeat(64)}"`],
  ['now < timestamp("2031-01-01T00:00:00Z")'],
  ['now.getDayOfWeek() != 5'],
])(
  'an expression about names or times alone can deny, and a warning says what it allows: %s',
  async ([that]) => {
    const { err, exit } = await tcf({ 'p.yaml': cel(that ?? '') }, 'check', 'p.yaml');
    expect(exit).toBe(0);
    expect(err).toContain('tcf: warning: quay.io/acme: an image to which nothing is attached may be allowed');
  },
);

test('entries that match nothing in an SBOM are listed, and those that match are not', async () => {
  const require = `sbom: { by: [ada] }, components: { deny: ["pkg:pypi/trition", "pkg:deb/*/bash", "pkg:pypi/torch@1.0", { purl: pkg:pypi/torch, versions: "vers:pypi/<2.0" }], require: ["pkg:pypi/TORCH", "pkg:pypi/vllm"] }`;
  const sbom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    components: [
      { type: 'library', name: 'torch', purl: 'pkg:pypi/torch@2.8.0' },
      { type: 'library', name: 'bash', purl: 'pkg:deb/debian/bash@5.2-1' },
    ],
  };
  const files = {
    'p.yaml': `${signers}scopes:\n  - { match: quay.io, require: { ${require} } }\n`,
    'sbom.json': JSON.stringify(sbom),
  };
  const { err, exit } = await tcf(files, 'check', 'p.yaml', '--against', 'sbom.json');
  expect(exit).toBe(0);
  expect(err.split('\n').filter((line) => line.includes('matches nothing'))).toEqual([
    'tcf: note: quay.io: components.deny: pkg:pypi/trition matches nothing in the SBOM',
    'tcf: note: quay.io: components.deny: pkg:pypi/torch@1.0 matches nothing in the SBOM',
    'tcf: note: quay.io: components.deny: pkg:pypi/torch in vers:pypi/<2.0 matches nothing in the SBOM',
    'tcf: warning: quay.io: components.require: pkg:pypi/vllm matches nothing in the SBOM',
  ]);
  expect((await tcf(files, 'check', 'p.yaml', '--against', 'p.yaml')).exit).toBe(2);
  expect((await tcf(files, 'check', 'p.yaml', '--against', 'none.json')).exit).toBe(3);
});

test('a signer whom nothing names is not taken for protection', async () => {
  const { err } = await tcf({ 'p.yaml': strict.replace('by: [bob]', 'by: [ada]') }, 'check', 'p.yaml');
  expect(err).toContain('tcf: warning: no rule names the signer bob\n');
});

test('a CEL expression is checked with the policy', async () => {
  const text = `${signers}scopes:\n  - { match: quay.io, require: { expressions: { by: [ada], all: [{ that: "signaturs.size() > 0", because: "no" }] } } }\n`;
  const { err, exit } = await tcf({ 'p.yaml': text }, 'check', 'p.yaml');
  expect(exit).toBe(3);
  expect(err).toContain(
    'p.yaml:6:74: scopes[0].require.expressions.all[0].that is not a CEL expression for policies',
  );
});

test('explain says which scope decides, and what it asks', async () => {
  const { exit, out } = await tcf(
    { 'p.yaml': strict },
    'explain',
    '--policy',
    'p.yaml',
    'quay.io/acme/app:v1',
  );
  expect(exit).toBe(0);
  expect(out).toBe(`quay.io/acme/app:v1: allowed if its policy says so

policy p.yaml
  scope quay.io/acme/app decides: more specific than quay.io
  multiArch index: of an image for several platforms the index is signed
  • signed: The image is signed by a trusted signer.
      by: ["ada"]
      maxAge: "90d"
  ! attested (only warns): Each wanted predicate about the image is attested by a trusted signer.
      predicates: [{"type":"vuln","by":["ada"]}]
  signers
    ada: ada@acme.example (issuer https://accounts.google.com)
  exception from signed for sha256:${'1'.repeat(64)} until 2020-01-01, by ada: moving
`);
});

test('explain shows every policy that applies, and that one of them denies the name', async () => {
  const files = {
    'p.yaml': strict,
    '.tcf/policy.yaml': `${signers}scopes:\n  - { match: ghcr.io, require: { signed: { by: [ada] } } }\n`,
  };
  const { exit, out } = await tcf(
    files,
    'explain',
    '--policy',
    'p.yaml',
    `quay.io/else@sha256:${'2'.repeat(64)}`,
  );
  expect(exit).toBe(1);
  expect(out).toContain('denied whatever is attached to it: it is in no scope of a policy\n');
  expect(out).toContain('  scope quay.io decides: the only one that covers it\n');
  expect(out).toContain('  ✗ no scope covers it: there is ghcr.io\n');
  expect(out).not.toContain('exception');
});

test('a policy that a target can say comes out on standard output', async () => {
  const text = `${signers}scopes:\n  - { match: quay.io/acme, require: { signed: { by: [ada] } } }\n`;
  const { err, exit, out } = await tcf(
    { 'p.yaml': text },
    'export',
    '--to',
    'cluster-image-policy',
    'p.yaml',
  );
  expect({ exit, start: out.split('\n')[0] }).toEqual({
    exit: 0,
    start: 'apiVersion: policy.sigstore.dev/v1beta1',
  });
  expect(err).toContain('tcf: note: images in no scope are denied by no-match-policy: deny');
});

test('several files go into a folder', async () => {
  const key = readFileSync(join(import.meta.dirname, '../../fixtures/fields/team.pub'), 'utf8');
  const text =
    'version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes:\n  - { match: quay.io/acme, multiArch: platform, require: { signed: { by: [team] } } }\n';
  const files = { 'p.yaml': text, 'team.pub': key };
  const refused = await tcf(files, 'export', '--to', 'containers-policy', 'p.yaml');
  expect(refused).toMatchObject({ exit: 3, out: '' });
  expect(refused.err).toContain('there are 2 files: policy.json, registries.d/tcf.yaml');
  const {
    exit,
    files: [policy, registries],
  } = await tcf(files, 'export', '--to', 'containers-policy', '-o', 'out', 'p.yaml');
  expect(exit).toBe(0);
  expect(JSON.parse(policy ?? '')).toMatchObject({ default: [{ type: 'reject' }] });
  expect(registries).toContain('use-sigstore-attachments: true');
});

test('what a target cannot say is refused with its place, and nothing is written', async () => {
  const { err, exit, left, out } = await tcf(
    { 'p.yaml': strict },
    'export',
    '--to',
    'kyverno',
    '-o',
    'out',
    'p.yaml',
  );
  expect({ exit, out, left }).toEqual({ exit: 1, out: '', left: ['p.yaml'] });
  expect(err).toContain(
    'p.yaml: scopes[1].require.signed.maxAge: the target does not ask how old a signature is\n',
  );
  expect(err).toContain('tcf: kyverno cannot say what the policy says; nothing was exported\n');
});

test.for([
  ['no target', ['export', 'p.yaml'], 'nothing says for which engine'],
  ['an unknown target', ['export', '--to', 'opa', 'p.yaml'], 'tcf does not export to "opa"'],
  ['an unknown action', ['bless', 'p.yaml'], 'tcf policy has no action "bless"'],
  ['an action without its object', ['check'], "missing required argument 'file'"],
  [
    'an image that is none',
    ['explain', '--policy', 'p.yaml', 'quay.io/UPPER'],
    'cannot read "quay.io/UPPER" as an image reference',
  ],
  ['no policy at all', ['explain', 'quay.io/acme/app'], 'there is no policy'],
  ['a file that is not there', ['check', 'q.yaml'], 'cannot read the policy "q.yaml"'],
] as const)('asked wrongly: %s', async ([, args, message]) => {
  const { err, exit, out } = await tcf({ 'p.yaml': strict }, ...args);
  expect({ exit, out }).toEqual({ exit: 3, out: '' });
  expect(err).toContain(message);
});
