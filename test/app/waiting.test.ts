import { describe, expect, test } from 'vitest';
import { during, registryWithWaiting, signerWithWaiting, withWaiting } from '../../src/app/waiting.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { Registry } from '../../src/registry/contract.ts';
import type { Host } from '../../src/system/host.ts';
import { testHost } from '../support/host.ts';

/** A terminal on which half a second passes with each sleep. */
function slowTerminal(terminal: boolean): { readonly host: Host; readonly written: () => string } {
  const host = testHost({ cwd: '/nowhere', terminal, program: () => longTime() });
  let now = 0;
  const slow: Host = Object.create(host, {
    now: { value: () => new Date(now) },
    sleep: {
      value: async () => {
        now += 500;
        await new Promise(setImmediate);
      },
    },
  });
  return { host: slow, written: host.all };
}

async function longTime() {
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise(setImmediate);
  }
  return { code: 0, stdout: new Uint8Array(), stderr: '' };
}

const question = {
  method: 'POST',
  url: new URL('https://rekor.example.org/api'),
  what: 'the log entry',
} as const;
const services = (host: Host) =>
  withWaiting(host, async () => {
    await longTime();
    return { status: 200, headers: {}, body: new Uint8Array(), repeatsSecret: () => false };
  });

test('which service is waited for is said on a terminal, and taken back', async () => {
  const { host, written } = slowTerminal(true);
  expect(await services(host)(question)).toMatchObject({ status: 200 });
  expect(written()).toContain('\rwaiting for rekor.example.org: the log entry  1 s\u001b[K\r');
  expect(written()).toMatch(/\r\u001b\[K$/);
});

test('which program keeps the key is said too', async () => {
  const { host, written } = slowTerminal(true);
  const limits = { time: 1000, output: 1000 } as never;
  await signerWithWaiting(host, 'pkcs11-sign')('pkcs11-sign', [], new Uint8Array(), limits);
  expect(written()).toContain('waiting for the signer pkcs11-sign  1 s');
});

test('a pipe hears nothing of it', async () => {
  const { host, written } = slowTerminal(false);
  await services(host)(question);
  expect(written()).toBe('');
});

describe('a registry', () => {
  const at = { registry: 'registry.example', repository: 'dev' };
  const blob = { mediaType: 'x', digest: `sha256:${'a'.repeat(64)}` as Digest, size: 4096 };

  /** A registry of which every answer takes its time. */
  const slowRegistry = (): Registry => {
    const answer = async () => {
      await longTime();
      return undefined as never;
    };
    async function* bytes() {
      for (let turn = 0; turn < 4; turn += 1) {
        await longTime();
        yield new Uint8Array(1024);
      }
    }
    const methods = [
      'manifest',
      'referrers',
      'tags',
      'pushBlob',
      'copyBlob',
      'pushManifest',
      'attach',
      'attachAll',
    ];
    return {
      ...Object.fromEntries(methods.map((name) => [name, answer])),
      blob: bytes,
    } as unknown as Registry;
  };

  test.for([
    ['the manifest', (registry: Registry) => registry.manifest(at, 'latest')],
    ['the list of signatures', (registry: Registry) => registry.referrers(at, blob.digest)],
    ['the list of tags', (registry: Registry) => registry.tags(at)],
    ['it takes a blob', (registry: Registry) => registry.pushBlob(at, 'x', new Uint8Array())],
    ['it takes a layer', (registry: Registry) => registry.copyBlob(at, blob, async function* () {})],
    ['it takes the manifest', (registry: Registry) => registry.pushManifest(at, 'x', 'x', new Uint8Array())],
    ['it takes what is attached', (registry: Registry) => registry.attach(at, new Uint8Array(), blob)],
  ] as const)('%s is waited for, and taken back', async ([what, ask]) => {
    const { host, written } = slowTerminal(true);
    await ask(registryWithWaiting(host, slowRegistry()));
    expect(written()).toContain(`waiting for registry.example: ${what}`);
    expect(written().endsWith('\r\u001b[K')).toBe(true);
  });

  test('how much of a blob has come is said, with the rest of the time', async () => {
    const { host, written } = slowTerminal(true);
    let passed = 0;
    for await (const chunk of registryWithWaiting(host, slowRegistry()).blob(at, blob)) {
      passed += chunk.length;
    }
    expect(passed).toBe(4096);
    expect(written()).toMatch(/moving 1 blob {2}━+─+ {2}\d KiB of 4 KiB {2}.* s left/);
  });

  test('of several waits the first is shown, and the next once that has ended', async () => {
    const { host, written } = slowTerminal(true);
    await during(host, 'the whole', async () => {
      await registryWithWaiting(host, slowRegistry()).tags(at);
    });
    expect(written()).toContain('the whole');
    expect(written()).not.toContain('the list of tags');
    await registryWithWaiting(host, slowRegistry()).tags(at);
    expect(written()).toContain('the list of tags');
  });

  test('nobody looks on: it is the registry itself', () => {
    const registry = slowRegistry();
    expect(registryWithWaiting(slowTerminal(false).host, registry)).toBe(registry);
  });
});
