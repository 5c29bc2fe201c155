import { expect, test } from 'vitest';
import { openIdentityToken, parseIdentityToken } from '../../src/sigstore/identity-token.ts';
import { testServices } from '../support/signing.ts';
import { startSigstore } from '../support/sigstore.ts';

const services = testServices();

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
  const found = await openIdentityToken({ ...places, env: { ...github, ...places.env }, services });
  expect(found.subject).toBe(subject);
});

test('a job of GitHub Actions asks for a token made out to sigstore', async () => {
  await using sigstore = await startSigstore();
  const env = {
    SIGSTORE_ID_TOKEN: '',
    ACTIONS_ID_TOKEN_REQUEST_URL: sigstore.urls.tokens,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
  };
  expect((await openIdentityToken({ env, services })).audiences).toEqual(['sigstore']);
});

test.for([
  ['a job without the permission', { GITHUB_ACTIONS: 'true' }, 'id-token: write'],
  ['a laptop', {}, 'SIGSTORE_ID_TOKEN'],
] as const)('%s has no token and is told what to do', async ([, env, hint]) => {
  await expect(openIdentityToken({ env, services })).rejects.toMatchObject({
    exit: 3,
    code: 'token.missing',
    hint: expect.stringContaining(hint),
  });
});

test('a bad token never selects the next place', async () => {
  const env = { SIGSTORE_ID_TOKEN: named('env') };
  await expect(openIdentityToken({ given: 'junk', env, services })).rejects.toMatchObject({
    exit: 3,
    code: 'token.malformed',
  });
});

test('a job whose token service refuses is told so', async () => {
  await using sigstore = await startSigstore();
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: sigstore.urls.tokens, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'old' };
  await expect(openIdentityToken({ env, services })).rejects.toMatchObject({
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

test('a job of GitHub Actions will be named by its workflow, everybody else by the subject', () => {
  const workflow = 'acme/triton/.github/workflows/build.yml@refs/heads/main';
  const job = {
    iss: 'https://token.actions.githubusercontent.com',
    sub: 'repo:acme/triton:ref:refs/heads/main',
  };
  expect(parseIdentityToken(token({ ...job, job_workflow_ref: workflow })).identity).toBe(
    `https://github.com/${workflow}`,
  );
  expect(parseIdentityToken(token(job)).identity).toBe(job.sub);
});
