import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TcfError } from '../../src/base/error.ts';
import {
  isPurl,
  isPurlText,
  normalizePurl,
  type PurlParts,
  parsePurl,
  readPurl,
  toPurl,
} from '../../src/bom/purl.ts';

const roundTrips: readonly (readonly [string, PurlParts])[] = [
  [
    'pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12',
    {
      type: 'deb',
      namespace: 'debian',
      name: 'libc6',
      version: '2.36-9',
      qualifiers: { arch: 'amd64', distro: 'debian-12' },
    },
  ],
  [
    'pkg:deb/debian/attr@1:2.4.47-2?arch=amd64',
    { type: 'deb', namespace: 'debian', name: 'attr', version: '1:2.4.47-2', qualifiers: { arch: 'amd64' } },
  ],
  [
    'pkg:deb/ubuntu/g%2B%2B-12@12.3.0-1ubuntu1~22.04?upstream=gcc-12',
    {
      type: 'deb',
      namespace: 'ubuntu',
      name: 'g++-12',
      version: '12.3.0-1ubuntu1~22.04',
      qualifiers: { upstream: 'gcc-12' },
    },
  ],
  [
    'pkg:rpm/fedora/NetworkManager@1.46.0-1.fc40?arch=x86_64&epoch=1',
    {
      type: 'rpm',
      namespace: 'fedora',
      name: 'NetworkManager',
      version: '1.46.0-1.fc40',
      qualifiers: { arch: 'x86_64', epoch: '1' },
    },
  ],
  [
    'pkg:rpm/centos/bash@5.1.8-9.el9?upstream=bash-5.1.8-9.el9.src.rpm',
    {
      type: 'rpm',
      namespace: 'centos',
      name: 'bash',
      version: '5.1.8-9.el9',
      qualifiers: { upstream: 'bash-5.1.8-9.el9.src.rpm' },
    },
  ],
  [
    'pkg:apk/alpine/busybox@1.36.1-r2?arch=x86_64&distro=alpine-3.19',
    {
      type: 'apk',
      namespace: 'alpine',
      name: 'busybox',
      version: '1.36.1-r2',
      qualifiers: { arch: 'x86_64', distro: 'alpine-3.19' },
    },
  ],
  ['pkg:pypi/torch@2.6.0%2Bcu124', { type: 'pypi', name: 'torch', version: '2.6.0+cu124' }],
  ['pkg:pypi/ruamel.yaml@0.18.6', { type: 'pypi', name: 'ruamel.yaml', version: '0.18.6' }],
  [
    'pkg:conda/numpy@1.26.4?build=py312_0&channel=main&subdir=linux-64&type=conda',
    {
      type: 'conda',
      name: 'numpy',
      version: '1.26.4',
      qualifiers: { build: 'py312_0', channel: 'main', subdir: 'linux-64', type: 'conda' },
    },
  ],
  [
    'pkg:github/llvm/llvm-project@0123456789abcdef0123456789abcdef01234567',
    {
      type: 'github',
      namespace: 'llvm',
      name: 'llvm-project',
      version: '0123456789abcdef0123456789abcdef01234567',
    },
  ],
  [
    'pkg:github/llvm/llvm-project@main#llvm/lib',
    { type: 'github', namespace: 'llvm', name: 'llvm-project', version: 'main', subpath: 'llvm/lib' },
  ],
  [
    'pkg:generic/nvidia/ptxas@12.9.86',
    { type: 'generic', namespace: 'nvidia', name: 'ptxas', version: '12.9.86' },
  ],
  [
    'pkg:generic/openssl@1.1?checksum=sha1:ad95%2Csha256:41bf&download_url=https:%2F%2Fx.org%2Fo.tgz',
    {
      type: 'generic',
      name: 'openssl',
      version: '1.1',
      qualifiers: { checksum: 'sha1:ad95,sha256:41bf', download_url: 'https://x.org/o.tgz' },
    },
  ],
  [
    'pkg:oci/triton@sha256:ab12?arch=amd64&repository_url=ghcr.io%2Facme%2Ftriton',
    {
      type: 'oci',
      name: 'triton',
      version: 'sha256:ab12',
      qualifiers: { arch: 'amd64', repository_url: 'ghcr.io/acme/triton' },
    },
  ],
  [
    'pkg:docker/library/Debian@bookworm',
    { type: 'docker', namespace: 'library', name: 'Debian', version: 'bookworm' },
  ],
  ['pkg:npm/%40angular/core@17.0.0', { type: 'npm', namespace: '@angular', name: 'core', version: '17.0.0' }],
  [
    'pkg:golang/google.golang.org/genproto#googleapis/api/annotations',
    {
      type: 'golang',
      namespace: 'google.golang.org',
      name: 'genproto',
      subpath: 'googleapis/api/annotations',
    },
  ],
  [
    'pkg:git/codeberg.org/forgejo/forgejo@a72d',
    { type: 'git', namespace: 'codeberg.org', name: 'forgejo/forgejo', version: 'a72d' },
  ],
  [
    'pkg:maven/org.apache/Xalan@2.7?classifier=dist&type=zip',
    {
      type: 'maven',
      namespace: 'org.apache',
      name: 'Xalan',
      version: '2.7',
      qualifiers: { classifier: 'dist', type: 'zip' },
    },
  ],
  [
    'pkg:huggingface/microsoft/deberta-v3-base@559062ad',
    { type: 'huggingface', namespace: 'microsoft', name: 'deberta-v3-base', version: '559062ad' },
  ],
  [
    'pkg:julia/Dates@1.9?uuid=ade2ca70',
    { type: 'julia', name: 'Dates', version: '1.9', qualifiers: { uuid: 'ade2ca70' } },
  ],
  [
    'pkg:swift/github.com/Alamofire/Alamofire@5.4.3',
    { type: 'swift', namespace: 'github.com/Alamofire', name: 'Alamofire', version: '5.4.3' },
  ],
  ['pkg:unheard-of/Some/Thing@1', { type: 'unheard-of', namespace: 'Some', name: 'Thing', version: '1' }],
  ['pkg:generic/%25%20%22%C3%BC@%21%27%28%29%2A', { type: 'generic', name: '% "ü', version: "!'()*" }],
];

test.for(roundTrips)('%s', ([text, parts]) => {
  expect(parsePurl(text)).toEqual(parts);
  expect(toPurl(parts)).toBe(text);
  expect(isPurl(text)).toBe(true);
});

test.for([
  ['upper-case scheme and type', 'PKG:PyPI/Django@1', 'pkg:pypi/django@1'],
  ['slashes after the scheme', 'pkg:///npm/foo@1', 'pkg:npm/foo@1'],
  ['an encoded colon', 'pkg:deb/debian/attr@1%3A2', 'pkg:deb/debian/attr@1:2'],
  ['a raw plus is a plus', 'pkg:pypi/torch@2.6.0+cu124', 'pkg:pypi/torch@2.6.0%2Bcu124'],
  ['underscores of pypi', 'pkg:pypi/Typing_Extensions@4', 'pkg:pypi/typing-extensions@4'],
  ['lower-case hexadecimal', 'pkg:generic/a%2fb', 'pkg:generic/a%2Fb'],
  ['case of deb', 'pkg:deb/Debian/Foo@1A', 'pkg:deb/debian/foo@1A'],
  ['case of rpm names stays', 'pkg:rpm/Fedora/Foo', 'pkg:rpm/fedora/Foo'],
  ['case of github', 'pkg:github/LLVM/LLVM-Project', 'pkg:github/llvm/llvm-project'],
  ['case of oci', 'pkg:oci/Triton@SHA256:AB', 'pkg:oci/triton@sha256:ab'],
  ['qualifiers in any order', 'pkg:generic/a?b=2&a=1', 'pkg:generic/a?a=1&b=2'],
  ['empty qualifiers', 'pkg:generic/a?b=&c&a=1', 'pkg:generic/a?a=1'],
  ['a question mark and nothing', 'pkg:generic/a?', 'pkg:generic/a'],
  ['slashes in a qualifier', 'pkg:oci/a?repository_url=ghcr.io/x', 'pkg:oci/a?repository_url=ghcr.io%2Fx'],
  ['a raw scope', 'pkg:npm/@angular/core@1', 'pkg:npm/%40angular/core@1'],
  ['a raw scope without version', 'pkg:npm/@angular/core', 'pkg:npm/%40angular/core'],
  ['dots in a subpath', 'pkg:generic/a#./b/../c//d/', 'pkg:generic/a#b/c/d'],
  ['slashes around', 'pkg:generic//x//a/', 'pkg:generic/x/a'],
] as const)('canonical: %s', ([, text, canonical]) => {
  expect(toPurl(parsePurl(text))).toBe(canonical);
  expect(isPurl(text)).toBe(false);
  expect(isPurlText(text)).toBe(true);
});

test.for([
  ['nothing', ''],
  ['no scheme', 'deb/debian/a@1'],
  ['an encoded scheme', 'pkg%3Adeb/debian/a'],
  ['another scheme', 'http://debian.org/a'],
  ['a type and no more', 'pkg:pypi'],
  ['no name', 'pkg:pypi/'],
  ['a version and no name', 'pkg:pypi/@1.0'],
  ['a namespace, a version and no name', 'pkg:swift/github.com/Alamofire/@5.4.3'],
  ['a type with a digit first', 'pkg:3d/a'],
  ['a type with a colon', 'pkg:py:pi/a'],
  ['a type with odd characters', 'pkg:n&g?inx/a'],
  ['a qualifier key with a blank', 'pkg:npm/a?in%20production=true'],
  ['a qualifier key in upper case', 'pkg:rpm/fedora/a?Arch=x'],
  ['a qualifier twice', 'pkg:rpm/fedora/a?arch=x&arch=y'],
  ['broken percent-encoding', 'pkg:npm/a%zz'],
  ['percent-encoding that is no UTF-8', 'pkg:npm/a%ff'],
  ['an encoded slash in the namespace', 'pkg:github/a%2Fb/c'],
  ['an encoded slash in the subpath', 'pkg:generic/a#b%2F..%2Fc'],
  ['a deb without its distribution', 'pkg:deb/bash@1'],
  ['a pypi with a namespace', 'pkg:pypi/python/torch'],
  ['a conda with a namespace', 'pkg:conda/main/numpy'],
  ['an oci with a namespace', 'pkg:oci/acme/app'],
  ['a julia package without uuid', 'pkg:julia/Dates'],
  ['a module for a distribution', 'pkg:cpan/URI::PackageURL'],
  ['endless', `pkg:generic/${'a'.repeat(9000)}`],
] as const)('refused: %s', ([, text]) => {
  expect(() => parsePurl(text)).toThrow(TcfError);
  expect(() => parsePurl(text)).toThrow(expect.objectContaining({ code: 'purl.malformed', exit: 2 }));
  expect(isPurl(text)).toBe(false);
});

test.for([
  ['keys in capitals', 'pkg:Rpm/fedora/curl@7?Arch=i386', 'pkg:rpm/fedora/curl@7?arch=i386'],
  ['one value twice', 'pkg:rpm/fedora/a?arch=x&arch=x', 'pkg:rpm/fedora/a?arch=x'],
  ['one value twice, in two spellings', 'pkg:rpm/fedora/a?arch=x&ARCH=%78', 'pkg:rpm/fedora/a?arch=x'],
  ['no distribution of an rpm', 'pkg:rpm/glibc@2.34', 'pkg:rpm/glibc@2.34'],
  ['no distribution of a deb', 'pkg:deb/Bash@5?arch=amd64', 'pkg:deb/bash@5?arch=amd64'],
  ['no distribution of an apk', 'pkg:apk/musl', 'pkg:apk/musl'],
  ['the standard library of Go', 'pkg:golang/stdlib@1.22.1', 'pkg:golang/stdlib@1.22.1'],
  ['what is canonical already', 'pkg:pypi/torch@2.5.1', 'pkg:pypi/torch@2.5.1'],
] as const)('read as it is meant: %s', ([, text, expected]) => {
  expect(normalizePurl(text)).toBe(expected);
  // What was read once is read again.
  expect(normalizePurl(expected)).toBe(expected);
  expect(readPurl(text)).toEqual(readPurl(expected));
});

test.for([
  ['two values of one key', 'pkg:rpm/fedora/a?arch=x&arch=y'],
  ['two values of one key, in two spellings', 'pkg:rpm/fedora/a?arch=x&ARCH=y'],
  ['broken percent-encoding', 'pkg:pypi/torch%zz@2.5.1'],
  ['broken percent-encoding of a version', 'pkg:pypi/torch@2.5.1%'],
  ['a namespace where none is', 'pkg:pypi/python/torch'],
  ['no namespace where a host is', 'pkg:github/llvm-project'],
  ['no purl', 'torch'],
] as const)('unreadable, whatever is meant: %s', ([, text]) => {
  expect(readPurl(text)).toBeUndefined();
  expect(normalizePurl(text)).toBeUndefined();
});

test('keys that differ in case alone are not built', () => {
  expect(() => toPurl({ type: 'npm', name: 'a', qualifiers: { x: '1', X: '2' } })).toThrow('differ in case');
});

test.for([
  ['an empty type', { type: '', name: 'a' }],
  ['an empty name', { type: 'npm', name: '' }],
  ['a name of slashes', { type: 'npm', name: '//' }],
  ['half a character', { type: 'npm', name: 'a\ud800' }],
  ['half a character in a qualifier', { type: 'npm', name: 'a', qualifiers: { x: '\udc00' } }],
  ['an empty key', { type: 'npm', name: 'a', qualifiers: { '': 'x' } }],
] as const)('not built: %s', ([, parts]) => {
  expect(() => toPurl(parts)).toThrow(expect.objectContaining({ code: 'purl.malformed' }));
});

test('any parts survive being written and read', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const segment = text.map((piece) => piece.replaceAll('/', '-'));
  const key = fc.stringMatching(/^[a-z][a-z0-9._-]{0,6}$/);
  fc.assert(
    fc.property(
      fc.array(segment, { maxLength: 3 }),
      segment,
      text,
      fc.dictionary(key, text),
      (namespace, name, version, qualifiers) => {
        const purl = toPurl({ type: 'generic', namespace: namespace.join('/'), name, version, qualifiers });
        expect(purl).toMatch(/^[A-Za-z0-9.\-_~%:/@?=&]+$/);
        expect(isPurl(purl)).toBe(true);
        expect(parsePurl(purl)).toMatchObject({ name, version });
        expect(parsePurl(purl).qualifiers ?? {}).toEqual({ ...qualifiers });
      },
    ),
  );
});

test('no text crashes the reader', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(typeof isPurlText(`pkg:npm/${text}`)).toBe('boolean');
    }),
  );
});
