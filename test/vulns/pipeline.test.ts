import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, testHost } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

/* From a signed database to a gate: each turn of a pipeline with the exit code that a job sees. */

let registry: TestRegistry;
const place = folder();
const at = (name: string): string => join(place.path, name);
const image = (tag: string) => `${registry.host}/dev:${tag}`;

async function tcf(...argv: readonly string[]) {
  const host = testHost({
    cwd: place.path,
    env: { COSIGN_PASSWORD: 'x' },
    now: new Date('2026-11-30T00:00:00Z'),
  });
  const exit = await main([...argv], host);
  return { exit, out: host.out(), err: host.err() };
}

const http = '--allow-http';

function policy(name: string, rule: object, more: object = {}): void {
  writeFileSync(
    at(name),
    JSON.stringify({
      version: 1,
      trust: { logs: { key: 0 } },
      signers: { team: { keyFile: 'cosign.pub' } },
      scopes: [
        {
          match: `${registry.host}/dev`,
          require: { signed: { by: ['team'] }, sbom: { by: ['team'] }, vulnerabilities: rule },
        },
        { match: `${registry.host}/data`, require: { signed: { by: ['team'] } } },
      ],
      ...more,
    }),
  );
}

beforeAll(async () => {
  registry = await startRegistry({ pageSize: 2 });
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
  expect((await tcf('keygen')).exit).toBe(0);
  mkdirSync(at('in'));
  writeFileSync(
    at('in/GHSA-1.json'),
    JSON.stringify({
      id: 'GHSA-aaaa-bbbb-cccc',
      aliases: ['CVE-2026-1000'],
      modified: '2026-11-01T00:00:00Z',
      published: '2026-01-01T00:00:00Z',
      severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
      affected: [
        {
          package: { ecosystem: 'PyPI', name: 'triton' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '99.0' }] }],
        },
      ],
    }),
  );
  expect((await tcf('db', 'build', 'in', '-o', 'db.sqlite', '--taken', '2026-11-29T00:00:00Z')).exit).toBe(0);
  policy('policy.json', { whenUnknown: 'allow' });
});

afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

describe('the database as an artifact', () => {
  test('unsigned it is refused, signed it is taken, and what was there stays', async () => {
    const name = `${registry.host}/data/vulns:1`;
    expect((await tcf('db', 'push', name, '--db', 'db.sqlite', http)).exit).toBe(0);
    const refused = await tcf('db', 'pull', name, '--policy', 'policy.json', http);
    expect(refused.exit).toBe(1);
    expect((await tcf('db', 'status')).exit).toBe(1);
    expect((await tcf('sign', name, '--key', 'cosign.key', '--no-sbom', http)).exit).toBe(0);
    expect((await tcf('db', 'pull', name, '--policy', 'policy.json', http)).exit).toBe(0);
    const status = JSON.parse((await tcf('db', 'status', '--json')).out);
    expect(status.origin.image).toMatch(/\/data\/vulns@sha256:/);
    expect(status).toMatchObject({ age: 1 });
    expect((await tcf('db', 'verify')).exit).toBe(0);
  });

  test('an artifact that is something else', async () => {
    await pushDemoImage({ host: registry.host, repository: 'data', tag: 'image' });
    const name = `${registry.host}/data:image`;
    await tcf('sign', name, '--key', 'cosign.key', '--no-sbom', http);
    const { err, exit } = await tcf('db', 'pull', name, '--policy', 'policy.json', http);
    expect(exit).toBe(2);
    expect(err).toContain('holds no database of vulnerabilities');
    expect((await tcf('db', 'status')).exit).toBe(0);
  });
});

describe('the gate', () => {
  const gate = async (...more: readonly string[]) =>
    await tcf('gate', image('1'), '--policy', 'policy.json', http, ...more);
  beforeAll(async () => {
    const signed = await tcf('sign', image('1'), '--key', 'cosign.key', '--attest-vulns', http);
    expect(signed.exit, signed.err).toBe(0);
  });

  test('a vulnerability denies', async () => {
    const { err, exit } = await gate();
    expect(err).toContain('CVE-2026-1000 (critical) in triton');
    expect(exit).toBe(1);
  });

  test('until a date it warns', async () => {
    policy('policy.json', { whenUnknown: 'allow', warnUntil: '2027-01-01' });
    expect((await gate()).exit).toBe(0);
    policy('policy.json', { whenUnknown: 'allow', warnUntil: '2026-11-01' });
    expect((await gate()).exit).toBe(1);
  });

  test('what was there before does not deny, where the policy says so', async () => {
    const found = await tcf('vulns', image('1'), '--format', 'json', '-o', 'before.json', http);
    expect(found.exit).toBe(1);
    policy('policy.json', { whenUnknown: 'allow', baseline: 'any' });
    expect((await gate('--baseline', 'before.json')).exit).toBe(0);
    expect((await gate()).exit).toBe(1);
    policy('policy.json', { whenUnknown: 'allow', baseline: 'attested' });
    expect((await gate('--baseline', 'before.json')).exit).toBe(1);
    policy('policy.json', { whenUnknown: 'allow' });
    expect((await gate('--baseline', 'before.json')).exit).toBe(1);
  });

  test('an exception, and the same when it has ended', async () => {
    const { out } = await tcf('verify', image('1'), '--policy', 'policy.json', http, '--json');
    const digest = JSON.parse(out).image.split('@')[1];
    const exception = (expires: string) => ({
      exceptions: [
        { digest, rules: ['vulnerabilities'], owner: 'ann@example.org', reason: 'looked into', expires },
      ],
    });
    policy('policy.json', { whenUnknown: 'allow' }, exception('2026-12-31'));
    expect((await gate()).exit).toBe(0);
    policy('policy.json', { whenUnknown: 'allow' }, exception('2026-11-01'));
    expect((await gate()).exit).toBe(1);
  });

  test('an attested scan in place of the database', async () => {
    policy('policy.json', { scan: { by: ['team'] }, whenUnknown: 'allow' });
    expect((await gate()).exit).toBe(1);
    policy('policy.json', { scan: { by: ['team'] }, whenUnknown: 'allow', ecosystems: ['Go'] });
    expect((await gate()).exit).toBe(0);
  });

  test('a scan of another scanner, which says neither ecosystem nor fix, is not narrowed by them', async () => {
    const scanned = `${registry.host}/dev:scanned`;
    await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'scanned', deb: 'scanned' });
    const scan = {
      scanner: {
        uri: 'pkg:github/acme/scanner@1',
        db: { lastUpdate: '2026-11-29T00:00:00Z' },
        result: [{ id: 'CVE-2026-2000', severity: [{ method: 'nvd', score: '9.8' }] }],
      },
      metadata: { scanStartedOn: '2026-11-29T00:00:00Z', scanFinishedOn: '2026-11-29T00:01:00Z' },
    };
    writeFileSync(at('scan.json'), JSON.stringify(scan));
    const more = [
      '--key',
      'cosign.key',
      '--attest',
      'https://in-toto.io/attestation/vulns/v0.2=scan.json',
      http,
    ];
    expect(await tcf('sign', scanned, ...more)).toMatchObject({ exit: 0 });
    for (const terms of [
      {},
      { ecosystems: ['Go'] },
      { fixable: true },
      { fixAge: '7d' },
      { origin: 'added' },
    ]) {
      policy('policy.json', { scan: { by: ['team'] }, whenUnknown: 'allow', ...terms });
      const { err, exit } = await tcf('gate', scanned, '--policy', 'policy.json', http);
      expect([exit, err], JSON.stringify(terms)).toEqual([1, expect.stringContaining('CVE-2026-2000')]);
    }
  });

  test('VEX of a signer whom the policy names', async () => {
    const vex = {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'https://example.org/vex/1',
      author: 'Ann',
      timestamp: '2026-11-29T00:00:00Z',
      version: 1,
      statements: [
        {
          vulnerability: { name: 'CVE-2026-1000' },
          status: 'not_affected',
          justification: 'vulnerable_code_not_in_execute_path',
          products: [{ '@id': 'pkg:pypi/triton' }],
        },
      ],
    };
    writeFileSync(at('vex.json'), JSON.stringify(vex));
    policy('policy.json', { whenUnknown: 'allow', vex: { by: ['team'] } });
    expect((await gate()).exit).toBe(1);
    const signed = await tcf(
      'sign',
      image('1'),
      '--key',
      'cosign.key',
      '--no-sbom',
      '--attest',
      'openvex=vex.json',
      http,
    );
    expect(signed.exit, signed.err).toBe(0);
    expect((await gate()).exit).toBe(0);
    policy('policy.json', { whenUnknown: 'allow' });
    expect((await gate()).exit).toBe(1);
  });

  test('VEX of CycloneDX, attested under its own type', async () => {
    const vex = {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      vulnerabilities: [
        {
          id: 'CVE-2026-1000',
          analysis: { state: 'not_affected', justification: 'code_not_reachable' },
          affects: [{ ref: 'pkg:pypi/triton', versions: [{ version: '3.6.0' }] }],
        },
      ],
    };
    writeFileSync(at('cdx-vex.json'), JSON.stringify(vex));
    await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'cdx', llvm: 'f'.repeat(40) });
    policy('cdx.json', { whenUnknown: 'allow', vex: { by: ['team'] } });
    const sign = async (...more: readonly string[]) =>
      await tcf('sign', image('cdx'), '--key', 'cosign.key', ...more, http);
    expect((await sign()).exit).toBe(0);
    const ask = async () => (await tcf('gate', image('cdx'), '--policy', 'cdx.json', http)).exit;
    expect(await ask()).toBe(1);
    const signed = await sign('--no-sbom', '--attest', 'https://cyclonedx.org/vex=cdx-vex.json');
    expect(signed.exit, signed.err).toBe(0);
    expect(await ask()).toBe(0);
  });

  test('data that is too old, and none', async () => {
    policy('policy.json', {
      whenUnknown: 'allow',
      severity: 'critical',
      ecosystems: ['Go'],
      data: { maxAge: '12h' },
    });
    const old = await gate();
    expect(old.exit).toBe(2);
    expect(old.err).toContain('the data about vulnerabilities is older than 12h');
    writeFileSync(at('broken.sqlite'), readFileSync(at('db.sqlite')).subarray(0, 8192));
    expect((await gate('--db', 'broken.sqlite')).exit).toBe(2);
  });
});

describe('A-124: the baseline', () => {
  const dev = (tag: string) => `${registry.host}/flow:${tag}`;
  const rule = { whenUnknown: 'allow', baseline: 'attested' };
  const flow = (more: object = {}): void => {
    writeFileSync(
      at('flow.json'),
      JSON.stringify({
        version: 1,
        trust: { logs: { key: 0 } },
        signers: { team: { keyFile: 'cosign.pub' } },
        scopes: [
          {
            match: `${registry.host}/flow`,
            require: {
              signed: { by: ['team'] },
              sbom: { by: ['team'] },
              vulnerabilities: { ...rule, ...more },
            },
          },
        ],
      }),
    );
  };
  const put = async (tag: string, commit: string): Promise<string> => {
    const digest = await pushDemoImage({ host: registry.host, repository: 'flow', tag, llvm: commit });
    const signed = await tcf('sign', dev(tag), '--key', 'cosign.key', '--attest-vulns', http);
    expect(signed.exit, signed.err).toBe(0);
    return digest;
  };
  const gate = async (name: string, ...more: readonly string[]) =>
    await tcf('gate', name, '--policy', 'flow.json', http, ...more);
  const commits = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
  let first = '';

  beforeAll(async () => {
    flow();
    first = await put('1', commits[0]);
  });

  test('without any the old findings deny, and it is said', async () => {
    const { err, exit } = await gate(dev('1'));
    expect(err).toContain('what was there before is not known');
    expect(exit).toBe(1);
  });

  test('what was denied is no baseline of the next one', async () => {
    await put('1', commits[1]);
    expect((await gate(dev('1'))).exit).toBe(1);
  });

  test('an image of which everything is proven is one, although the policy denies what is in it', async () => {
    const { err, exit } = await gate(dev('1'), '--baseline', `${registry.host}/flow@${first}`);
    expect(err).toContain(`beyond the baseline ${registry.host}/flow@${first}`);
    expect(exit).toBe(0);
  });

  test('what the gate has allowed last by this name, with a tag that moves', async () => {
    expect((await gate(dev('1'), '--baseline', `${registry.host}/flow@${first}`)).exit).toBe(0);
    await put('1', commits[2]);
    const { err, exit } = await gate(dev('1'));
    expect(err).toMatch(/beyond the baseline .*\/flow@sha256:/);
    expect(exit).toBe(0);
  });

  test('what the tag leads to, where the image is named by tag and digest', async () => {
    const next = await put('next', commits[1]);
    const { err, exit } = await gate(`${registry.host}/flow:1@${next}`);
    expect(err).toContain('beyond the baseline');
    expect(exit).toBe(0);
    expect((await gate(`${registry.host}/flow@${next}`)).exit).toBe(1);
    expect((await gate(`${registry.host}/flow@${next}`, '--baseline', ':1')).exit).toBe(0);
  });

  test('never the image itself, another image that nobody signed, or one without an SBOM', async () => {
    const itself = await gate(dev('next'), '--baseline', dev('next'));
    expect(itself.err).toContain('is the image itself');
    expect(itself.exit).toBe(1);
    await pushDemoImage({ host: registry.host, repository: 'flow', tag: 'naked', llvm: 'd'.repeat(40) });
    const naked = await gate(dev('next'), '--baseline', ':naked');
    expect(naked.err).toContain('is not proven');
    expect(naked.exit).toBe(2);
    await tcf('sign', dev('naked'), '--key', 'cosign.key', '--no-sbom', http);
    expect((await gate(dev('next'), '--baseline', ':naked')).exit).toBe(2);
  });

  test('where the one before cannot be proven, everything counts', async () => {
    const last = await put('lone', commits[0]);
    await pushDemoImage({ host: registry.host, repository: 'flow', tag: 'lone', llvm: 'e'.repeat(40) });
    const { err, exit } = await gate(`${registry.host}/flow:lone@${last}`);
    expect(err).toContain('was before this image, and is not a baseline');
    expect(exit).toBe(1);
  });

  test('of attested scans, without a database', async () => {
    flow({ scan: { by: ['team'] } });
    const argv = ['--baseline', ':1', '--db', 'none.sqlite'] as const;
    const { err, exit } = await gate(dev('next'), ...argv);
    expect(err).toContain('beyond the baseline');
    expect(exit).toBe(0);
    expect((await gate(dev('next'), '--db', 'none.sqlite')).exit).toBe(1);
    flow();
  });
});

describe('which images', () => {
  const which = async (...argv: readonly string[]) =>
    await tcf('which', ...argv, '--from', `${registry.host}/dev`, '--policy', 'signed.json', http);
  beforeAll(async () => {
    policy('signed.json', { whenUnknown: 'allow', ecosystems: ['Go'] });
  });

  test.for<[string, string, number]>([
    ['by a CVE', 'CVE-2026-1000', 0],
    ['by the name of its source', 'GHSA-aaaa-bbbb-cccc', 0],
    ['by a purl', 'pkg:pypi/triton', 0],
    ['by a name', 'triton', 0],
    ['what no image has', 'pkg:pypi/requests', 1],
    ['a CVE that no image has', 'CVE-1999-1', 1],
  ])('%s', async ([, what, exit]) => {
    const answer = await which(what);
    expect(answer.exit, answer.err).toBe(exit);
    if (exit === 0) {
      expect(answer.out).toContain('/dev@sha256:');
      expect(answer.out).toContain('triton');
    }
  });

  test('an image without an attested SBOM is no "no"', async () => {
    await pushDemoImage({
      host: registry.host,
      repository: 'dev',
      tag: 'naked',
      llvm: '1f126a6dea50d185c0781743a667390037ae88bd',
    });
    const { exit, out } = await which('pkg:pypi/requests');
    expect(out).toContain('cannot tell about');
    expect(exit).toBe(2);
    const fleet = await tcf('vulns', '--from', `${registry.host}/dev`, '--policy', 'signed.json', http);
    expect(fleet.exit).toBe(1);
    expect(fleet.out).toMatch(/1 critical/);
    expect(fleet.out).toMatch(/\(naked\): cannot tell/);
  });

  test('asked wrongly', async () => {
    expect((await tcf('which', 'triton')).exit).toBe(3);
    expect((await which('pkg:')).exit).toBe(3);
    expect((await tcf('vulns')).exit).toBe(3);
  });
});
