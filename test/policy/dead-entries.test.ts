import { expect, test } from 'vitest';
import { checkPolicy } from '../../src/policy/check.ts';
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
  ['a name at another issuer', signer('ada', 'https://issuer.example'), 'a URI, or an address'],
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
});
