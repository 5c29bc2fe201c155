import { expect, test } from 'vitest';
import { parseImageUri, readImageName } from '../../src/policy/image-uri.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/* How builders write an image: BuildKit, the OCI type of purl-spec, and transports of skopeo. */
test.for<readonly [string, string, object | undefined]>([
  ['BuildKit', `pkg:docker/debian@12?digest=${digest}&platform=linux%2Famd64`, { name: 'debian', digest }],
  ['BuildKit, with an owner', `pkg:docker/acme/app@1?digest=${digest}`, { name: 'acme/app', digest }],
  [
    'purl-spec',
    `pkg:oci/app@${digest}?repository_url=quay.io/acme/app&tag=1`,
    { name: 'quay.io/acme/app', digest },
  ],
  ['a transport', `docker://quay.io/acme/app@${digest}`, { name: 'quay.io/acme/app', digest }],
  ['a transport and a tag', 'oci://quay.io/acme/app:1.2', { name: 'quay.io/acme/app' }],
  ['a transport, a port and a tag', 'docker-image://localhost:5000/app:1', { name: 'localhost:5000/app' }],
  ['a transport and a port', 'docker://localhost:5000/app', { name: 'localhost:5000/app' }],
  ['a purl that cannot be read', 'pkg:docker/%zz', { name: 'pkg:docker/%zz' }],
  ['a URL in which a transport stands', `https://x/docker://quay.io/app@${digest}`, undefined],
  ['a package', 'pkg:deb/debian/bash@5.2', undefined],
  ['a purl in a URL', 'https://x/pkg:docker/debian@12', undefined],
])('%s', ([, uri, expected]) => {
  expect(parseImageUri(uri)).toEqual(expected);
});

test('a name is read as every other name of an image, or not at all', () => {
  expect(readImageName('debian')).toMatchObject({ registry: 'docker.io', repository: 'library/debian' });
  expect(readImageName('No Name')).toBeUndefined();
});
