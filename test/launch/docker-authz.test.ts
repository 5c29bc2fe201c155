import { expect, test } from 'vitest';
import { judgeDockerRequest } from '../../src/launch/docker-authz.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const pinned = `quay.io/triton/dev@${digest}`;

function judge(method: string, uri: string, body?: unknown, headers?: unknown): unknown {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return judgeDockerRequest(
    Buffer.from(
      JSON.stringify({
        RequestMethod: method,
        RequestUri: uri,
        RequestHeaders: headers,
        ...(body === undefined ? {} : { RequestBody: Buffer.from(text).toString('base64') }),
      }),
    ),
  );
}

test.for<readonly [string, string]>([
  ['GET', '/v1.41/containers/json?all=1'],
  ['GET', '/_ping'],
  ['HEAD', '/_ping'],
  ['DELETE', '/v1.41/containers/abc'],
  ['POST', '/v1.41/containers/abc/stop?t=10'],
  ['POST', '/containers/abc/exec'],
  ['POST', '/v1.41/exec/abc/start'],
  ['POST', '/v1.41/images/create?fromImage=quay.io/x&tag=1'],
  ['POST', '/v1.41/images/quay.io/x:1/push'],
  ['POST', '/v1.41/volumes/create'],
])('%s %s starts nothing and is allowed', ([method, uri]) => {
  expect(judge(method, uri)).toEqual({ kind: 'allow' });
});

test('what is copied into a container has to wait for its start', () => {
  expect(judge('PUT', '/v1.41/containers/abc/archive?path=/')).toEqual({ kind: 'running', id: 'abc' });
});

test('create is a question about a pinned image', () => {
  expect(
    judge('POST', '/v1.41/containers/create?name=x', { Image: pinned, HostConfig: { Mounts: null } }),
  ).toEqual({
    kind: 'image',
    ref: { registry: 'quay.io', repository: 'triton/dev', digest },
  });
});

test('a platform is part of the question', () => {
  expect(judge('POST', '/v1.41/containers/create?platform=linux%2Farm64', { Image: pinned })).toMatchObject({
    kind: 'image',
    platform: 'linux/arm64',
  });
});

test('parameters in a form are denied: the daemon reads them and does not show them', () => {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  expect(judge('POST', '/v1.41/containers/abc/start', undefined, headers)).toEqual({
    kind: 'deny',
    reason: expect.stringMatching(/from the address only/),
  });
  expect(
    judge('POST', '/v1.41/containers/abc/start', undefined, { 'Content-Type': 'application/json' }),
  ).toEqual({ kind: 'container', id: 'abc' });
});

test.for([['start'], ['restart']])('%s is a question about the container', ([verb]) => {
  expect(judge('POST', `/v1.41/containers/abc_1.x/${verb}?t=1`)).toEqual({
    kind: 'container',
    id: 'abc_1.x',
  });
});

const create = '/v1.41/containers/create';
test.for<readonly [string, string, string, unknown, RegExp]>([
  ['a tag', 'POST', create, { Image: 'quay.io/triton/dev:1' }, /has no digest in its name/],
  ['an image id', 'POST', create, { Image: digest }, /has no digest/],
  ['no image', 'POST', create, {}, /has no digest/],
  ['no body: it was too large, or hidden', 'POST', create, undefined, /did not show/],
  ['a body that is no JSON', 'POST', create, '{"Image":', /the body/],
  [
    'a body with two values',
    'POST',
    create,
    `${JSON.stringify({ Image: pinned })}{"Image":"evil"}`,
    /the body/,
  ],
  ['the same key twice', 'POST', create, `{"Image":"${pinned}","Image":"evil"}`, /the body/],
  [
    'the key in another case, which Go takes too',
    'POST',
    create,
    `{"Image":"${pinned}","image":"evil"}`,
    /instead of Image/,
  ],
  ['only the key in another case', 'POST', create, { image: pinned }, /instead of Image/],
  ['a letter that Go folds into ASCII', 'POST', create, { Image: pinned, HoſtConfig: {} }, /has the key/],
  [
    'the volumes of another container',
    'POST',
    create,
    { Image: pinned, HostConfig: { VolumesFrom: ['other'] } },
    /the content of another container comes along/,
  ],
  [
    'an image as a mount',
    'POST',
    create,
    { Image: pinned, HostConfig: { Mounts: [{ Type: 'image' }] } },
    /type "image"/,
  ],
  [
    'a mount without a type',
    'POST',
    create,
    { Image: pinned, HostConfig: { Mounts: [{}] } },
    /a mount of the type/,
  ],
  [
    'a mount whose type hides',
    'POST',
    create,
    { Image: pinned, HostConfig: { Mounts: [{ Type: 'bind', type: 'image' }] } },
    /instead of Type/,
  ],
  [
    'two platforms',
    'POST',
    `${create}?platform=linux/amd64&platform=linux/arm64`,
    { Image: pinned },
    /two platforms/,
  ],
  ['a checkpoint', 'POST', '/v1.41/containers/abc/start?checkpoint=x', undefined, /restore a checkpoint/],
  ['one that is spelled in code', 'POST', '/containers/abc/start?%63heckpoint=x', undefined, /"checkpoint"/],
  ['one behind a semicolon', 'POST', '/containers/abc/start?t=1;checkpoint=x', undefined, /semicolons/],
  ['its folder', 'POST', '/containers/abc/start?checkpoint-dir=/tmp', undefined, /restore a checkpoint/],
  ['a build', 'POST', '/v1.41/build?dockerfile=x', undefined, /a build runs images/],
  ['a build session', 'POST', '/v1.41/session', undefined, /a build runs/],
  ['gRPC', 'POST', '/v1.41/grpc', undefined, /a build runs/],
  ['a session by GET', 'GET', '/session', undefined, /cannot see into/],
  ['a service', 'POST', '/v1.41/services/create', undefined, /could start an unverified image/],
  ['a plugin', 'POST', '/v1.41/plugins/pull?remote=x', undefined, /could start/],
  ['an unknown end of the API', 'POST', '/v1.99/containers/conjure', undefined, /could start/],
  ['a path with two slashes', 'POST', '/v1.41//containers/create', { Image: pinned }, /plain paths/],
  ['a path that goes up', 'POST', '/v1.41/x/../containers/create', { Image: pinned }, /plain paths/],
  ['an encoded path', 'POST', '/v1.41/containers%2fcreate', { Image: pinned }, /plain paths/],
  ['a path with a slash at its end', 'POST', '/v1.41/containers/create/', { Image: pinned }, /plain paths/],
  ['another host before the path', 'POST', 'http://x/containers/create', { Image: pinned }, /plain paths/],
  ['an unknown method', 'CONNECT', '/v1.41/containers/create', { Image: pinned }, /does not know the method/],
])('%s is denied', ([, method, uri, body, reason]) => {
  expect(judge(method, uri, body)).toEqual({ kind: 'deny', reason: expect.stringMatching(reason) });
});

test.for<readonly [string, string]>([
  ['no JSON', 'x'],
  ['no method', '{}'],
  ['a member twice', '{"RequestMethod":"GET","RequestMethod":"POST","RequestUri":"/x"}'],
])('a request with %s cannot be judged', ([, text]) => {
  expect(() => judgeDockerRequest(Buffer.from(text))).toThrow(/the request to the plugin/);
});
