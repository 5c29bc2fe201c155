import { expect, test } from 'vitest';
import { compile } from '../../src/policy/cel.ts';
import { checkPolicy, idleScopes, signersNamedIn } from '../../src/policy/check.ts';
import { deadClaim } from '../../src/policy/dead-identity.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { claimNames } from '../../src/policy/signer-schema.ts';
import { issuer as github } from '../support/evidence.ts';

const now = new Date('2026-11-23T12:00:00Z');
const run = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
const good = { issuer: github, identity: run };

interface Parts {
  readonly signer?: Readonly<Record<string, unknown>>;
  readonly match?: string;
  readonly denied?: Readonly<Record<string, string>>;
  readonly components?: readonly unknown[];
}

/** What `tcf policy check` finds wrong with a policy of these parts. */
function check({ components, denied, match = 'quay.io', signer = good }: Parts): readonly string[] {
  const policy = parsePolicy(
    JSON.stringify({
      version: 1,
      signers: { one: signer },
      ...(denied === undefined ? {} : { deny: { identities: [denied] } }),
      scopes: [
        {
          match,
          require: {
            signed: { by: ['one'] },
            ...(components === undefined ? {} : { sbom: { by: ['one'] }, components: { deny: components } }),
          },
        },
      ],
    }),
    'policy.json',
  );
  return checkPolicy(policy, now)
    .filter(({ level }) => level === 'error')
    .map(({ hint, message, subject }) => `${subject} ${message}; ${hint}`);
}

const policyOf = (require: Readonly<Record<string, unknown>>, more: Readonly<Record<string, string>> = {}) =>
  parsePolicy(
    JSON.stringify({
      version: 1,
      signers: { one: { ...good, ...more } },
      scopes: [{ match: 'quay.io', require }],
    }),
    'policy.json',
    { compile },
  );
const signer = (identity: string, issuer = github, more = {}): Parts => ({
  signer: { issuer, identity, ...more },
});
const denied = (identity: string, issuer?: string): Parts => ({
  denied: { identity, ...(issuer === undefined ? {} : { issuer }) },
});
const google = 'https://accounts.google.com';
const workflows = 'https://github.com/acme/app/.github/workflows';

test.for<readonly [string, Parts, string]>([
  ['any run of a repository', signer('https://github.com/acme/app/*@*'), 'named by the file of its workflow'],
  ['a repository', signer('https://github.com/acme/app/*'), 'ends in "@" and a ref'],
  ['any workflow at any ref', signer(`${workflows}/*@*`), 'the ref of a run is whole'],
  ['any ref', signer(`${workflows}/release.yml@*`), 'the ref of a run is whole'],
  ['a branch without refs/heads', signer(`${workflows}/release.yml@main`), 'the ref of a run is whole'],
  ['a ref of no kind', signer(`${workflows}/release.yml@refs/main/x`), 'the ref of a run is whole'],
  ['a ref that ends in a slash', signer(`${workflows}/release.yml@refs/heads/`), 'the ref of a run is whole'],
  ['no .github', signer('https://github.com/acme/app/release.yml@refs/heads/main'), 'named by the file'],
  [
    'another folder',
    signer('https://github.com/acme/app/.github/actions/release.yml@refs/heads/main'),
    'named by the file',
  ],
  ['a folder below', signer(`${workflows}/x/release.yml@refs/heads/main`), 'named by the file'],
  [
    'http',
    signer('http://github.com/acme/app/.github/workflows/release.yml@refs/heads/main'),
    'named by the file',
  ],
  ['a file that is no workflow', signer(`${workflows}/release@refs/heads/main`), 'ends in .yml or .yaml'],
  ['a mail address at GitHub Actions', signer('ada@acme.example'), 'named by the file'],
  ['a run at Google', signer(run, google), 'are mail addresses'],
  ['a run at the login of GitHub', signer(run, 'https://github.com/login/oauth'), 'are mail addresses'],
  [
    'a job of GitLab without its file',
    signer('https://gitlab.com/acme/app@refs/heads/main', 'https://gitlab.com'),
    'named by project, file',
  ],
  [
    'a job of GitLab at a branch name',
    signer('https://gitlab.com/acme/app//.gitlab-ci.yml@main', 'https://gitlab.com'),
    'named by project, file',
  ],
  [
    'a job of GitLab with something before',
    signer('xhttps://gitlab.com/acme/app//ci.yml@refs/heads/main', 'https://gitlab.com'),
    'named by project, file',
  ],
  ['a denied project of GitLab', denied('https://gitlab.com/acme/app'), 'named by project, file'],
  ['a repository of an enterprise', signer('https://github.com/acme/app/*', `${github}/acme`), 'ends in "@"'],
  ['a name at another issuer', signer('ada', 'https://issuer.example'), 'a URI, or an address'],
  [
    'a file with something behind .yml',
    signer(`${workflows}/release.yml.txt@refs/heads/main`),
    'ends in .yml',
  ],
  ['a ref in front of its kind', signer(`${workflows}/release.yml@origin/heads/main`), 'the ref of a run'],
  ['a kind of ref alone', signer(`${workflows}/release.yml@refs/heads`), 'the ref of a run is whole'],
  ['more than a commit', signer(`${workflows}/release.yml@${'a'.repeat(41)}`), 'the ref of a run is whole'],
  ['a commit with a prefix', signer(`${workflows}/release.yml@x${'a'.repeat(40)}`), 'the ref of a run'],
  ['an address behind a URL', signer('https://x/ada@acme.example', google), 'are mail addresses'],
  ['an address before a path', signer('ada@acme.example/x', google), 'are mail addresses'],
  ['a denied owner', denied('https://github.com/mallory/*'), 'ends in "@" and a ref'],
  ['a denied owner alone', denied('https://github.com/mallory'), 'ends in "@" and a ref'],
  ['a denied owner with two stars', denied('https://github.com/mallory/**'), 'ends in "@" and a ref'],
  ['everything denied of GitHub', denied('*@*', github), 'named by the file'],
  ['a denied domain', denied('evil.example'), 'a URI, or an address'],
  ['a denied user name', denied('mallory', google), 'are mail addresses'],
  ['a web site as a scope', { match: 'hub.docker.com/acme' }, 'write docker.io/acme'],
  ['GitHub as a scope', { match: 'github.com/acme' }, 'write ghcr.io/acme'],
  ['a distribution as a type', { components: ['pkg:debian/telnetd'] }, 'no purl has the type "debian"'],
  ['a language as a type', { components: ['pkg:python/torch'] }, 'no purl has the type "python"'],
  ['a caret as a version', { components: ['pkg:npm/left-pad@%5E1.0'] }, 'is not a version of npm'],
  ['a word as a version', { components: ['pkg:pypi/torch@latest'] }, 'is not a version of pypi'],
  ['a part of a version', { components: ['pkg:pypi/torch@2.x'] }, 'is not a version of pypi'],
  [
    'a run of GitHub at another issuer',
    signer('https://ci.example/acme/app/x@refs/heads/main', 'https://ci.example', {
      github: { repository: 'acme/app' },
    }),
    'say nothing of a run of GitHub',
  ],
  ...[
    'https://token.actions.githubusercontent.com.evil.example',
    'https://ci.example/https://token.actions.githubusercontent.com',
    'https://ci.example/_services/tokens',
  ].map(
    (elsewhere) =>
      [
        `a run of GitHub at ${elsewhere}`,
        signer('https://ci.example/acme/app/x@refs/heads/main', elsewhere, {
          github: { repository: 'acme/app' },
        }),
        'say nothing of a run of GitHub',
      ] as const,
  ),
  [
    'a claim with a star',
    signer(run, github, { claims: { sourceRepositoryRef: 'refs/heads/*' } }),
    'without patterns',
  ],
  [
    'a branch name as a claim',
    signer(run, github, { claims: { sourceRepositoryRef: 'main' } }),
    'write a whole ref',
  ],
  [
    'owner/name as the URL',
    signer(run, github, { claims: { sourceRepositoryUri: 'acme/app' } }),
    'write a URL',
  ],
  [
    'a name as the number',
    signer(run, github, { claims: { sourceRepositoryOwnerIdentifier: 'acme' } }),
    'write a number',
  ],
  [
    'a runner that is none',
    signer(run, github, { claims: { runnerEnvironment: 'ubuntu-latest' } }),
    'github-hosted',
  ],
])('can match nothing, and check says so with the way out: %s', ([, parts, message]) => {
  const errors = check(parts);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain('can match nothing');
  expect(errors[0]).toContain(message);
});

test.for<readonly [string, Parts]>([
  ['a run', signer(run)],
  ['any tag', signer(`${workflows}/release.yml@refs/tags/*`)],
  ['any workflow and branch', signer(`${workflows}/*@refs/heads/*`)],
  ['a part of a file name', signer(`${workflows}/*-release.yaml@refs/heads/main`)],
  ['a pull request', signer(`${workflows}/release.yml@refs/pull/7/merge`)],
  ['any kind of ref', signer(`${workflows}/release.yml@refs/*/main`)],
  ['a branch with slashes', signer(`${workflows}/release.yml@refs/heads/release/*`)],
  ['a reusable workflow by its commit', signer(`${workflows}/release.yml@${'a'.repeat(40)}`)],
  ['any repository of an owner', denied('https://github.com/mallory/*/.github/workflows/*@refs/heads/main')],
  ['an address', signer('ada@acme.example', google)],
  ['any address of a domain', denied('*@evil.example')],
  ['any address of Google', denied('*@*', google)],
  [
    'a service account',
    signer('https://kubernetes.io/namespaces/x/serviceaccounts/y', 'https://kubernetes.default.svc'),
  ],
  ['a workload', signer('spiffe://acme.example/ns/x', 'https://issuer.example')],
  [
    'a job of GitLab',
    signer('https://gitlab.com/acme/team/app//ci/build.yml@refs/heads/main', 'https://gitlab.com'),
  ],
  ['a path of GitHub at another issuer', signer('https://github.com/acme/app', 'https://issuer.example')],
  ['a path of GitLab at another issuer', signer('https://gitlab.com/acme/app', 'https://issuer.example')],
  ['a name that holds the site', denied('spiffe://acme.example/https://github.com/x')],
  ['a name that holds the other site', denied('spiffe://acme.example/https://gitlab.com/x')],
  ...['https://token.actions.acme.ghe.com', 'https://github.acme.example/_services/token'].map(
    (enterprise) =>
      [
        `a run at ${enterprise}`,
        signer('https://github.acme.example/o/r/x@refs/heads/main', enterprise, {
          github: { repository: 'o/r' },
        }),
      ] as const,
  ),
  ['a package of any version', { components: ['pkg:pypi/torch'] }],
  ['a Docker Hub image', { match: 'docker.io/ubuntu' }],
  ['a registry with a port', { match: 'registry.example:5000/acme' }],
  ['a type without rules of its own', { components: ['pkg:generic/openssl@1.1'] }],
  ['a version that nobody orders', { components: ['pkg:maven/org.apache/log4j@2.x-final'] }],
  ['a version of Go without v', { components: ['pkg:golang/github.com/acme/app@v1.2.3'] }],
])('can match something: %s', ([, parts]) => {
  expect(check(parts)).toEqual([]);
});

test('a claim that may be anything is let be, and every claim is known', () => {
  for (const claim of claimNames) {
    expect(deadClaim(claim, '*')).toBeDefined();
  }
  expect(deadClaim('tokenSubject', 'repo:acme/app:ref:refs/heads/main')).toBeUndefined();
});

const commit = '0123456789abcdef0123456789abcdef01234567';

test.for<readonly [string, readonly string[], readonly string[]]>([
  ...['buildConfigDigest', 'buildSignerDigest', 'githubWorkflowSha', 'sourceRepositoryDigest'].map(
    (claim) =>
      [
        claim,
        [commit, commit.padEnd(64, '0')],
        [`x${commit}`, `${commit}x`, commit.padEnd(65, '0'), 'main'],
      ] as const,
  ),
  ...[
    'buildConfigUri',
    'buildSignerUri',
    'runInvocationUri',
    'sourceRepositoryOwnerUri',
    'sourceRepositoryUri',
  ].map(
    (claim) =>
      [claim, ['https://github.com/acme'], ['see https://github.com/acme', 'https://', 'acme/app']] as const,
  ),
  ...['githubWorkflowRef', 'sourceRepositoryRef'].map(
    (claim) =>
      [claim, ['refs/heads/main', 'refs/tags/v1'], ['origin/refs/heads/main', 'refs/', 'main']] as const,
  ),
  ...['sourceRepositoryIdentifier', 'sourceRepositoryOwnerIdentifier'].map(
    (claim) => [claim, ['1', '9007199254740993'], ['01', '0', 'n1', '1n', '-1']] as const,
  ),
  ['githubWorkflowRepository', ['acme/app'], ['/acme/app', 'acme/app/x', 'acme', 'acme/a b']],
  [
    'runnerEnvironment',
    ['github-hosted', 'gitlab-hosted', 'self-hosted'],
    ['not-github-hosted', 'self-hosted-2', 'ubuntu-latest'],
  ],
  [
    'sourceRepositoryVisibilityAtSigning',
    ['public', 'private', 'internal'],
    ['nonpublic', 'publicly', 'secret'],
  ],
])('the values that %s can have, as Fulcio writes them', ([claim, can, cannot]) => {
  expect(can.filter((value) => deadClaim(claim, value) !== undefined)).toEqual([]);
  expect(cannot.filter((value) => deadClaim(claim, value) === undefined)).toEqual([]);
});

test('an exception from a rule that no scope asks for is a warning', () => {
  const policy = parsePolicy(
    JSON.stringify({
      version: 1,
      signers: { one: good },
      scopes: [{ match: 'quay.io', require: { signed: { by: ['one'] } } }],
      exceptions: [
        {
          digest: `sha256:${'1'.repeat(64)}`,
          rules: ['signed', 'components'],
          reason: 'x',
          owner: 'ada',
          expires: '2030-01-01',
        },
      ],
    }),
    'policy.json',
  );
  expect(checkPolicy(policy, now)).toMatchObject([
    { level: 'warning', message: expect.stringContaining('lifts components, which no scope asks for') },
  ]);
  const asked = policy.exceptions.map((exception) => ({ ...exception, rules: ['signed'] }));
  expect(checkPolicy({ ...policy, exceptions: asked }, now)).toEqual([]);
});

test.for([
  ['2026-11-23T11:59:59Z', ['what one signs today no longer counts']],
  ['2026-11-23T12:00:01Z', []],
] as const)('a signer until %s', ([notAfter, messages]) => {
  const policy = policyOf({ signed: { by: ['one'] } }, { notAfter });
  expect(checkPolicy(policy, now).map(({ message }) => message)).toEqual(messages);
});

test('a scope in which every rule only warns is idle, and check says why', () => {
  const policy = policyOf({ signed: { by: ['one'], mode: 'warn' } });
  expect(idleScopes(policy, now)).toEqual(policy.scopes);
  expect(checkPolicy(policy, now)).toMatchObject([
    { level: 'error', message: 'every rule only warns, so every image is allowed' },
  ]);
});

test('a scope whose expressions are true of everything is idle, one that asks for a signature is not', () => {
  const always = { by: ['one'], all: [{ that: 'true', because: 'it is agreed' }] };
  const policy = policyOf({ expressions: always });
  expect(idleScopes(policy, now)).toEqual(policy.scopes);
  expect(idleScopes(policyOf({ signed: { by: ['one'] } }), now)).toEqual([]);
});

test('signers are found at any depth, and only in lists of names', () => {
  const params = { a: null, by: 'ada', b: [{ by: ['one', 7] }, { c: { by: ['two'] } }] };
  expect(signersNamedIn(params)).toEqual(['one', 'two']);
});
