import { expect, test } from 'vitest';
import { signerWithWaiting, withWaiting } from '../../src/app/waiting.ts';
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
