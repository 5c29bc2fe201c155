import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publicGoodSigningConfigs } from '../../src/attest/public-good.ts';
import { folder, type } from '../support/host.ts';
import type { Loose } from '../support/key-bundle.ts';
import { sha256 } from '../support/sigstore/authority.ts';
import { newSigstore, type VirtualSigstore } from '../support/sigstore.ts';
import { day, serveTuf, TestTuf, type TufServer } from '../support/tuf.ts';

const now = new Date('2026-11-23T12:00:00Z');
const recorded = join(import.meta.dirname, '../../fixtures/sigstore/tuf');
const sigstore: VirtualSigstore = newSigstore({ now: () => now });
let place: ReturnType<typeof folder>;
let tuf: TestTuf;
let mirror: TufServer;

beforeEach(async () => {
  place = folder();
  tuf = new TestTuf(sigstore.trustedRoot, now);
  mirror = await serveTuf(tuf.files);
  write('root.json', tuf.anchor);
  write('trusted_root.json', sigstore.trustedRoot);
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const write = (name: string, content: string | Uint8Array) => writeFileSync(join(place.path, name), content);
const trust = (...args: readonly string[]) => type(['trust', ...args], { cwd: place.path, now });
const trustAt = (at: Date, ...args: readonly string[]) =>
  type(['trust', ...args], { cwd: place.path, now: at });
const start = () => trust('update', 'corp', '--mirror', mirror.url, '--root', 'root.json');
const slot = (name: string) => join(place.path, 'home/.local/state/tcf/trust', name);
const shown = async (...args: readonly string[]) =>
  JSON.parse((await trust('show', '--json', ...args)).out).roots;

const firstCertificate = (root: Loose) => root.certificateAuthorities[0].certChain.certificates[0];

function halved(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.subarray(0, bytes.length / 2).toString('base64');
}

describe('show', () => {
  test('tcf carries the root of the public instance, and says since when', async () => {
    const { exit, out } = await trust('show');
    expect(exit).toBe(0);
    expect(out).toMatch(/^sigstore: 93 days old \(carried by tcf, 2026-08-21\)\n {2}sha256:6494e21e/);
    expect(out).toContain('timestamp authority   2025-07-04 to now         https://timestamp.sigstore.dev');
  });

  test('a file is shown with what is wrong in it', async () => {
    const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    root.tlogs.push(root.tlogs[0]);
    write('twice.json', JSON.stringify(root));
    const { exit, out } = await trust('show', 'twice.json');
    expect(exit).toBe(1);
    expect(out).toContain('✗ trustedRoot.tlogs[2]: has the same key as trustedRoot.tlogs[0]');
    expect((await trust('show', 'twice.json', '--json')).out).toContain('"severity": "error"');
  });

  /** Each damages one entry. */
  const damages: readonly (readonly [string, (root: Loose) => void])[] = [
    ['a certificate of three bytes', (r) => (firstCertificate(r).rawBytes = 'AAAA')],
    ['half a certificate', (r) => (firstCertificate(r).rawBytes = halved(firstCertificate(r).rawBytes))],
    ['a certificate that is another document', (r) => (firstCertificate(r).rawBytes = 'MAMCAQA=')],
    ['a key of another kind', (r) => (r.tlogs[0].publicKey.keyDetails = 'PKIX_ED25519')],
    ['half a key', (r) => (r.ctlogs[0].publicKey.rawBytes = halved(r.ctlogs[0].publicKey.rawBytes))],
  ];

  test.for(damages)(
    '%s is shown as an error, is not imported, and the rest of the root can be used',
    async ([, damage]) => {
      const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
      damage(root);
      write('damaged.json', JSON.stringify(root));
      const shown = await trust('show', 'damaged.json');
      expect(shown).toMatchObject({ exit: 1, err: '' });
      expect(shown.out).toMatch(/✗ trustedRoot\.\w+\[\d\]: does not count: its /);
      expect(await trust('import', 'damaged.json', '--as', 'corp')).toMatchObject({
        exit: 1,
        err: expect.stringContaining('does not count'),
      });
    },
  );

  test('an algorithm to come is shown as a warning, and the root is imported', async () => {
    const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    root.tlogs[1].publicKey.keyDetails = 'SLH_DSA_128S';
    write('tomorrow.json', JSON.stringify(root));
    expect(await trust('import', 'tomorrow.json', '--as', 'corp')).toMatchObject({
      exit: 0,
      err: expect.stringContaining('warning: trustedRoot.tlogs[1]: does not count'),
    });
    expect(await trust('show', 'corp')).toMatchObject({ exit: 0, out: expect.stringContaining('! trusted') });
  });

  test.for([
    ['an instance that nobody knows', ['show', 'corp'], 3, '--mirror URL --root FILE'],
    ['one that has to be fetched first', ['show', 'github'], 3, 'tcf trust update github'],
    ['a name that is none', ['show', '../no-such-file'], 3, 'is not a name'],
    ['another action', ['refresh'], 3, 'tcf trust has no action "refresh"'],
    ['no action', [], 3, 'tcf trust needs an action'],
  ] as const)('%s', async ([, args, exit, words]) => {
    const called = await trust(...args);
    expect(called).toMatchObject({ exit, out: '', err: expect.stringContaining(words) });
  });
});

describe('update', () => {
  test('a private instance begins with its root, is kept, and needs no address again', async () => {
    const first = await start();
    expect(first).toMatchObject({
      exit: 0,
      err: '',
      out: expect.stringMatching(
        /^corp is up to date: TUF root 1, timestamp 1; trusted root sha256:\w+, new\n$/,
      ),
    });
    tuf.publish();
    const second = await trust('update', 'corp');
    expect(second).toMatchObject({ exit: 0, out: expect.stringContaining('timestamp 2; trusted root') });
    expect(second.out).toContain('unchanged');
    expect(await shown('corp')).toMatchObject([
      {
        source: 'corp',
        origin: 'tcf trust update',
        asOf: now.toISOString(),
        ageDays: 0,
        tuf: {
          mirror: `${mirror.url}/`,
          root: 1,
          timestamp: 2,
          expires: new Date(Number(now) + 7 * day).toISOString(),
        },
        problems: expect.any(Array),
      },
    ]);
  });

  test('without a name the instance is called as its mirror', async () => {
    const { exit, out } = await trust('update', '--mirror', mirror.url, '--root', 'root.json');
    expect([exit, out]).toEqual([0, expect.stringMatching(/^127\.0\.0\.1 is up to date/)]);
  });

  test('the public instance, from a mirror of its own, as it was on a day in August', async () => {
    const files = new Map<string, Uint8Array>(
      readdirSync(recorded).map((name) => [name, readFileSync(join(recorded, name))]),
    );
    const bytes = readFileSync(join(recorded, '../../../src/attest/data/trusted-root.json'));
    const hash = '6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66';
    files.set(`targets/${hash}.trusted_root.json`, bytes);
    for (const [name, config] of Object.entries(publicGoodSigningConfigs())) {
      files.set(`targets/${sha256(config).toString('hex')}.${name}`, config);
    }
    await using public_ = await serveTuf(files);
    const august = new Date('2026-08-23T00:00:00Z');
    const updated = await trustAt(august, 'update', 'sigstore', '--mirror', public_.url);
    expect(updated.err).toBe('');
    expect(updated.out).toContain(`TUF root 15, timestamp 762; trusted root sha256:${hash}`);
    expect(updated.out).toContain('; 2 signing configs');
    // Fetched later than the carried one was; a week after the timestamp expired nothing more is proven than
    // that day.
    const later = await trustAt(now, 'show', 'sigstore', '--json');
    expect(JSON.parse(later.out).roots[0]).toMatchObject({ origin: 'tcf trust update', ageDays: 92 });
    const frozen = await trustAt(now, 'update', 'sigstore', '--mirror', public_.url);
    expect(frozen).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/root metadata, version 15, expired/),
    });
  });

  test('a mirror that is down for one instance does not keep the others from being asked', async () => {
    await start();
    await using second = await serveTuf(tuf.files);
    await trust('update', 'second', '--mirror', second.url, '--root', 'root.json');
    await trust('update', 'sigstore', '--mirror', 'http://127.0.0.1:1');
    await mirror[Symbol.asyncDispose]();
    const before = second.requests.length;
    const { exit, err } = await type(['trust', 'update'], {
      cwd: place.path,
      now,
      env: { HTTPS_PROXY: 'http://127.0.0.1:1' },
    });
    expect([exit, second.requests.length - before]).toEqual([2, 2]);
    expect(err).toContain('16.root.json');
    expect(err).toContain('2.root.json');
    mirror = await serveTuf(tuf.files);
  });

  test('what is kept and corrupt is made anew for an instance whose root is given again', async () => {
    await start();
    const path = join(slot('corp/tuf'), '4.json');
    const file = readdirSync(slot('corp/tuf')).at(-1) ?? path;
    writeFileSync(join(slot('corp/tuf'), file), '{');
    expect(await trust('show', 'corp')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('cannot be used'),
    });
    expect(await trust('update', 'corp')).toMatchObject({ exit: 3, err: expect.stringContaining('--root') });
    expect(await start()).toMatchObject({ exit: 0, err: expect.stringContaining('made again') });
    expect(await trust('show', 'corp')).toMatchObject({ exit: 0 });
  });

  test('a root that this tcf cannot read is not taken, and the one before stays in use', async () => {
    await start();
    tuf.publish({ target: Buffer.from('{"mediaType": "of tomorrow"}') });
    expect(await trust('update', 'corp')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('of tomorrow'),
    });
    expect(await shown('corp')).toMatchObject([{ ageDays: 0, tuf: { timestamp: 2, targets: 1 } }]);
  });

  test('an entry that this tcf cannot use is said, and the rest of the new root is taken', async () => {
    await start();
    const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    root.tlogs[1].publicKey.keyDetails = 'SLH_DSA_128S';
    tuf.publish({ target: Buffer.from(JSON.stringify(root)) });
    expect(await trust('update', 'corp')).toMatchObject({
      exit: 0,
      err: expect.stringContaining('warning: trustedRoot.tlogs[1]: does not count'),
    });
  });

  test.for([
    ['no address', ['corp', '--root', 'root.json'], 3, '--mirror URL'],
    ['no root', ['corp', '--mirror', 'http://127.0.0.1:1'], 3, '--root'],
    ['an address without an instance', ['--mirror', 'http://127.0.0.1:1'], 3, 'which instance is meant'],
    [
      'a root for an instance that tcf carries',
      ['sigstore', '--root', 'root.json'],
      3,
      'begins with another TUF root',
    ],
    [
      'a root that is none',
      ['corp', '--mirror', 'http://127.0.0.1:1', '--root', 'trusted_root.json'],
      2,
      'root.signed',
    ],
    [
      'a missing file',
      ['corp', '--mirror', 'http://127.0.0.1:1', '--root', 'none.json'],
      3,
      'cannot read the TUF root',
    ],
    [
      'an address of another kind',
      ['corp', '--mirror', 'file:///etc', '--root', 'root.json'],
      3,
      'not an http or https',
    ],
    [
      'an address with a password',
      ['corp', '--mirror', 'https://a:b@x.test', '--root', 'root.json'],
      3,
      'not an http or https',
    ],
    [
      'plain HTTP beyond this machine',
      ['corp', '--mirror', 'http://192.0.2.1', '--root', 'root.json'],
      2,
      'is not this machine',
    ],
  ] as const)('%s', async ([, args, exit, words]) => {
    const called = await trust('update', ...args);
    expect(called).toMatchObject({ exit, out: '', err: expect.stringContaining(words) });
  });

  test('a second root does not move where trust began', async () => {
    await start();
    write('other.json', new TestTuf(sigstore.trustedRoot, now).anchor);
    const called = await trust('update', 'corp', '--mirror', mirror.url, '--root', 'other.json');
    expect(called).toMatchObject({ exit: 3, err: expect.stringContaining('begins with another TUF root') });
  });
});

describe('import', () => {
  test('a file becomes an instance', async () => {
    const called = await trust('import', 'trusted_root.json', '--as', 'corp');
    expect(called).toMatchObject({
      exit: 0,
      out: expect.stringContaining('trusted_root.json is the trusted root of corp now: sha256:'),
    });
    expect(await shown('corp')).toMatchObject([
      { origin: 'tcf trust import', asOf: now.toISOString(), tuf: null },
    ]);
  });

  test('the root of another instance does not slip into the place of the public one', async () => {
    const called = await trust('import', 'trusted_root.json');
    expect(called).toMatchObject({ exit: 2, err: expect.stringContaining('older') });
    const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    for (const log of root.tlogs) {
      log.publicKey.validFor.start = '2026-11-01T00:00:00Z';
    }
    write('newer.json', JSON.stringify(root));
    const stranger = await trust('import', 'newer.json');
    expect(stranger).toMatchObject({ exit: 3, err: expect.stringContaining('nothing in common') });
  });

  test('a newer root of the public instance takes the place of the carried one, and what was imported is not older again', async () => {
    const root = JSON.parse(
      readFileSync(join(recorded, '../../../src/attest/data/trusted-root.json'), 'utf8'),
    );
    root.timestampAuthorities.push({
      ...root.timestampAuthorities[0],
      validFor: { start: '2026-11-01T00:00:00Z' },
    });
    root.timestampAuthorities.shift();
    write('newer.json', JSON.stringify(root));
    expect(await trust('import', 'newer.json')).toMatchObject({ exit: 0 });
    expect(await shown()).toMatchObject([{ source: 'sigstore', origin: 'tcf trust import', ageDays: 0 }]);
    write('old.json', readFileSync(join(recorded, '../../../src/attest/data/trusted-root.json')));
    expect(await trust('import', 'old.json')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('older'),
    });
  });

  test.for([
    ['nothing', [], 3, "missing required argument 'file'"],
    ['a missing file', ['none.json'], 3, 'cannot read the trusted root'],
    ['a TUF root', ['root.json'], 2, 'mediaType'],
    ['a bad name', ['trusted_root.json', '--as', 'a/b'], 3, 'is not a name'],
  ] as const)('%s', async ([, args, exit, words]) => {
    expect(await trust('import', ...args)).toMatchObject({
      exit,
      out: '',
      err: expect.stringContaining(words),
    });
  });

  test('a root with an error is not taken', async () => {
    const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    root.tlogs.push(root.tlogs[0]);
    write('twice.json', JSON.stringify(root));
    const called = await trust('import', 'twice.json', '--as', 'corp');
    expect(called).toMatchObject({ exit: 1, out: '', err: expect.stringContaining('was not imported') });
    expect(await trust('show', 'corp')).toMatchObject({ exit: 3 });
  });
});

test('a place that others can write to is not believed', async () => {
  mkdirSync(slot('sigstore/tuf'), { recursive: true, mode: 0o777 });
  writeFileSync(join(slot('sigstore/tuf'), '1.json'), '{}', { mode: 0o666 });
  chmodSync(slot('sigstore/tuf'), 0o777);
  expect(await trust('show')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('others may write to it'),
  });
});
