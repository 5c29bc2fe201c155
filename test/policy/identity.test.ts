import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProvenSigner } from '../../src/attest/verified.ts';
import { foldIdentity, isMeantBy, mailboxOf, ownerKey, signerKey } from '../../src/policy/identity.ts';
import { digestFor } from '../support/evidence.ts';

const github = 'https://token.actions.githubusercontent.com';
const keyless = (
  identity: string,
  claims: Readonly<Record<string, string>> = {},
  issuer = github,
): ProvenSigner => ({
  kind: 'keyless',
  issuer,
  identity,
  claims,
});
const run = (path: string) => `https://github.com/${path}`;

test.for([
  ['an address', 'Ada@ACME.example', 'ada@acme.example'],
  [
    'host, owner and repository',
    'HTTPS://GitHub.com/Acme/App/x/File.yml@refs/heads/Main',
    'https://github.com/acme/app/x/File.yml@refs/heads/Main',
  ],
  ['an owner alone', 'https://GitHub.com/Acme', 'https://github.com/acme'],
  ['a path without a scheme', 'A/B/C/D/E/F', 'a/b/c/d/e/f'],
  ['a host alone', 'SPIFFE://Acme.example', 'spiffe://acme.example'],
  [
    'a pattern',
    'https://github.com/Acme/*/.github/workflows/X.yml@refs/tags/*',
    'https://github.com/acme/*/.github/workflows/X.yml@refs/tags/*',
  ],
] as const)('without case: %s', ([, identity, folded]) => {
  expect(foldIdentity(identity)).toBe(folded);
  expect(foldIdentity(folded)).toBe(folded);
});

test.for([
  ['as it is', 'ada@acme.example', 'ada@acme.example'],
  ['in capitals', 'ADA@Acme.Example', 'ada@acme.example'],
  ['with a tag', 'ada+ci@acme.example', 'ada@acme.example'],
  ['with two tags', 'ada+ci+more@acme.example', 'ada@acme.example'],
  ['that begins with a plus', '+ada@acme.example', '+ada@acme.example'],
  ['with dots, where they count', 'a.da@acme.example', 'a.da@acme.example'],
  ['with dots, where they do not', 'a.d.a+x@gmail.com', 'ada@gmail.com'],
  ['of the other name of Gmail', 'ada@googlemail.com', 'ada@gmail.com'],
  ['of a domain that ends alike', 'a.da@notgmail.com', 'a.da@notgmail.com'],
  ['a workflow at a ref without slashes', run('acme/app/.github/workflows/x.yml@v1'), undefined],
  ['a workflow', run('acme/app/.github/workflows/x.yml@refs/heads/main'), undefined],
  ['something behind the address', 'ada@acme.example/x', undefined],
  ['two at signs', 'ada@acme@example', undefined],
  ['no local part', '@acme.example', undefined],
  ['no domain', 'ada@', undefined],
  ['a name', 'ada', undefined],
] as const)('the mailbox of an address %s', ([, identity, mailbox]) => {
  expect(mailboxOf(identity)).toBe(mailbox);
});

test.for([
  ['the same', 'mallory@evil.example', 'mallory@evil.example', true],
  ['an address with a tag', 'mallory@evil.example', 'mallory+1@evil.example', true],
  ['any address of the domain', '*@evil.example', 'Mallory+1@EVIL.example', true],
  ['a pattern of the mailbox, where a tag stands', 'm*y@evil.example', 'mallory+1@evil.example', true],
  ['dots of Gmail on the list', 'mal.lory@gmail.com', 'mallory@gmail.com', true],
  ['dots of Gmail and a tag', 'mallory@gmail.com', 'm.allory+x@googlemail.com', true],
  ['the mailbox of an entry with a tag', 'mallory+1@evil.example', 'mallory@evil.example', false],
  ['another tag than that of the entry', 'mallory+1@evil.example', 'mallory+2@evil.example', false],
  ['a tag on the list with dots', 'mal.lory+1@gmail.com', 'mallory@gmail.com', false],
  ['a longer name', 'mallory@evil.example', 'mallory2@evil.example', false],
  ['a longer domain', 'mallory@evil.example', 'mallory@evil.example.org', false],
  [
    'an owner in another case',
    run('Mallory/*/.github/workflows/*@refs/heads/main'),
    run('mallory/x/.github/workflows/y.yml@refs/heads/main'),
    true,
  ],
  [
    'a file in another case',
    run('mallory/x/.github/workflows/Y.yml@refs/heads/main'),
    run('mallory/x/.github/workflows/y.yml@refs/heads/main'),
    false,
  ],
  [
    'a ref in another case',
    run('mallory/x/.github/workflows/y.yml@refs/heads/Main'),
    run('mallory/x/.github/workflows/y.yml@refs/heads/main'),
    false,
  ],
] as const)('a deny list means: %s', ([, pattern, identity, isMeant]) => {
  expect(isMeantBy(pattern, identity)).toBe(isMeant);
});

test('an entry without stars means itself in every case of its letters', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9.]{0,8}$/);
  fc.assert(
    fc.property(word, word, (local, domain) => {
      const address = `${local}@${domain}`;
      expect(isMeantBy(address, address.toUpperCase())).toBe(true);
      expect(isMeantBy(address.toUpperCase(), address)).toBe(true);
      expect(isMeantBy(address, `x${address}`)).toBe(false);
    }),
  );
});

const app = run('acme/app/.github/workflows/r.yml@refs/heads/main');

test.for<readonly [string, ProvenSigner, ProvenSigner, boolean]>([
  [
    'two refs of a workflow',
    keyless(app),
    keyless(run('acme/app/.github/workflows/r.yml@refs/tags/v1')),
    true,
  ],
  [
    'two cases of a repository',
    keyless(app),
    keyless(run('Acme/APP/.github/workflows/r.yml@refs/heads/main')),
    true,
  ],
  ['two workflows', keyless(app), keyless(run('acme/app/.github/workflows/s.yml@refs/heads/main')), false],
  [
    'two files of which both have an at sign',
    keyless(run('acme/app/.github/workflows/x@y.yml@refs/heads/main')),
    keyless(run('acme/app/.github/workflows/x@z.yml@refs/heads/main')),
    false,
  ],
  ['two issuers of a workflow', keyless(app), keyless(app, {}, 'https://issuer.example'), false],
  [
    'two issuers of a mailbox',
    keyless('ada@acme.example'),
    keyless('ada+x@acme.example', {}, 'https://issuer.example'),
    true,
  ],
  ['two names', keyless('ada'), keyless('bob'), false],
  [
    'a key and an identity',
    { kind: 'key', name: 'k', fingerprint: `sha256:${'a'.repeat(64)}` as never },
    keyless('ada'),
    false,
  ],
])('one signer or two: %s', ([, one, other, isOne]) => {
  expect(signerKey(one) === signerKey(other)).toBe(isOne);
});

const key = (digit: string): ProvenSigner => ({
  kind: 'key',
  name: 'team.pub',
  fingerprint: digestFor(digit),
});
const by = (owner: string) => ({ sourceRepositoryOwnerUri: `https://github.com/${owner}` });

test.for<readonly [string, ProvenSigner, ProvenSigner, boolean]>([
  ['two repositories', keyless(app), keyless(run('acme/lib/.github/workflows/r.yml@refs/heads/main')), true],
  ['two owners', keyless(app), keyless(run('other/app/.github/workflows/r.yml@refs/heads/main')), false],
  [
    'an owner in two cases',
    keyless(app),
    keyless(run('ACME/lib/.github/workflows/r.yml@refs/heads/main')),
    true,
  ],
  [
    'the caller of a workflow of another',
    keyless(app, by('acme')),
    keyless(run('other/x/.github/workflows/r.yml@refs/heads/main'), by('Acme')),
    true,
  ],
  ['two callers of one workflow', keyless(app, by('acme')), keyless(app, by('other')), false],
  [
    'a caller by its repository',
    keyless(app, { sourceRepositoryUri: 'https://github.com/acme/app' }),
    keyless(run('other/x/.github/workflows/r.yml@x'), by('acme')),
    true,
  ],
  ['two hosts', keyless(app), keyless('https://gitlab.com/acme/app//x.yml@refs/heads/main'), false],
  ['two mailboxes of a domain', keyless('ada@acme.example'), keyless('bob@acme.example'), false],
  ['one key', key('a'), key('a'), true],
  ['two keys', key('a'), key('b'), false],
  ['one mailbox', keyless('ada@acme.example'), keyless('ada+1@acme.example'), true],
])('one owner or two: %s', ([, one, other, isOne]) => {
  expect(ownerKey(one) === ownerKey(other)).toBe(isOne);
});
