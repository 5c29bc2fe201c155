import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { TcfError } from '../../src/base/error.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { compile } from '../../src/policy/cel.ts';
import { draftPolicy, parsePolicy } from '../../src/policy/document.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const fingerprint = digestOf(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })));

const release =
  'release: { issuer: https://issuer.example, identity: https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main }';
const good = `version: 1
signers:
  ${release}
scopes:
  - match: quay.io/acme
    require:
      signed: { by: [release] }
      sbom: { by: [release] }
`;

function errorOf(text: string): TcfError {
  try {
    parsePolicy(text, 'policy.yaml', { compile });
  } catch (error) {
    if (error instanceof TcfError) {
      return error;
    }
    throw error;
  }
  throw new Error('the policy was taken');
}

test('a policy names signers, scopes and rules; the rest has careful defaults', () => {
  const policy = parsePolicy(good, 'policy.yaml');
  expect(policy.scopes).toEqual([
    {
      match: 'quay.io/acme',
      multiArch: 'index',
      require: { signed: { by: ['release'] }, sbom: { by: ['release'] } },
    },
  ]);
  expect(policy.trust).toEqual({
    instances: ['sigstore'],
    logs: { keyless: 1, key: 1 },
    experimental: [],
    pins: [],
  });
  expect(policy.signers.get('release')).toMatchObject({ kind: 'keyless', issuer: 'https://issuer.example' });
});

test('JSON is read as well, and another text is another policy', () => {
  const json = JSON.stringify({
    version: 1,
    signers: { team: { key: pem } },
    scopes: [{ match: 'index.docker.io', require: { signed: { by: ['team'], mode: 'warn' } } }],
  });
  const policy = parsePolicy(json, 'policy.json');
  expect(policy.signers.get('team')).toMatchObject({ kind: 'key', fingerprint });
  expect(policy.scopes[0]?.match).toBe('docker.io');
  expect(policy.digest).not.toBe(parsePolicy(`${json}\n`, 'policy.json').digest);
});

test('a key stands in a block of text', () => {
  const text = good.replace(release, `release:\n    key: |\n${pem.replace(/^/gm, '      ')}`);
  expect(parsePolicy(text, 'policy.yaml').signers.get('release')).toMatchObject({ kind: 'key', fingerprint });
});

test('a key file is asked for by name, and another key makes another policy', () => {
  const text = good.replace(release, 'release: { keyFile: cosign.pub }');
  expect(draftPolicy(text, 'policy.yaml')).toMatchObject({ keyFiles: ['cosign.pub'], cel: false });
  const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const policy = parsePolicy(text, 'policy.yaml', { keyFiles: { 'cosign.pub': pem } });
  expect(policy.signers.get('release')).toMatchObject({ fingerprint });
  expect(parsePolicy(text, 'policy.yaml', { keyFiles: { 'cosign.pub': other } }).digest).not.toBe(
    policy.digest,
  );
  expect(() => parsePolicy(text, 'policy.yaml')).toThrow(
    'policy.yaml:3:23: signers.release.keyFile names the key file "cosign.pub", which was not read',
  );
});

const swap = (from: string, to: string): string => {
  if (!good.includes(from)) {
    throw new Error(`"${from}" is not in the policy`);
  }
  return good.replace(from, to);
};
const signerWith = (text: string): string => swap(release, `release: ${text}`);
const identityOf = (identity: string): string =>
  signerWith(`{ issuer: https://issuer.example, identity: ${JSON.stringify(identity)} }`);
const scopeOf = (match: string): string => swap('quay.io/acme', JSON.stringify(match));
const provenanceOf = (part: string): string => `${good}      provenance: { by: [release], ${part} }\n`;
const expressionOf = (that: string): string =>
  `${good}      expressions: { by: [release], all: [{ that: ${JSON.stringify(that)}, because: "no" }] }\n`;
const githubOf = (run: string): string =>
  signerWith(`{ issuer: https://issuer.example, identity: https://github.com/acme/app, github: ${run} }`);
const exceptionWith = (parts: Readonly<Record<string, unknown>>): string => {
  const exception = {
    digest: `sha256:${'1'.repeat(64)}`,
    rules: ['signed'],
    reason: 'moving',
    owner: 'ada',
    expires: '2027-01-01',
  };
  return `${good}exceptions: [${JSON.stringify({ ...exception, ...parts })}]\n`;
};
const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test.for([
  ['nothing', '', 'policy.yaml:1:1'],
  ['text', 'allow everything', 'policy.yaml:1:1'],
  ['another version', swap('version: 1', 'version: 2'), 'policy.yaml:1:10: version is not 1'],
  ['no version', swap('version: 1\n', ''), 'version is missing'],
  ['an unknown key', swap('scopes:', 'scops:'), 'scopes is missing'],
  ['an unknown key of a rule', swap('{ by: [release] }', '{ by: [release], orElse: allow }'), '"orElse"'],
  [
    'an unknown rule',
    swap('sbom:', 'sbomb:'),
    'policy.yaml:8:7: scopes[0].require does not know the key "sbomb"',
  ],
  ['a key twice', `${good}version: 1\n`, 'policy.yaml:9:1: Map keys must be unique'],
  ['a key twice in another spelling', `${good}"\\u0076ersion": 1\n`, '9:1: Map keys must be unique'],
  ['a key twice further in', `${good}x: [{ b: 1, 'b': 2 }]\n`, '9:13: Map keys must be unique'],
  ['a second document', `${good}---\nversion: 1\n`, 'multiple documents'],
  ['a directive', `%YAML 1.1\n---\n${good}`, 'policy.yaml:1:1: directives'],
  ['an anchor', swap('[release]', '&all [release]'), 'anchors and aliases'],
  ['an alias', swap('sbom: { by: [release] }', 'sbom: { by: *x }'), 'policy.yaml:8:19'],
  ['a tag', swap('[release]', '!!seq [release]'), 'tags have no place'],
  ['a tag on text', swap('quay.io/acme', '!!str quay.io/acme'), 'tags have no place'],
  ['an unknown tag', swap('[release]', '!all [release]'), 'policy.yaml'],
  ['a merge key', swap('    require:', '    <<: { multiArch: index }\n    require:'), '"<<"'],
  ['deep nesting', '['.repeat(20_000), 'policy.yaml:1'],
  ['a very long text', `${good}#${'x'.repeat(300_000)}`, 'longer than'],
  ['no signer', swap('[release]', '[]'), 'scopes[0].require.signed.by is empty'],
  [
    'a signer nobody defined',
    swap('[release]', '[relaese]'),
    'policy.yaml:7:22: scopes[0].require.signed.by[0] names "relaese"',
  ],
  ['an inherited name as signer', swap('[release]', '[constructor]'), 'names "constructor"'],
  ['no scope', good.replace(/scopes:.*/s, 'scopes: []\n'), 'scopes is empty'],
  ['a scope that asks for nothing', good.replace(/require:.*/s, 'require: {}\n'), 'asks for nothing'],
  [
    'one scope twice, spelled differently',
    `${swap('quay.io/acme', 'docker.io/acme')}  - match: index.docker.io/acme\n    require: { signed: { by: [release] } }\n`,
    'stands twice',
  ],
  [
    'one official image under two names',
    `${swap('quay.io/acme', 'docker.io/ubuntu')}  - match: docker.io/library/ubuntu\n    require: { signed: { by: [release] } }\n`,
    'means the same image as "docker.io/ubuntu"',
  ],
  [
    'one registry twice, once with its port',
    `${swap('quay.io/acme', 'quay.io:443')}  - match: quay.io\n    require: { signed: { by: [release] } }\n`,
    'stands twice',
  ],
  [
    'a threshold that one mailbox would have to reach',
    `version: 1
signers:
  a: { issuer: https://accounts.google.com, identity: ada@acme.example }
  b: { issuer: https://accounts.google.com, identity: ada+ci@acme.example }
scopes: [{ match: quay.io, require: { signed: { by: [a, b], threshold: 2 } } }]
`,
    'is 2, but only 1 can sign',
  ],
  [
    'rules about content without an SBOM',
    swap('sbom: { by: [release] }', 'llvm: { is: pinned }'),
    'whose SBOM to believe',
  ],
  [
    'a base image without provenance',
    `${good}      baseImage: { repositories: [docker.io] }\n`,
    'whose provenance to believe',
  ],
  ['a base image that may be any', `${good}      baseImage: {}\n`, 'asks for nothing'],
  ['a pattern as base', `${good}      baseImage: { repositories: ["*"] }\n`, 'is not a scope'],
  [
    'a source with its ref',
    provenanceOf('sourceRepository: "https://github.com/acme/app@refs/heads/main"'),
    'is not the URL of a repository',
  ],
  [
    'a source that ends in .git',
    provenanceOf('sourceRepository: https://github.com/acme/app.git'),
    'ends in .git',
  ],
  ['a branch name as ref', provenanceOf('ref: main'), 'is not a whole ref'],
  ['parameters that ask for nothing', provenanceOf('parameters: {}'), 'asks for nothing'],
  ['provenance by nobody we know', `${good}      provenance: { by: [mallory] }\n`, 'names "mallory"'],
  ['licences that ask for nothing', `${good}      licenses: { whenUnknown: allow }\n`, 'asks for nothing'],
  [
    'an expression as licence',
    `${good}      licenses: { deny: ["MIT OR Zlib"] }\n`,
    'is not one SPDX licence',
  ],
  ['a licence that is none', `${good}      licenses: { deny: [Expat-ish] }\n`, 'is not one SPDX licence'],
  [
    'a predicate type that is none',
    `${good}      attested: { predicates: [{ type: nonsense, by: [release] }] }\n`,
    'is not a predicate type',
  ],
  [
    'a predicate by nobody we know',
    `${good}      attested: { predicates: [{ type: vuln, by: [mallory] }] }\n`,
    'scopes[0].require.attested.predicates[0].by[0] names "mallory"',
  ],
  [
    'a predicate by more than there are',
    `${good}      attested: { predicates: [{ type: vuln, by: [release], threshold: 3 }] }\n`,
    'predicates[0].threshold is 3',
  ],
  ['llvm that asks for nothing', `${good}      llvm: { mode: warn }\n`, 'asks for nothing'],
  ['a short commit', `${good}      llvm: { commit: 5f07f818 }\n`, 'is not a full commit'],
  ['a denied thing that is not a purl', `${good}      components: { deny: [telnetd] }\n`, 'is not a purl'],
  [
    'a denied purl with qualifiers',
    `${good}      components: { deny: ["pkg:deb/debian/telnetd?arch=amd64"] }\n`,
    'qualifiers',
  ],
  [
    'a denied purl with a subpath',
    `${good}      components: { deny: ["pkg:deb/debian/telnetd#lib"] }\n`,
    'a subpath',
  ],
  ...(
    [
      ['that crosses slashes', '"pkg:deb/debian/**"', 'holds **'],
      ['that is a version', '"pkg:pypi/torch@2.*"', 'has a pattern as its version'],
      ['that is any version', '"pkg:pypi/torch@*"', 'leave the version out, or give a range'],
      ['that is a regular expression', '"pkg:pypi/torch$"', 'is a pattern of another language'],
      ['that is a choice', '"pkg:pypi/[tv]orch"', 'is a pattern of another language'],
      ['that is any text', '"pkg:pypi/.*"', 'is a pattern of another language'],
      ['without a name', '"pkg:deb/debian/"', 'is not a purl'],
      ['that is a distribution', '"pkg:deb/debian"', 'write pkg:deb/debian/*'],
      ['for any type', '"pkg:*/torch"', 'is not a purl'],
      ['beside a range', '{ purl: "pkg:deb/debian/**", versions: "vers:deb/<1" }', 'holds **'],
    ] as const
  ).map(
    ([name, entry, message]) =>
      [`a denied pattern ${name}`, `${good}      components: { deny: [${entry}] }\n`, message] as const,
  ),
  ['no denied components', `${good}      components: { deny: [] }\n`, 'is empty'],
  ['an unknown mode', swap('{ by: [release] }', '{ by: [release], mode: off }'), 'enforce or warn'],
  ['a signer with nothing', signerWith('{}'), 'signers.release'],
  [
    'an identity without issuer',
    signerWith('{ identity: https://github.com/acme/app }'),
    'issuer is missing',
  ],
  [
    'an issuer pattern',
    signerWith('{ issuer: "https://*", identity: a@b.example }'),
    'is not the URL of an issuer',
  ],
  [
    'an issuer over plain HTTP',
    signerWith('{ issuer: http://issuer.example, identity: a@b.example }'),
    'is not the URL',
  ],
  [
    'a claim of no known name',
    signerWith('{ issuer: https://i.example, identity: a@b.example, claims: { ref: main } }'),
    'signers.release.claims',
  ],
  [
    'claims that ask for nothing',
    signerWith('{ issuer: https://i.example, identity: a@b.example, claims: {} }'),
    'asks for nothing',
  ],
  [
    'key and identity at once',
    signerWith('{ key: x, issuer: https://i.example, identity: a@b.example }'),
    'signers.release',
  ],
  ['a private key', signerWith(JSON.stringify({ key: privatePem })), 'is not a public key'],
  ['half a key', signerWith(JSON.stringify({ key: pem.replace(/A/g, 'B') })), 'is not a public key'],
  ['an empty identity (A-33)', identityOf(''), 'identity is empty'],
  ['everybody', identityOf('*'), 'leaves open whose identity'],
  ['everybody as a regular expression', identityOf('.*'), 'is a regular expression'],
  ['an anchored regular expression', identityOf('^https://github.com/acme/app$'), 'is a regular expression'],
  ['a prefix as a regular expression', identityOf('https://github.com/acme/.*'), 'is a regular expression'],
  ['any owner', identityOf('https://github.com/*/app'), 'leaves open whose identity'],
  ['any host', identityOf('https://*/acme/app'), 'leaves open whose identity'],
  ['a part of an owner', identityOf('https://github.com/acme*/app'), 'leaves open whose identity'],
  ['any mail', identityOf('*@*'), 'leaves open whose identity'],
  ['a star before the scheme', identityOf('*https://github.com/acme/app'), 'leaves open whose identity'],
  ['a mail with a path', identityOf('*@acme.example/x'), 'leaves open whose identity'],
  ['a path before a mail', identityOf('x/*@acme.example'), 'leaves open whose identity'],
  ['two stars', identityOf('https://github.com/acme/**'), '**'],
  ['an identity beyond ASCII', identityOf('https://github.com/аcme/app'), 'beyond ASCII'],
  ['a short name as scope', scopeOf('acme/app'), 'is not a scope'],
  ['a tag in a scope', scopeOf('quay.io/acme/app:latest'), 'is not a scope'],
  ['a pattern as scope', scopeOf('quay.io/*'), 'is not a scope'],
  ['everything as scope', scopeOf('*'), 'is not a scope'],
  ['a slash at the end of a scope', scopeOf('quay.io/acme/'), 'is not a scope'],
  ['a step up in a scope', scopeOf('quay.io/acme/../evil'), 'is not a scope'],
  [
    'a range of another ecosystem',
    `${good}      components: { deny: [{ purl: pkg:deb/debian/xz, versions: "vers:rpm/<1" }] }\n`,
    'another ecosystem',
  ],
  [
    'a broken range',
    `${good}      components: { deny: [{ purl: pkg:deb/debian/xz, versions: "<1" }] }\n`,
    'is not a version range',
  ],
  [
    'a version beside its range',
    `${good}      components: { deny: [{ purl: "pkg:deb/debian/xz@1", versions: "vers:deb/<1" }] }\n`,
    'has a version beside the range',
  ],
  ['components that ask for nothing', `${good}      components: { mode: warn }\n`, 'asks for nothing'],
  [
    'more signers than there are',
    swap('signed: { by: [release] }', 'signed: { by: [release], threshold: 2 }'),
    'threshold is 2, but only 1 can sign',
  ],
  [
    'one signer named twice for two',
    swap('signed: { by: [release] }', 'signed: { by: [release, release], threshold: 2 }'),
    'only 1 can sign',
  ],
  [
    'a threshold of none',
    swap('signed: { by: [release] }', 'signed: { by: [release], threshold: 0 }'),
    'threshold is too small',
  ],
  [
    'an age without a unit',
    swap('signed: { by: [release] }', 'signed: { by: [release], maxAge: 30 }'),
    'maxAge is not a string',
  ],
  [
    'an age of another unit',
    swap('signed: { by: [release] }', 'signed: { by: [release], maxAge: 30m }'),
    'is not a duration',
  ],
  [
    'a day that is none',
    swap('signed: { by: [release] }', 'signed: { by: [release], notBefore: 2026-04-31 }'),
    'is not a time',
  ],
  [
    'a time without a zone',
    swap('signed: { by: [release] }', 'signed: { by: [release], notBefore: 2026-04-30T00:00:00 }'),
    'is not a time',
  ],
  [
    'annotations that ask for nothing',
    swap('signed: { by: [release] }', 'signed: { by: [release], annotations: {} }'),
    'asks for nothing',
  ],
  [
    'completeness of SPDX',
    swap('sbom: { by: [release] }', 'sbom: { by: [release], formats: [spdx], complete: true }'),
    'cannot be asked of SPDX',
  ],
  [
    'completeness that is not wanted',
    swap('sbom: { by: [release] }', 'sbom: { by: [release], complete: false }'),
    'complete is not true',
  ],
  [
    'a window that ends before it begins',
    signerWith(JSON.stringify({ key: pem, notBefore: '2026-02-01', notAfter: '2026-01-01' })),
    'notAfter is not later than notBefore',
  ],
  ['a run of GitHub that is any run', githubOf('{}'), 'asks for nothing'],
  [
    'a workflow of no repository',
    githubOf('{ workflow: .github/workflows/a.yml }'),
    'without its repository',
  ],
  [
    'a repository that is a URL',
    githubOf('{ repository: https://github.com/acme/app }'),
    'is not owner/name',
  ],
  ['a ref that is a branch name', githubOf('{ ref: main }'), 'is not refs/heads/'],
  ['a number that is none', githubOf('{ repositoryId: acme }'), 'is not the number'],
  ['an unknown runner', githubOf('{ runner: mine }'), 'is not github-hosted or self-hosted'],
  ['a deny list of nothing', `${good}deny: {}\n`, 'deny asks for nothing'],
  ['a denied tag', `${good}deny: { digests: [latest] }\n`, 'is not a digest'],
  ['a deny list in a scope', `${good}      deny: { digests: [] }\n`, 'does not know the key "deny"'],
  ['an exception without an end', exceptionWith({ expires: undefined }), 'expires is missing'],
  ['an exception without a reason', exceptionWith({ reason: '' }), 'is not one line'],
  ['an exception in two lines', exceptionWith({ owner: 'ada\nadmin' }), 'is not one line'],
  ['an exception from an unknown rule', exceptionWith({ rules: ['everything'] }), 'rules[0] is not'],
  ['an exception from the deny list', exceptionWith({ rules: ['deny'] }), 'rules[0] is not'],
  ['an exception for a tag', exceptionWith({ digest: 'latest' }), 'is not a digest'],
  [
    'a trust in a negative number of logs',
    `${good}trust: { logs: { key: -1 } }\n`,
    'trust.logs.key is too small',
  ],
  ['pins of somebody who is not a signer', `${good}trust: { pins: [nobody] }\n`, 'is not one of the signers'],
] as const)('refused: %s', ([, text, message]) => {
  const error = errorOf(text);
  expect(error.code).toBe('policy.malformed');
  expect(error.exit).toBe(3);
  expect(error.message).toContain(message);
});

test('a parameter of a build may be called as a list of signers is', () => {
  expect(() => parsePolicy(provenanceOf('parameters: { by: [mallory] }'), 'policy.yaml')).not.toThrow();
});

test('a policy with expressions is not read without an engine for them', () => {
  const text = expressionOf('image.registry == "quay.io"');
  expect(draftPolicy(text, 'policy.yaml').cel).toBe(true);
  expect(() => parsePolicy(text, 'policy.yaml')).toThrow(
    'policy.yaml:9:51: scopes[0].require.expressions.all[0].that is a CEL expression, but no engine for CEL was loaded',
  );
  expect(parsePolicy(text, 'policy.yaml', { compile }).expressions.size).toBe(1);
});

test('a fault of the engine for CEL is not taken for one of the policy', () => {
  const text = expressionOf('image.registry == "quay.io"');
  const broken = () => {
    throw new RangeError('no more room');
  };
  expect(() => parsePolicy(text, 'policy.yaml', { compile: broken })).toThrow(RangeError);
  expect(errorOf(expressionOf('image.')).message).toContain('policy.yaml:9:51: scopes[0]');
});

test('a signer for a time: from the one, until the other', () => {
  const text = signerWith(JSON.stringify({ key: pem, notBefore: '2026-01-01', notAfter: '2026-02-01' }));
  expect(parsePolicy(text, 'policy.yaml').signers.get('release')).toMatchObject({
    validFor: { start: new Date('2026-01-01'), end: new Date('2026-02-01') },
  });
});

test('a threshold over everybody of a domain can be reached', () => {
  const anybody = signerWith('{ issuer: https://issuer.example, identity: "*@acme.example" }');
  const text = anybody.replace('signed: { by: [release] }', 'signed: { by: [release], threshold: 2 }');
  expect(parsePolicy(text, 'policy.yaml').scopes).toMatchObject([{ require: { signed: { threshold: 2 } } }]);
});

test('a policy that holds its keys is named by its text alone', () => {
  const text = signerWith(JSON.stringify({ key: pem }));
  expect(parsePolicy(text, 'policy.yaml').digest).toBe(digestOf(new TextEncoder().encode(text)));
});

test.for([
  ['before', `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem}`],
  ['behind', `${pem}${privatePem}`],
])('a key with another block %s it is refused', ([, block]) => {
  expect(errorOf(signerWith(JSON.stringify({ key: block }))).message).toContain('is not a public key');
});

test('one key under two names would look like two signers', () => {
  const text = JSON.stringify({
    version: 1,
    signers: { a: { key: pem }, b: { key: `${pem}\n` } },
    scopes: [{ match: 'quay.io', require: { signed: { by: ['a'] } } }],
  });
  expect(() => parsePolicy(text, 'policy.json')).toThrow('signers.b is the same signer as a');
});
