import { expect, test } from 'vitest';
import { TcfError } from '../../src/base/error.ts';
import { checkPolicy } from '../../src/policy/check.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { issuer } from '../support/evidence.ts';

/* Terms of rules and of deny lists that look like protection and can match nothing. */

const now = new Date('2026-11-23T12:00:00Z');
const good = {
  issuer,
  identity: 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main',
};

/** A policy with more in it; what it means is checked as it is read, or by `tcf policy check`. */
function verdictOn(more: {
  readonly require?: object;
  readonly deny?: object;
  readonly one?: object;
}): string {
  const text = JSON.stringify({
    version: 1,
    signers: { one: more.one ?? good },
    scopes: [
      { match: 'quay.io', require: { signed: { by: ['one'] }, sbom: { by: ['one'] }, ...more.require } },
    ],
    ...(more.deny === undefined ? {} : { deny: more.deny }),
  });
  try {
    return checkPolicy(parsePolicy(text, 'policy.json'), now)
      .filter(({ level }) => level === 'error')
      .map(({ subject, message, hint }) => `${subject}: ${message}; ${hint}`)
      .join();
  } catch (error) {
    return error instanceof TcfError ? error.message : String(error);
  }
}

const denied = (identity: string, issuer?: string) => ({
  deny: { identities: [issuer === undefined ? { identity } : { identity, issuer }] },
});
const vulnerable = (terms: object) => ({ require: { vulnerabilities: terms } });
const summary = (terms: object) => ({
  require: { vsa: { by: ['one'], verifier: 'https://acme.example/gate', ...terms } },
});

test.for<readonly [string, Parameters<typeof verdictOn>[0], RegExp]>([
  ['a denied identity with a blank', denied(' mallory@acme.example'), /holds blanks/],
  ['a denied identity with a sign that nobody sees', denied('mallory\u200b@acme.example'), /beyond ASCII/],
  [
    'a denied run without its scheme',
    denied('github.com/mallory/x/.github/workflows/a.yml@refs/heads/main'),
    /an identity is a URI, or an address/,
  ],
  [
    'a denied address of an issuer that ends in "/"',
    denied('mallory@acme.example', 'https://accounts.google.com/'),
    /without "\/" at the end; write https:\/\/accounts\.google\.com$/,
  ],
  [
    'a signer of an issuer that ends in "/"',
    { one: { ...good, issuer: 'https://token.actions.githubusercontent.com/' } },
    /signers\.one: .*without "\/" at the end/,
  ],
  ['an ecosystem in the wrong case', vulnerable({ ecosystems: ['pypi'] }), /is not an ecosystem/],
  ['an ecosystem that nobody has', vulnerable({ ecosystems: ['Debain:12'] }), /is not an ecosystem/],
  ['an ecosystem with an empty release', vulnerable({ ecosystems: ['Debian:'] }), /is not an ecosystem/],
  ['a release of a language', vulnerable({ ecosystems: ['PyPI:3'] }), /is not an ecosystem/],
  ['a denied advisory in the wrong case', vulnerable({ deny: ['cve-2024-3094'] }), /is not the id/],
  ['a denied advisory with a pattern', vulnerable({ deny: ['CVE-2024-*'] }), /is not the id/],
  ['a denied advisory that is too short', vulnerable({ deny: ['CVE-2024-394'] }), /is not the id/],
  ['a denied advisory with more behind it', vulnerable({ deny: ['GHSA-rxwq-x6h5-x525x'] }), /is not the id/],
  ['a summary for a pattern of names', summary({ resource: 'https://quay.io/*' }), /is not a URI/],
  ['a summary of a pattern of verifiers', summary({ verifier: 'https://acme.example/*' }), /is not a URI/],
  [
    'a pattern of predicate types',
    { require: { attested: { predicates: [{ type: 'https://slsa.dev/*', by: ['one'] }] } } },
    /a predicate type is compared whole/,
  ],
  [
    'a denied component with a blank',
    { require: { components: { deny: ['pkg:pypi/torch '] } } },
    /is not a purl/,
  ],
])('%s can match nothing, and is an error', ([, more, expected]) => {
  expect(verdictOn(more)).toMatch(expected);
});

test.for<readonly [string, Parameters<typeof verdictOn>[0]]>([
  ['an address', denied('Mallory+1@acme.example', 'https://accounts.google.com')],
  ['a user of Fulcio', denied('mallory!acme.example')],
  ['a run', denied('https://github.com/mallory/*/.github/workflows/*@refs/heads/*')],
  ['an issuer of Auth0', denied('mallory@acme.example', 'https://acme.eu.auth0.com/')],
  [
    'ecosystems',
    vulnerable({ ecosystems: ['PyPI', 'Debian', 'Debian:12', 'Alpine:v3.20', 'NVIDIA', 'LLVM'] }),
  ],
  [
    'advisories',
    vulnerable({
      deny: ['CVE-2024-3094', 'GHSA-rxwq-x6h5-x525', 'PYSEC-2024-1', 'DSA-5649-1', 'GO-2024-2611'],
    }),
  ],
  ['a summary', summary({ resource: 'https://quay.io/app', policy: 'urn:acme:policy' })],
])('%s are let be', ([, more]) => {
  expect(verdictOn(more)).toBe('');
});
