import { expect, test } from 'vitest';
import { openIdentityToken, parseIdentityToken } from '../../src/sigstore/identity-token.ts';
import type { RunProgram } from '../../src/system/program.ts';
import { testServices } from '../support/signing.ts';
import { startSigstore } from '../support/sigstore.ts';

const services = testServices();
const nothing: RunProgram = async () => {
  throw new Error('no program should be started');
};

function token(claims: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

const named = (sub: string) => token({ iss: 'https://issuer.test', aud: 'sigstore', sub });

test.for([
  ['what was given', { given: named('flag'), env: { SIGSTORE_ID_TOKEN: named('env') } }, 'flag'],
  ['the environment', { env: { SIGSTORE_ID_TOKEN: `${named('env')}\n` } }, 'env'],
] as const)('%s comes first', async ([, places, subject]) => {
  const github = { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:1/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' };
  const found = await openIdentityToken({
    ...places,
    env: { ...github, ...places.env },
    services,
    program: nothing,
  });
  expect(found.subject).toBe(subject);
});

test('a job of GitHub Actions asks for a token made out to sigstore', async () => {
  await using sigstore = await startSigstore();
  const env = {
    SIGSTORE_ID_TOKEN: '',
    ACTIONS_ID_TOKEN_REQUEST_URL: sigstore.urls.tokens,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
  };
  expect((await openIdentityToken({ env, services, program: nothing })).audiences).toEqual(['sigstore']);
});

test.for([
  ['a job without the permission', { GITHUB_ACTIONS: 'true' }, 'id-token: write'],
  ['a job of GitLab', { GITLAB_CI: 'true' }, 'id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }'],
  ['a laptop', {}, 'SIGSTORE_ID_TOKEN'],
] as const)('%s has no token and is told what to do', async ([, env, hint]) => {
  await expect(openIdentityToken({ env, services, program: nothing })).rejects.toMatchObject({
    exit: 3,
    code: 'token.missing',
    hint: expect.stringContaining(hint),
  });
});

const printed = (text: string, code = 0) => ({ code, stdout: Buffer.from(text), stderr: 'agent: no\n' });

test('a job of Buildkite asks its agent', async () => {
  const asked: string[] = [];
  const program: RunProgram = async (file, args) => {
    asked.push([file, ...args].join(' '));
    return printed(`${named('organization:acme:pipeline:triton')}\n`);
  };
  const login = async () => 'nobody is asked';
  const found = await openIdentityToken({ env: { BUILDKITE: 'true' }, services, program, login });
  expect(found.subject).toBe('organization:acme:pipeline:triton');
  expect(asked).toEqual(['buildkite-agent oidc request-token --audience sigstore']);
});

test('an agent that refuses is an error, and nobody else is asked', async () => {
  const program: RunProgram = async () => printed('', 1);
  const login = async () => named('somebody');
  const asked = openIdentityToken({ env: { BUILDKITE: 'true' }, services, program, login });
  await expect(asked).rejects.toMatchObject({
    code: 'token.agent',
    exit: 2,
    message: expect.stringContaining('agent: no'),
  });
});

test('a person is asked last', async () => {
  const login = async () => named('person');
  const places = { services, program: nothing, login };
  expect((await openIdentityToken({ ...places, env: {} })).subject).toBe('person');
  const env = { SIGSTORE_ID_TOKEN: named('env') };
  expect((await openIdentityToken({ ...places, env })).subject).toBe('env');
});

test('a bad token never selects the next place', async () => {
  const env = { SIGSTORE_ID_TOKEN: named('env') };
  await expect(openIdentityToken({ given: 'junk', env, services, program: nothing })).rejects.toMatchObject({
    exit: 3,
    code: 'token.malformed',
  });
});

test('a job whose token service refuses is told so', async () => {
  await using sigstore = await startSigstore();
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: sigstore.urls.tokens, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'old' };
  await expect(openIdentityToken({ env, services, program: nothing })).rejects.toMatchObject({
    exit: 2,
    code: 'sigstore.refused',
    hint: expect.stringContaining('id-token: write'),
  });
});

const person = { iss: 'https://issuer.test', aud: ['sigstore', 'other'], sub: 'ann', exp: 1_800_000_000 };

test('the claims are read', () => {
  expect(parseIdentityToken(token({ ...person, email: 'ann@x.test', email_verified: 'true' }))).toMatchObject(
    {
      subject: 'ann@x.test',
      issuer: 'https://issuer.test',
      audiences: ['sigstore', 'other'],
      expires: new Date('2027-01-15T08:00:00Z'),
    },
  );
});

test.for([
  ['nothing', ''],
  ['two parts', 'a.b'],
  ['a line break inside', `${token(person)}\nx`],
  ['claims that are no object', token([])],
  ['a claim that stands twice', `e30.${Buffer.from('{"sub":"a","sub":"b"}').toString('base64url')}.`],
  ['no subject', token({ ...person, sub: undefined })],
  ['no issuer', token({ ...person, iss: undefined })],
  ['an address that nobody verified', token({ ...person, email: 'ann@x.test' })],
  ['an address verified as false', token({ ...person, email: 'ann@x.test', email_verified: false })],
  ['no end', `e30.${'A'.repeat(100_000)}.`],
] as const)('%s is no identity token', ([, text]) => {
  expect(() => parseIdentityToken(text)).toThrow(
    expect.objectContaining({ exit: 3, code: 'token.malformed' }),
  );
});

const ref = 'refs/heads/main';
test.for([
  [
    'a job of GitHub Actions',
    { job_workflow_ref: `acme/triton/.github/workflows/build.yml@${ref}` },
    `https://github.com/acme/triton/.github/workflows/build.yml@${ref}`,
  ],
  [
    'a job of GitLab',
    { ci_config_ref_uri: `gitlab.com/acme/triton//.gitlab-ci.yml@${ref}` },
    `https://gitlab.com/acme/triton//.gitlab-ci.yml@${ref}`,
  ],
  [
    'a job of Buildkite',
    { organization_slug: 'acme', pipeline_slug: 'triton' },
    'https://buildkite.com/acme/triton',
  ],
  ['anybody else', {}, 'ann'],
] as const)('the certificate of %s will name its workflow, else the subject', ([, claims, identity]) => {
  const { identity: found, subject } = parseIdentityToken(
    token({ iss: 'https://i.test', sub: 'ann', ...claims }),
  );
  expect({ found, subject }).toEqual({ found: identity, subject: 'ann' });
});
