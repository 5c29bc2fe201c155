import { expect, test } from 'vitest';
import { parseChallenges, toRealm } from '../../src/registry/challenge.ts';

test.for([
  ['nothing', '', []],
  ['basic', 'Basic realm="a, b"', [['basic', { realm: 'a, b' }]]],
  ['bearer', 'Bearer realm="https://a/t",service=s', [['bearer', { realm: 'https://a/t', service: 's' }]]],
  [
    'two',
    'Basic realm="x", BEARER Realm="y"',
    [
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y' }],
    ],
  ],
  ['an escaped quote', 'Basic realm="a\\"b"', [['basic', { realm: 'a"b' }]]],
  ['the same parameter twice: the first', 'Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
  ['a parameter without scheme', 'realm="x"', []],
] as const)('the challenge of %s is read', ([, header, expected]) => {
  const found = parseChallenges(header).map(({ scheme, parameters }) => [scheme, { ...parameters }]);
  expect(found).toEqual(expected);
});

test.for([
  ['its own host', 'https://quay.io/v2/auth', 'https://quay.io/v2/', true],
  ['its own host and port', 'https://reg.corp:5000/token', 'https://reg.corp:5000/v2/', true],
  ['a path of its own', '/jwt/auth?a=b', 'https://reg.corp:5000/v2/', true],
  ['another host without a scheme', '//evil.example/token', 'https://quay.io/v2/', false],
  ["Docker Hub's", 'https://auth.docker.io/token', 'https://registry-1.docker.io/v2/', true],
  ["GitLab's", 'https://gitlab.com/jwt/auth', 'https://registry.gitlab.com/v2/', true],
  ['a host that ends alike', 'https://evil-docker.io/token', 'https://registry-1.docker.io/v2/', false],
  ['another host', 'https://evil.example/token', 'https://quay.io/v2/', false],
  ['a parent', 'https://corp/token', 'https://reg.corp/v2/', false],
  ["Docker Hub's, named by somebody else", 'https://auth.docker.io/token', 'https://evil.example/v2/', false],
  ['an address', 'https://10.0.0.1/token', 'https://quay.io/v2/', false],
  ['another port', 'https://quay.io:8443/token', 'https://quay.io/v2/', false],
  ['the usual port of its own host', 'https://reg.corp/token', 'https://reg.corp:5000/v2/', true],
  [
    'this machine, where the registry is there too',
    'http://localhost/token',
    'http://localhost:5000/v2/',
    true,
  ],
] as const)('A-98: a token service on %s gets credentials or not', ([, realm, registry, trusted]) => {
  expect(toRealm(realm, new URL(registry)).trusted).toBe(trusted);
});

test.for([
  ['http', 'http://quay.io/token'],
  ['http to this machine, from elsewhere', 'http://localhost/token'],
  ['user info', 'https://a:b@quay.io/token'],
  ['a user alone', 'https://a@quay.io/token'],
  ['a password alone', 'https://:b@quay.io/token'],
  ['a URL of another kind', 'ftp://quay.io/token'],
  ['a file', 'file:///etc/passwd'],
  ['no address', 'token'],
  ['nothing', undefined],
] as const)('A-98: %s is no token service', ([, realm]) => {
  expect(() => toRealm(realm, new URL('https://quay.io/v2/'))).toThrow(/quay\.io/);
});

test.for([
  ['http elsewhere', 'http://quay.io/token'],
  ['another protocol', 'ftp://localhost/token'],
])('A-98: a registry on this machine cannot have a token fetched by %s', ([, realm]) => {
  expect(() => toRealm(realm, new URL('http://localhost:5000/v2/'))).toThrow('which is not https');
});
