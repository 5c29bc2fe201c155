import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { formatImageRef, formatPinnedRef, parseImageRef, pin } from '../../src/oci/reference.ts';

const digest = digestOf(new Uint8Array());

test.for([
  ['A-16: a short name', 'alpine', 'docker.io/library/alpine:latest'],
  ['A-16: docker.io', 'docker.io/alpine:3', 'docker.io/library/alpine:3'],
  ['A-16: with library/', 'docker.io/library/alpine:3', 'docker.io/library/alpine:3'],
  ['A-16: index.docker.io', 'index.docker.io/alpine:3', 'docker.io/library/alpine:3'],
  ['A-16: registry-1.docker.io', 'registry-1.docker.io/library/alpine:3', 'docker.io/library/alpine:3'],
  ['A-16: a host in capitals', 'Docker.IO/alpine:3', 'docker.io/library/alpine:3'],
  ['A-17: xdocker.io', 'xdocker.io/alpine:3', 'xdocker.io/alpine:3'],
  ['A-17: evil-docker.io', 'evil-docker.io/alpine:3', 'evil-docker.io/alpine:3'],
  ['A-17: a subdomain', 'a.docker.io/alpine:3', 'a.docker.io/alpine:3'],
  ['an organisation', 'team/app', 'docker.io/team/app:latest'],
  ['a port', 'localhost:5000/app', 'localhost:5000/app:latest'],
  ['localhost', 'localhost/app:1', 'localhost/app:1'],
  ['IPv6', '[::1]:5000/app:1', '[::1]:5000/app:1'],
  ['a digest', `quay.io/a/b@${digest}`, `quay.io/a/b@${digest}`],
  ['A-2: tag and digest', `quay.io/a/b:1@${digest}`, `quay.io/a/b:1@${digest}`],
  ['separators', 'quay.io/a.b_c__d--e/f:T_1.-', 'quay.io/a.b_c__d--e/f:T_1.-'],
])('%s is read', ([, text = '', expected = '']) => {
  expect(formatImageRef(parseImageRef(text))).toBe(expected);
  expect(parseImageRef(expected)).toEqual(parseImageRef(text));
});

test.for([
  ['nothing', ''],
  ['A-19: capitals in the path', 'quay.io/Team/app'],
  ['A-19: an escape', 'quay.io/team%2fapp'],
  ['A-19: a climb', 'quay.io/team/../app'],
  ['A-19: a point', 'quay.io/./app'],
  ['A-19: two slashes', 'quay.io//app'],
  ['A-19: a slash at the end', 'quay.io/app/'],
  ['A-19: a slash at the start', '/app'],
  ['A-19: NUL', 'quay.io/app\u0000'],
  ['A-19: a new line', 'quay.io/app\n'],
  ['A-19: a new line after the tag', 'quay.io/app:1\n'],
  ['A-19: a new line after the digest', `quay.io/app@${digest}\n`],
  ['A-19: a space', 'quay.io/ app'],
  ['a scheme', 'https://quay.io/app'],
  ['user info', 'me@quay.io/app'],
  ['a query', 'quay.io/app?x'],
  ['an empty tag', 'quay.io/app:'],
  ['a tag that begins with a point', 'quay.io/app:.1'],
  ['a tag of 129 characters', `quay.io/app:${'x'.repeat(129)}`],
  ['a name of 256 characters', `quay.io/${'x'.repeat(250)}`],
  ['an image id', 'a'.repeat(64)],
  ['two digests', `quay.io/app@${digest}@${digest}`],
  ['a port of letters', 'quay.io:port/app'],
  ['A-25: sha1', `quay.io/app@sha1:${'a'.repeat(40)}`],
  ['A-25: md5', `quay.io/app@md5:${'a'.repeat(32)}`],
  ['A-25: short hex', 'quay.io/app@sha256:abc'],
  ['A-25: capitals', `quay.io/app@sha256:${'A'.repeat(64)}`],
  ['A-25: a path', 'quay.io/app@sha256:../../x'],
  ['A-25: an empty digest', 'quay.io/app@'],
  ['A-25: an unknown algorithm', `quay.io/app@blake3:${'a'.repeat(64)}`],
])('%s is refused as asked wrongly', ([, text = '']) => {
  expect(() => parseImageRef(text)).toThrow(
    expect.objectContaining({ code: 'reference.malformed', exit: 3 }),
  );
});

test('A-24: a repository that begins alike is another one', () => {
  const [ours, theirs] = ['registry.example/acme/x', 'registry.example/acme-evil/x'].map(parseImageRef);
  expect(ours?.repository.split('/')[0]).not.toBe(theirs?.repository.split('/')[0]);
});

test('a pinned name has no tag', () => {
  expect(formatPinnedRef(pin(parseImageRef('quay.io/a/b:1'), digest))).toBe(`quay.io/a/b@${digest}`);
});
