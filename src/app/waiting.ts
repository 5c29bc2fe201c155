import type { Bytes } from '../base/bytes.ts';
import type { Registry, Repository } from '../registry/contract.ts';
import { formatTransfer, formatWaiting, type TransferState } from '../report/progress-line.ts';
import type { Services } from '../sigstore/services.ts';
import type { Host } from '../system/host.ts';
import type { RunProgram } from '../system/program.ts';
import { startProgress } from '../system/progress.ts';

/** Says on a terminal, from one second on, what is done, and for how long it has been. */
export async function during<T>(host: Host, doing: string, work: () => Promise<T>): Promise<T> {
  const start = host.now().getTime();
  await using _progress = startProgress(host, (columns) =>
    formatWaiting(doing, host.now().getTime() - start, columns),
  );
  return await work();
}

async function waitFor<T>(host: Host, what: string, work: () => Promise<T>): Promise<T> {
  return await during(host, `waiting for ${what}`, work);
}

/** Services of which the user sees which one is waited for: a log may take twenty seconds. */
export function withWaiting(host: Host, services: Services): Services {
  return (question) => waitFor(host, `${question.url.host}: ${question.what}`, () => services(question));
}

/** A program that keeps a key may wait for a finger on it. */
export function signerWithWaiting(host: Host, command: string): RunProgram {
  return (...call) => waitFor(host, `the signer ${command}`, () => host.program(...call));
}

/**
 * A registry of which the user sees what it is waited for, and how much of the blobs has passed. Where nobody
 * looks on it is the registry itself.
 */
export function registryWithWaiting(host: Host, registry: Registry): Registry {
  if (!host.stderr.isTerminal) {
    return registry;
  }
  const asked = <T>(at: Repository, what: string, work: () => Promise<T>): Promise<T> =>
    waitFor(host, `${at.registry}: ${what}`, work);
  return {
    manifest: (at, reference) => asked(at, 'the manifest', () => registry.manifest(at, reference)),
    referrers: (at, subject) => asked(at, 'the list of signatures', () => registry.referrers(at, subject)),
    tags: (at) => asked(at, 'the list of tags', () => registry.tags(at)),
    pushBlob: (at, ...blob) => asked(at, 'it takes a blob', () => registry.pushBlob(at, ...blob)),
    pushManifest: (at, ...more) =>
      asked(at, 'it takes the manifest', () => registry.pushManifest(at, ...more)),
    attach: (at, ...more) => asked(at, 'it takes what is attached', () => registry.attach(at, ...more)),
    attachAll: (at, ...more) => asked(at, 'it takes what is attached', () => registry.attachAll(at, ...more)),
    copyBlob: (at, blob, ...more) =>
      asked(at, 'it takes a layer', () => registry.copyBlob(at, blob, ...more)),
    blob: blobsWithProgress(host, (at, blob) => registry.blob(at, blob)),
    range: (...part) => registry.range(...part),
  };
}

/**
 * Blobs as they pass, counted together: how much of those that were begun has come, how fast, and how long the rest
 * will take.
 */
export function blobsWithProgress(host: Host, blob: Registry['blob']): Registry['blob'] {
  if (!host.stderr.isTerminal) {
    return blob;
  }
  const transfer: { -readonly [Name in keyof TransferState]: TransferState[Name] } = {
    blobs: 0,
    passed: 0,
    total: 0,
    elapsed: 0,
  };
  let start: number | undefined;
  async function* counted(bytes: Bytes, size: number): Bytes {
    start ??= host.now().getTime();
    const began = start;
    transfer.blobs += 1;
    transfer.total += size;
    await using progress = startProgress(host, (columns) =>
      formatTransfer({ ...transfer, elapsed: host.now().getTime() - began }, columns),
    );
    for await (const chunk of bytes) {
      transfer.passed += chunk.length;
      progress.touch();
      yield chunk;
    }
  }
  return (at, descriptor) => counted(blob(at, descriptor), descriptor.size);
}
