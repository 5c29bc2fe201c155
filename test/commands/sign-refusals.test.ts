import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type SigstoreServer, startSigstore } from '../support/sigstore.ts';

/*
 * Whatever goes wrong while signing: one sentence, a hint, exit code 2 or 3, and nothing in the registry, and
 * no file, that was not there before.
 */

const now = new Date('2026-11-23T12:00:00Z');
const hour = 3_600_000;
const later = (ms: number) => new Date(Number(now) + ms);

let place: ReturnType<typeof folder>;
/** With the referrers API, and without. */
let registries: readonly [TestRegistry, TestRegistry];
let registry: TestRegistry;
let sigstore: SigstoreServer;

beforeAll(async () => {
  place = folder();
  sigstore = await startSigstore({ now: () => now });
  registries = [await startRegistry(), await startRegistry({ referrersApi: false })];
  for (const { host } of registries) {
    await pushDemoImage({ host, repository: 'triton/dev', tag: '1' });
  }
  writeFileSync(join(place.path, 'root.json'), sigstore.trustedRoot);
  writeFileSync(join(place.path, 'config.json'), sigstore.signingConfig(1));
  writeFileSync(join(place.path, 'config2.json'), sigstore.signingConfig(2));
  await type(['keygen', '--output-key-prefix', 'team'], {
    cwd: place.path,
    env: { COSIGN_PASSWORD: 'right' },
  });
});
afterAll(async () => {
  await sigstore[Symbol.asyncDispose]();
  for (const each of registries) {
    await each.close();
  }
  place[Symbol.dispose]();
});

/** Everything works, until a row breaks something. */
function start(referrersApi: boolean): void {
  registry = registries[referrersApi ? 0 : 1];
  registry.clearFaults();
  sigstore.clearFaults();
}

interface Signing {
  readonly token?: string;
  readonly now?: Date;
  readonly config?: string;
  readonly key?: string;
  readonly password?: string;
}

type Sign = (how?: Signing) => Promise<Called>;

const sign: Sign = (how) => run(['sign', `${registry.host}/triton/dev:1`, '--allow-http', '--no-sbom'], how);
const signBundle: Sign = (how) => run(['sign-bundle', 'build.sh', '--bundle', 'out.json'], how);

function run(args: readonly string[], { key, password = 'right', ...how }: Signing = {}): Promise<Called> {
  const who = key === undefined ? [] : ['--key', key];
  return type(
    [
      ...[...args, ...who],
      ...['--signing-config', how.config ?? 'config.json', '--trusted-root', 'root.json'],
    ],
    {
      cwd: place.path,
      now: how.now ?? now,
      env: {
        COSIGN_PASSWORD: password,
        ...(key === undefined ? { SIGSTORE_ID_TOKEN: how.token ?? sigstore.token() } : {}),
      },
    },
  );
}

type Row = readonly [
  name: string,
  exit: 2 | 3,
  says: RegExp,
  hints: RegExp,
  run: (sign: Sign) => Promise<Called>,
];

/** Whatever is signed. */
const rows: readonly Row[] = [
  [
    'an expired token',
    2,
    /the identity token expired at 2026-11-23T11:00:00\.000Z, and it is 2026-11-23T12:00:00\.000Z here/,
    /get a new one/,
    (sign) => sign({ token: sigstore.token({ exp: Number(now) / 1000 - 3600 }) }),
  ],
  [
    'a token for another audience',
    2,
    /answered 400 to the request for a signing certificate/,
    /made out to "aws"; ask the issuer for the audience "sigstore"/,
    (sign) => sign({ token: sigstore.token({ aud: 'aws' }) }),
  ],
  [
    'a token that is none',
    3,
    /cannot read the identity token/,
    /three parts joined by dots/,
    (sign) => sign({ token: 'x' }),
  ],
  [
    'a refusal of Fulcio',
    2,
    /answered 403 .*: not from you/,
    /knows the issuer "https:\/\/issuer\.test"/,
    (sign) => {
      sigstore.fault(/signingCert/, { status: 403, body: '{"message":"not from you"}' });
      return sign();
    },
  ],
  [
    'a Fulcio that is down',
    2,
    /answered 503/,
    /try again later/,
    (sign) => {
      sigstore.fault(/signingCert/, { status: 503 });
      return sign();
    },
  ],
  [
    'a Fulcio that answers with a page',
    2,
    /unusable answer to the request for a signing certificate/,
    /the address of the service/,
    (sign) => {
      sigstore.fault(/signingCert/, { status: 200, body: '<html>' });
      return sign();
    },
  ],
  [
    'a conflict in Rekor that is not explained',
    2,
    /has this entry and does not say where/,
    /sign again/,
    (sign) => {
      sigstore.fault(/POST \/rekor/, { status: 409 });
      return sign();
    },
  ],
  [
    'a conflict with an entry that is gone',
    2,
    /answered 404 to the request for the existing log entry/,
    /sign again/,
    (sign) => {
      const location = `/rekor/api/v1/log/entries/${'0'.repeat(64)}`;
      sigstore.fault(/POST \/rekor/, { status: 409, headers: { location } });
      return sign();
    },
  ],
  [
    'a log that is down',
    2,
    /answered 500 to the request for a log entry/,
    /try again later/,
    (sign) => {
      sigstore.fault(/rekor/, { status: 500 });
      return sign({ key: 'team.key' });
    },
  ],
  [
    'a log that hangs up',
    2,
    /could not get a log entry/,
    /nothing was changed/,
    (sign) => {
      sigstore.fault(/rekor/, { destroy: true });
      return sign();
    },
  ],
  [
    'a log of version 2 that refuses',
    2,
    /answered 400 to the request for a log entry/,
    /the log may not take this kind/,
    (sign) => {
      sigstore.fault(/rekor2/, { status: 400, body: '{"message":"no"}' });
      return sign({ config: 'config2.json' });
    },
  ],
  [
    'a timestamp authority that is down',
    2,
    /answered 500 to the request for a timestamp/,
    /try again later/,
    (sign) => {
      sigstore.fault(/tsa/, { status: 500 });
      return sign();
    },
  ],
  [
    'a clock that is an hour late',
    2,
    /the identity token was issued at 2026-11-23T12:00:00\.000Z, and it is 2026-11-23T11:00:00\.000Z here/,
    /set the clock/,
    (sign) => sign({ now: later(-hour) }),
  ],
  [
    'a clock that is an hour early',
    2,
    /the identity token expired at 2026-11-23T12:05:00\.000Z, and it is 2026-11-23T13:00:00\.000Z here/,
    /set the clock/,
    (sign) => sign({ now: later(hour) }),
  ],
  [
    'a clock that is an hour late, and a key',
    2,
    /nothing was (?:pushed|written): the signature was witnessed at 2026-11-23T12:00:00\.000Z, and it is 2026-11-23T11:00:00\.000Z here/,
    /set the clock/,
    (sign) => sign({ key: 'team.key', now: later(-hour) }),
  ],
  [
    'a key with the wrong password',
    3,
    /cannot decrypt "team\.key": the password is wrong/,
    /check COSIGN_PASSWORD/,
    (sign) => sign({ key: 'team.key', password: 'wrong' }),
  ],
  [
    'a key that is not there',
    3,
    /cannot read the key/,
    /check the path/,
    (sign) => sign({ key: 'none.key' }),
  ],
];

/** Images only. */
const registryRows: readonly Row[] = [
  [
    'a registry that is read-only',
    2,
    /answered 405 to upload of blob/,
    /it may be read-only/,
    (sign) => {
      registry.fault(/^(POST|PUT|PATCH)/, { status: 405 });
      return sign();
    },
  ],
  [
    'a registry where we may only read',
    2,
    /answered 403 to upload of blob/,
    /log in/,
    (sign) => {
      registry.fault(/^(POST|PUT|PATCH)/, { status: 403 });
      return sign({ key: 'team.key' });
    },
  ],
  [
    'a registry that takes blobs and no manifests',
    2,
    /answered 403 to upload of manifest/,
    /log in/,
    (sign) => {
      registry.fault(/^PUT .*manifests/, { status: 403 });
      return sign({ key: 'team.key' });
    },
  ],
];

describe.for([
  ['with the referrers API', true],
  ['without the referrers API', false],
] as const)('on a registry %s', ([, api]) => {
  test.for([...rows, ...registryRows])('%s', async ([, exit, says, hints, run]) => {
    start(api);
    const before = [...registry.manifests.keys()];
    const called = await run(sign);
    expect(called.err).toMatch(says);
    expect(called.err).toMatch(hints);
    expect(called.err).toMatch(/^tcf: error: [^\n]+\ntcf: hint: [^\n]+\n$/);
    expect(called.exit).toBe(exit);
    expect(called.out).toBe('');
    expect([...registry.manifests.keys()]).toEqual(before);
  });
});

describe('a file', () => {
  test.for(rows)('%s', async ([, exit, says, hints, run]) => {
    start(true);
    writeFileSync(join(place.path, 'build.sh'), 'make');
    writeFileSync(join(place.path, 'out.json'), 'before');
    const called = await run(signBundle);
    expect(called.err).toMatch(says);
    expect(called.err).toMatch(hints);
    expect(called.err).toMatch(/^tcf: error: [^\n]+\ntcf: hint: [^\n]+\n$/);
    expect([called.exit, called.out]).toEqual([exit, '']);
    expect(readFileSync(join(place.path, 'out.json'), 'utf8')).toBe('before');
    expect(readdirSync(place.path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('a folder that is not there', async () => {
    start(true);
    const args = ['sign-bundle', 'root.json', '--bundle', 'none/out.json'];
    const called = await run(args);
    expect(called).toMatchObject({ exit: 3, err: expect.stringContaining('cannot write "none/out.json"') });
  });
});

test('a registry that takes everything but the fallback tag has no half of it', async () => {
  start(false);
  registry.fault(/^PUT .*manifests\/sha256-/, { status: 403 });
  const called = await sign({ key: 'team.key' });
  expect(called).toMatchObject({ exit: 2 });
  expect(called.err).toMatch(/^tcf: error: [^\n]+\ntcf: hint: [^\n]+\n$/);
  expect([...registry.manifests.keys()].filter((name) => name.includes('sha256-'))).toEqual([]);
});
