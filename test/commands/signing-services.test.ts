import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type } from '../support/host.ts';
import { type Instance, startInstance } from '../support/instance.ts';
import { writeKeyPair } from '../support/scene.ts';
import { type SigstoreServer, startSigstore } from '../support/sigstore.ts';

/* Which services sign, and where tcf knows them from. */

const now = new Date('2026-11-23T12:00:00Z');
const plain = 'signing_config.v0.2.json';
const second = 'signing_config_rekor_v2.v0.2.json';
let instance: Instance;
let place: Instance['place'];
let sigstore: Instance['sigstore'];
let other: SigstoreServer;
let tuf: Instance['tuf'];
let mirror: Instance['mirror'];
let image: string;

beforeEach(async () => {
  instance = await startInstance(now);
  ({ image, mirror, place, sigstore, tuf } = instance);
  other = await startSigstore({ now: () => now });
  write('other-root.json', other.trustedRoot);
  write('other.json', other.signingConfig(1));
  write('policy.yaml', instance.policy('instances: [corp]'));
});

afterEach(async () => {
  await other[Symbol.asyncDispose]();
  await instance[Symbol.asyncDispose]();
});

const write: Instance['write'] = (name, content) => instance.write(name, content);
const tcf = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  type(args, { cwd: place.path, now, env });
const sign = (...more: readonly string[]) =>
  tcf(['sign', image, '--no-sbom', '--allow-http', ...more], { SIGSTORE_ID_TOKEN: sigstore.token() });
const verify = () => tcf(['verify', image, '--policy', 'policy.yaml', '--allow-http']);
const update = () => tcf(['trust', 'update', 'corp', '--mirror', mirror.url, '--root', 'tuf-root.json']);
const shown = async (name = 'corp') =>
  JSON.parse((await tcf(['trust', 'show', '--json', name])).out).roots[0].signing;
const both = () => ({ [plain]: sigstore.signingConfig(1), [second]: sigstore.signingConfig(2) });
const asked = ({ requests }: SigstoreServer, path: string) =>
  requests.filter((line) => line.includes(path)).length;

describe('an instance that is followed through TUF', () => {
  beforeEach(() => tuf.publish({ others: both() }));

  test('signs with the services that it names, and says where tcf knows them from', async () => {
    const updated = await update();
    expect(updated.out).toContain(', new; 2 signing configs\n');
    const signed = await sign('--instance', 'corp');
    expect(signed.exit, signed.err).toBe(0);
    expect(signed.err).toContain(
      `signing with ${sigstore.urls.fulcio}, ${sigstore.urls.rekor} (version 1), ${sigstore.urls.tsa} (corp, tcf trust update, 2026-11-23)\n`,
    );
    expect(await verify()).toMatchObject({ exit: 0 });
  });

  test('signs with its log of version 2 where that is asked for', async () => {
    await update();
    const signed = await sign('--instance', 'corp', '--rekor-version', '2');
    expect(signed.exit, signed.err).toBe(0);
    expect([asked(sigstore, '/rekor2/'), asked(sigstore, '/rekor/')]).toEqual([1, 0]);
    expect(await verify()).toMatchObject({ exit: 0 });
  });

  test('shows them', async () => {
    await update();
    const { out } = await tcf(['trust', 'show', 'corp']);
    expect(out).toContain(
      `  ${plain}, tcf trust update, 2026-11-23: ${sigstore.urls.fulcio}, ${sigstore.urls.rekor} `,
    );
    expect(await shown()).toEqual([
      {
        file: plain,
        origin: 'tcf trust update',
        asOf: now.toISOString(),
        services: [sigstore.urls.fulcio, `${sigstore.urls.rekor} (version 1)`, sigstore.urls.tsa],
        problem: null,
      },
      expect.objectContaining({
        file: second,
        services: [sigstore.urls.fulcio, `${sigstore.urls.rekor2} (version 2)`, sigstore.urls.tsa],
      }),
    ]);
  });

  test('has a key witnessed by its services', async () => {
    await update();
    writeKeyPair(place.path, 'team');
    const args = ['sign', image, '--no-sbom', '--allow-http', '--key', 'team.key', '--instance', 'corp'];
    expect(await tcf(args, { COSIGN_PASSWORD: 'x' })).toMatchObject({ exit: 0 });
    expect([asked(sigstore, '/rekor/'), asked(sigstore, '/fulcio/')]).toEqual([1, 0]);
  });

  test.for([
    ['a file', ['--signing-config', 'other.json', '--trusted-root', 'other-root.json']],
    ['addresses', []],
  ] as const)('gives way to %s on the command line', async ([, files]) => {
    await update();
    const { fulcio, rekor, tsa } = other.urls;
    const flags = ['--fulcio-url', fulcio, '--rekor-url', rekor, '--tsa-url', tsa];
    const named = files.length > 0 ? files : [...flags, '--trusted-root', 'other-root.json'];
    const signed = await tcf(['sign', image, '--no-sbom', '--allow-http', '--instance', 'corp', ...named], {
      SIGSTORE_ID_TOKEN: other.token(),
    });
    expect(signed.exit, signed.err).toBe(0);
    expect(signed.err).not.toContain('signing with');
    expect([asked(other, '/fulcio/'), asked(sigstore, '/fulcio/')]).toEqual([1, 0]);
  });

  test.for([
    ['is no JSON', '{', 'the new signing_config.v0.2.json of corp is not well-formed JSON'],
    ['is another document', '{"mediaType": "application/json"}', 'signingConfig.mediaType is'],
    [
      'leads to a file',
      JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
        caUrls: [
          { url: 'file:///etc/passwd', majorApiVersion: 1, validFor: { start: '2020-01-01T00:00:00Z' } },
        ],
      }),
      'is not an http or https address',
    ],
  ] as const)('whose new config %s is refused as a whole, and the old one signs', async ([, text, words]) => {
    await update();
    const before = await shown();
    const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    tuf.publish({
      target: Buffer.from(JSON.stringify(root, undefined, 1)),
      others: { ...both(), [plain]: Buffer.from(text) },
    });
    expect(await update()).toMatchObject({ exit: 2, out: '', err: expect.stringContaining(words) });
    expect(await shown()).toEqual(before);
    expect(await sign('--instance', 'corp')).toMatchObject({ exit: 0 });
    expect(await verify()).toMatchObject({ exit: 0 });
  });

  test('whose services have all ended cannot sign, and the way out is named', async () => {
    const config = JSON.parse(Buffer.from(sigstore.signingConfig(1)).toString());
    for (const log of config.rekorTlogUrls) {
      log.validFor.end = '2026-01-01T00:00:00Z';
    }
    tuf.publish({ others: { [plain]: Buffer.from(JSON.stringify(config)) } });
    await update();
    expect(await shown()).toMatchObject([
      { services: [], problem: expect.stringContaining('no transparency log') },
    ]);
    const signed = await sign('--instance', 'corp');
    expect(signed).toMatchObject({ exit: 2, err: expect.stringContaining('tcf trust update') });
    expect(sigstore.requests).toEqual([]);
  });
});

test('an instance whose repository has no signing config has none here', async () => {
  await update();
  expect(await shown()).toEqual([]);
  const signed = await sign('--instance', 'corp');
  expect(signed).toMatchObject({ exit: 3, err: expect.stringContaining('tcf knows no services of "corp"') });
});

test.for([
  ['an instance that nobody knows', ['--instance', 'nobody'], 3, 'knows no services of "nobody"'],
  ['a name that is none', ['--instance', '../x'], 3, 'is not a name'],
  ['a version that is none', ['--rekor-version', '3'], 3, '--rekor-version is 1 or 2'],
] as const)('%s', async ([, more, exit, words]) => {
  expect(await sign(...more)).toMatchObject({ exit, err: expect.stringContaining(words) });
});

test('a key is not sent to a log because of a version', async () => {
  writeKeyPair(place.path, 'team');
  const args = ['sign', image, '--no-sbom', '--allow-http', '--key', 'team.key', '--rekor-version', '2'];
  expect(await tcf(args, { COSIGN_PASSWORD: 'x' })).toMatchObject({
    exit: 3,
    err: expect.stringContaining('none is named'),
  });
});

describe('import', () => {
  const bring = (...more: readonly string[]) =>
    tcf(['trust', 'import', 'root.json', '--as', 'corp', ...more]);

  test('takes a signing config too', async () => {
    expect(await bring('--signing-config', 'config.json')).toMatchObject({ exit: 0 });
    expect(await shown()).toMatchObject([{ file: plain, origin: 'tcf trust import' }]);
    expect(await sign('--instance', 'corp')).toMatchObject({
      exit: 0,
      err: expect.stringContaining('(corp, tcf trust import, 2026-11-23)'),
    });
    expect(await verify()).toMatchObject({ exit: 0 });
  });

  test('of one that is none is refused, and nothing is imported', async () => {
    const called = await bring('--signing-config', 'policy.yaml');
    expect(called).toMatchObject({ exit: 2, out: '', err: expect.stringContaining('"policy.yaml"') });
    expect(await tcf(['trust', 'show', 'corp'])).toMatchObject({ exit: 3 });
  });
});

describe('without any word about services', () => {
  const nowhere = { HTTPS_PROXY: 'http://127.0.0.1:1' };

  test.for([
    ['', [], 'https://fulcio.sigstore.dev/, https://rekor.sigstore.dev/ (version 1), https://timestamp'],
    [' of version 2', ['--rekor-version', '2'], 'https://log2025-1.rekor.sigstore.dev/ (version 2), '],
  ] as const)('the public instance signs, with a log%s as tcf carries it', async ([, more, words]) => {
    const called = await tcf(['sign', image, '--no-sbom', '--allow-http', ...more], {
      ...nowhere,
      SIGSTORE_ID_TOKEN: sigstore.token(),
    });
    expect(called).toMatchObject({ exit: 2, err: expect.stringContaining(words) });
    expect(called.err).toContain('(sigstore, carried by tcf, 2026-08-21)');
  });

  test('the public instance signs as it was brought here last', async () => {
    const data = join(import.meta.dirname, '../../src/attest/data/trusted-root.json');
    const root = JSON.parse(readFileSync(data, 'utf8'));
    const ours = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    for (const log of ours.tlogs) {
      log.publicKey.validFor.start = '2026-11-01T00:00:00Z';
    }
    for (const key of ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities']) {
      root[key].push(...ours[key]);
    }
    write('newer.json', JSON.stringify(root));
    const imported = await tcf(['trust', 'import', 'newer.json', '--signing-config', 'config.json']);
    expect(imported.exit, imported.err).toBe(0);
    const signed = await sign();
    expect(signed.exit, signed.err).toBe(0);
    expect(signed.err).toContain('(sigstore, tcf trust import, 2026-11-23)');
  });
});
