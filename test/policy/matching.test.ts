import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseImageRef } from '../../src/oci/reference.ts';
import { matchesIdentity } from '../../src/policy/glob.ts';
import { isInScope, mostSpecific, toScope } from '../../src/policy/scope.ts';

const base = 'https://github.com/acme/app/.github/workflows';

test.for([
  ['the same', `${base}/release.yml@refs/heads/main`, `${base}/release.yml@refs/heads/main`, true],
  ['any tag', `${base}/release.yml@refs/tags/*`, `${base}/release.yml@refs/tags/v1.2`, true],
  ['any workflow', `${base}/*.yml@refs/heads/main`, `${base}/sbom.yml@refs/heads/main`, true],
  [
    'two stars in one piece',
    `${base}/r*l*.yml@refs/heads/main`,
    `${base}/really-long.yml@refs/heads/main`,
    true,
  ],
  ['any mail of a domain', '*@acme.example', 'ada@acme.example', true],
  ['another case', `${base}/release.yml@refs/heads/main`, `${base}/Release.yml@refs/heads/main`, false],
  ['a longer name (A-29)', `${base}/release.yml`, `${base}/release.yml-evil@refs/heads/main`, false],
  ['a longer ref', `${base}/release.yml@refs/heads/main`, `${base}/release.yml@refs/heads/main-evil`, false],
  ['a dot is a dot', `${base}/release.yml@refs/heads/main`, `${base}/releaseXyml@refs/heads/main`, false],
  ['the good one as a query (A-27)', `${base}/*`, `https://evil.example/?${base}/release.yml`, false],
  ['a star over a slash', `${base}/release.yml@refs/tags/*`, `${base}/release.yml@refs/tags/a/b`, false],
  ['a star over an at', `${base}/*`, `${base}/release.yml@refs`, false],
  ['parts that overlap', 'https://h.example/o/ab*ba', 'https://h.example/o/aba', false],
  ['another end', 'https://h.example/o/a*z', 'https://h.example/o/abc', false],
  ['another beginning', 'https://h.example/o/a*z', 'https://h.example/o/bcz', false],
  ['a part in the middle that is missing', 'https://h.example/o/a*b*c', 'https://h.example/o/axxc', false],
  ['a part that is there as the end only', 'https://h.example/o/a*b*b', 'https://h.example/o/axb', false],
  ['parts in another order', 'https://h.example/o/a*b*c*d', 'https://h.example/o/acbd', false],
  ['something before', '*@acme.example', 'https://evil.example/ada@acme.example', false],
  ['a subdomain', '*@acme.example', 'ada@evil.acme.example', false],
] as const)('identity: %s', ([, pattern, identity, expected]) => {
  expect(matchesIdentity(pattern, identity)).toBe(expected);
});

test('an identity without stars fits itself and nothing else', () => {
  const text = fc.string({ minLength: 1 }).filter((value) => !value.includes('*'));
  fc.assert(fc.property(text, text, (a, b) => matchesIdentity(a, b) === (a === b)));
});

test.for([
  ['the repository', 'quay.io/acme/app', 'quay.io/acme/app', true],
  ['below', 'quay.io/acme', 'quay.io/acme/team/app', true],
  ['the registry', 'quay.io', 'quay.io/acme/app', true],
  ['Docker Hub by its other name', 'index.docker.io/library', 'alpine', true],
  ['a port', 'localhost:5000', 'localhost:5000/app', true],
  ['an official image without library', 'docker.io/ubuntu', 'ubuntu', true],
  ['an official image by its whole name', 'docker.io/ubuntu', 'docker.io/library/ubuntu', true],
  ['an owner of Docker Hub', 'docker.io/ubuntu', 'ubuntu/nginx', true],
  ['an official image with library', 'docker.io/library/ubuntu', 'index.docker.io/ubuntu', true],
  ['the port of HTTPS in the scope', 'quay.io:443/acme', 'quay.io/acme/app', true],
  ['the port of HTTPS in the name', 'quay.io', 'quay.io:443/acme/app', true],
  ['the port of HTTPS at Docker Hub', 'docker.io/ubuntu', 'docker.io:443/library/ubuntu', true],
  ['another official image', 'docker.io/ubuntu', 'ubuntu-evil', false],
  ['an official image of another registry', 'quay.io/ubuntu', 'quay.io/library/ubuntu', false],
  ['two components are an owner and a name', 'docker.io/acme/app', 'docker.io/library/acme', false],
  ['a port that begins as that of HTTPS', 'quay.io', 'quay.io:4430/acme/app', false],
  ['a registry that ends as Docker Hub', 'mydocker.io/ubuntu', 'ubuntu', false],
  ['a port that ends alike', 'quay.io', 'quay.io:5443/acme/app', false],
  ['a longer owner', 'registry.example/acme', 'registry.example/acme-evil/x', false],
  ['a longer registry', 'docker.io', 'docker.io.evil.example/x/y', false],
  ['a registry with something before', 'docker.io', 'xdocker.io/x/y', false],
  ['above', 'quay.io/acme/app', 'quay.io/acme', false],
  ['another port', 'localhost:5000', 'localhost:50001/app', false],
  ['no port', 'localhost', 'localhost/app', true],
  ['a port where none is meant', 'localhost', 'localhost:5000/app', false],
] as const)('scope: %s', ([, scope, image, expected]) => {
  const canonical = toScope(scope);
  expect(canonical).toBeDefined();
  expect(isInScope(canonical ?? '', parseImageRef(image))).toBe(expected);
});

test('the most specific scope decides, in any order', () => {
  const scopes = ['quay.io', 'quay.io/acme/app', 'quay.io/acme'].map((match) => ({ match }));
  const image = parseImageRef('quay.io/acme/app');
  expect(mostSpecific(scopes, image)?.match).toBe('quay.io/acme/app');
  expect(mostSpecific(scopes.toReversed(), image)?.match).toBe('quay.io/acme/app');
  expect(mostSpecific(scopes, parseImageRef('ghcr.io/acme/app'))).toBeUndefined();
});

test('an official image that a scope names without library is more specific than all of library', () => {
  const scopes = ['docker.io', 'docker.io/library', 'docker.io/ubuntu'].map((match) => ({ match }));
  for (const order of [scopes, scopes.toReversed()]) {
    expect(mostSpecific(order, parseImageRef('ubuntu'))?.match).toBe('docker.io/ubuntu');
    expect(mostSpecific(order, parseImageRef('debian'))?.match).toBe('docker.io/library');
    expect(mostSpecific(order, parseImageRef('ubuntu/nginx'))?.match).toBe('docker.io/ubuntu');
  }
});
