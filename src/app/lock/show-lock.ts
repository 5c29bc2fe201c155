import type { Host } from '../../system/host.ts';
import { openInputStore, type StoreRequest } from './input-store.ts';
import { type OpenLock, openLock } from './load-lock.ts';
import type { LockChange } from './lock-changes.ts';
import { type AskedDatabase, type UnsafeInput, type UnsafeRequest, unsafeInputs } from './unsafe-inputs.ts';
import { resolveLock } from './update-lock.ts';
import { chainOf } from './why.ts';

export interface ShowRequest extends StoreRequest, UnsafeRequest {
  readonly name: string;
  /** Whether the archives are asked what they have today. */
  readonly newer?: boolean;
  /** Whether the database of vulnerabilities is asked. */
  readonly unsafe?: boolean;
}

/** One pinned input and what is known about it. */
export interface ShownInput {
  readonly image: string;
  readonly kind: LockChange['kind'];
  readonly name: string;
  readonly version: string;
  readonly sha256?: string;
  readonly for?: string;
  readonly newer?: string;
  /** Identifiers of published vulnerabilities, where the database was asked. */
  readonly unsafe?: readonly string[];
}

export interface ShownLock {
  readonly inputs: readonly ShownInput[];
  /** Of how many the database says nothing, where it was asked: not found is not safe. */
  readonly unjudged: number;
}

/**
 * What the locks of an image pin, the image first, then those below it. @throws TcfError as `openLock` and
 * the archives do.
 */
export async function showLock(host: Host, request: ShowRequest): Promise<ShownLock> {
  const open = await openLock(host, request.name);
  const shown: ShownInput[] = [];
  for (const each of chainOf(open)) {
    const changes = request.newer === true ? await changesOf(host, each, request) : [];
    for (const input of pinnedBy(each)) {
      const change = changes.find(({ kind, name }) => kind === input.kind && name === input.name);
      const newer = change === undefined ? undefined : (change.after ?? 'not needed');
      shown.push(
        newer === undefined
          ? input
          : { ...input, newer: change?.isRebuilt ? `${newer}, other bytes` : newer },
      );
    }
  }
  if (request.unsafe !== true) {
    return { inputs: shown, unjudged: 0 };
  }
  const { unjudged, unsafe } = await unsafeOf(host, open, request);
  return { inputs: withUnsafe(shown, unsafe), unjudged };
}

async function unsafeOf(host: Host, open: OpenLock, request: ShowRequest): Promise<AskedDatabase> {
  return await unsafeInputs(
    host,
    [...chainOf(open)].map(({ lock }) => lock),
    request,
  );
}

/**
 * Each input with what is known of it; what lies inside a wheel stands with the wheel, and by its own name.
 */
function withUnsafe(shown: readonly ShownInput[], found: readonly UnsafeInput[]): readonly ShownInput[] {
  return shown.map((input) => {
    const ids = found.flatMap(({ id, inside, name, version }) => {
      if (inside !== undefined) {
        return inside === `${input.name} ${input.version}` ? [`${id} (${name} ${version})`] : [];
      }
      return name === input.name && version === input.version ? [id] : [];
    });
    return ids.length === 0 ? input : { ...input, unsafe: [...new Set(ids)].sort() };
  });
}

async function changesOf(host: Host, open: OpenLock, request: ShowRequest): Promise<readonly LockChange[]> {
  return (await resolveLock(host, open, await openInputStore(host, request), request)).changes;
}

function pinnedBy({
  lock: { debian, files = [], image, llvm = [], python, rpm },
}: OpenLock): readonly ShownInput[] {
  const why = (reason: string | undefined) => (reason === undefined ? {} : { for: reason });
  return [
    ...llvm.map((pin) => ({
      ...{ image, kind: 'llvm' as const, name: pin.role, version: pin.commit },
      ...(pin.sha256 === undefined ? {} : { sha256: pin.sha256 }),
      for: pin.in === 'wheel' ? 'triton' : 'tarball',
    })),
    ...(python?.wheels ?? []).map((wheel) => ({
      ...{ image, kind: 'wheel' as const, name: wheel.name, version: wheel.version, sha256: wheel.sha256 },
      ...why(wheel.for),
    })),
    ...files.map(({ name, sha256, version = '' }) => ({
      image,
      kind: 'file' as const,
      name,
      version,
      sha256,
    })),
    ...(rpm?.packages ?? []).map((each) => ({
      ...{ image, kind: 'rpm' as const, name: each.name, version: each.version, sha256: each.sha256 },
      ...why(each.for),
    })),
    ...(debian?.packages ?? []).map((deb) => ({
      ...{ image, kind: 'deb' as const, name: deb.name, version: deb.version, sha256: deb.sha256 },
      ...why(deb.for),
    })),
  ];
}
