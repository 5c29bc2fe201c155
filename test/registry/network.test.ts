import type { lookup } from 'node:dns';
import { expect, test } from 'vitest';
import { isLoopback } from '../../src/registry/hosts.ts';
import { checkAddress, guardedLookup, isPublicAddress } from '../../src/registry/network.ts';
import { reachOfRedirect } from '../../src/registry/session.ts';

test.for([
  ['Google', '8.8.8.8', true],
  ['IPv6 of the world', '2606:4700::1111', true],
  ['loopback', '127.0.0.1', false],
  ['all of loopback', '127.9.9.9', false],
  ['loopback of IPv6', '::1', false],
  ['the mapped form', '::ffff:127.0.0.1', false],
  ['the mapped form in hex', '::ffff:7f00:1', false],
  ['a mapped public address', '::ffff:8.8.8.8', false],
  ['the metadata service', '169.254.169.254', false],
  ['10/8', '10.1.2.3', false],
  ['172.16/12', '172.31.0.1', false],
  ['beside 172.16/12', '172.32.0.1', true],
  ['192.168/16', '192.168.1.1', false],
  ['carrier NAT', '100.64.0.1', false],
  ['any', '0.0.0.0', false],
  ['multicast', '224.0.0.1', false],
  ['broadcast', '255.255.255.255', false],
  ['any of IPv6', '::', false],
  ['unique local', 'fd00::1', false],
  ['link-local of IPv6', 'fe80::1', false],
  ['NAT64', '64:ff9b::a00:1', false],
  ['a name', 'example.org', false],
] as const)('%s (%s) is public: %s', ([, address, expected]) => {
  expect(isPublicAddress(address)).toBe(expected);
});

test.for([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['::ffff:127.0.0.1', false],
  ['localhost.example.org', false],
  ['127.0.0.1.example.org', false],
  ['128.0.0.1', false],
] as const)('%s is this machine: %s', ([host, expected]) => {
  expect(isLoopback(host)).toBe(expected);
});

function resolvesTo(...addresses: readonly string[]): typeof lookup {
  const resolve = (_name: string, _options: unknown, done: (error: null, all: unknown) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  return resolve as unknown as typeof lookup;
}

test.for([
  ['a name that leads into the machine', 'public', ['127.0.0.1'], true],
  ['a name of which one address is private', 'public', ['8.8.8.8', '10.0.0.1'], true],
  ['localhost that leads out', 'loopback', ['8.8.8.8'], true],
  ['a name that leads out', 'public', ['8.8.8.8'], false],
  ["the user's own registry inside", 'any', ['10.0.0.1'], false],
] as const)('A-96, rebinding: %s', ([, reach, addresses, refused]) => {
  const errors: unknown[] = [];
  guardedLookup('x.example', reach, resolvesTo(...addresses))('x.example', { all: true }, (error) =>
    errors.push(error),
  );
  expect(errors).toHaveLength(1);
  expect(errors[0] !== null).toBe(refused);
});

test('one address or all of them are handed on, as the caller asks, and an error of the resolver is one', async () => {
  const all = [
    { address: '8.8.8.8', family: 4 },
    { address: '8.8.4.4', family: 4 },
  ];
  const ask = (options: object, resolver: typeof lookup) =>
    new Promise((resolve) =>
      guardedLookup('a.example', 'any', resolver)('a.example', options, (...found) => resolve(found)),
    );
  const resolver = ((_: string, __: object, done: (...found: readonly unknown[]) => void) =>
    done(null, all)) as never;
  expect(await ask({}, resolver)).toEqual([null, '8.8.8.8', 4]);
  expect(await ask({ all: true }, resolver)).toEqual([null, all]);
  const gone = new Error('ENOTFOUND');
  const failing = ((_: string, __: object, done: (...found: readonly unknown[]) => void) =>
    done(gone)) as never;
  expect(await ask({}, failing)).toEqual([gone, []]);
});

test("the address of a proxy is the user's choice", () => {
  const errors: unknown[] = [];
  guardedLookup('x.example', 'public', resolvesTo('10.0.0.1'))('proxy.corp', { all: true }, (error) =>
    errors.push(error),
  );
  expect(errors).toEqual([null]);
});

test('a literal address is looked at as well', () => {
  expect(() => checkAddress('10.0.0.1', '10.0.0.1', 'public')).toThrow(/private network/);
});

test.for([
  ['https to http', 'https://cdn.example/x', 'http://cdn.example/x', 'only https'],
  ['https to http on the same host', 'https://quay.io/x', 'http://quay.io/x', 'only https'],
  ['https to http within this machine', 'https://localhost:5000/x', 'http://localhost:5001/x', 'only https'],
  ['http to another scheme within this machine', 'http://localhost/x', 'ftp://localhost/x', 'only https'],
  ['into the machine', 'https://quay.io/x', 'https://localhost/x', 'into this machine'],
  ['into the machine by number', 'https://quay.io/x', 'https://127.0.0.1/x', 'into this machine'],
  ['to another port of the same host', 'https://quay.io/x', 'https://quay.io:8443/x', 'only the port'],
  ['out of the machine, to a port', 'http://localhost/x', 'https://quay.io:8443/x', 'only the port'],
  ['to a file', 'https://quay.io/x', 'file:///etc/passwd', 'only https'],
  ['to a user', 'https://quay.io/x', 'https://ann@quay.io/x', 'user info'],
  ['to a password', 'https://quay.io/x', 'https://:secret@quay.io/x', 'user info'],
] as const)('A-96: a redirect %s is not followed', ([, from, to, why]) => {
  expect(() => reachOfRedirect(new URL(from), new URL(to))).toThrow(new RegExp(`redirects to .*: .*${why}`));
});

test.for([
  ['to a blob store', 'https://quay.io/x', 'https://cdn.quay.io/x', 'public'],
  ['from this machine to a blob store', 'http://localhost/x', 'https://cdn.quay.io/x', 'public'],
  ['within a registry on a port', 'https://reg.corp:5000/x', 'https://reg.corp:5000/y', 'any'],
  ['within this machine', 'http://localhost:5000/x', 'http://127.0.0.1:5001/y', 'loopback'],
] as const)('A-96: a redirect %s reaches so far: %s', ([, from, to, reach]) => {
  expect(reachOfRedirect(new URL(from), new URL(to))).toBe(reach);
});
