import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { normalName } from '../../catalogers/python/metadata.ts';
import type { OpenLock } from './load-lock.ts';

/** Why an input is in an image, from the input to what people asked for. */
export interface InputReason {
  readonly kind: 'deb' | 'file' | 'llvm' | 'rpm' | 'wheel';
  /** Name of the image whose lock pins it. */
  readonly image: string;
  readonly version: string;
  /** Names, the input first; the last one is asked for by `root`. */
  readonly chain: readonly string[];
  readonly root: string;
}

/** @throws TcfError `lock.unknown` (exit 3) where no lock pins the name. */
export function whyLocked(open: OpenLock, name: string): readonly InputReason[] {
  const reasons = [...chainOf(open)].flatMap((each) => reasonsIn(each, name));
  if (reasons.length === 0) {
    throw askedWrongly('lock.unknown', `no lock of ${open.lock.image} pins ${quoted(name)}`, {
      hint: `tcf lock show ${open.lock.image} lists all that is pinned`,
    });
  }
  return reasons;
}

/** The lock, and those of the images below. */
export function* chainOf(open: OpenLock): Generator<OpenLock> {
  yield open;
  if (open.base !== undefined) {
    yield* chainOf(open.base);
  }
}

function reasonsIn({ lock }: OpenLock, name: string): readonly InputReason[] {
  const { debian, files = [], image, llvm = [], python, rpm } = lock;
  const reasons: InputReason[] = [];
  const deb = debian?.packages.find((each) => each.name === name);
  if (deb !== undefined) {
    const chain = follow(debian?.packages ?? [], name);
    const isAsked = lock.want?.debian?.includes(chain.at(-1) ?? '') ?? false;
    reasons.push({
      kind: 'deb',
      image,
      version: deb.version,
      chain,
      root: isAsked ? 'want.debian' : 'essential in Debian',
    });
  }
  const found = rpm?.packages.find((each) => each.name === name);
  if (found !== undefined) {
    const chain = follow(rpm?.packages ?? [], name);
    reasons.push({ kind: 'rpm', image, version: found.version, chain, root: 'want.rpm' });
  }
  const wheel = python?.wheels.find((each) => normalName(each.name) === normalName(name));
  if (wheel !== undefined) {
    const chain = follow(python?.wheels ?? [], wheel.name);
    const root = chain.at(-1) === 'triton' && lock.want?.triton !== undefined ? 'want.triton' : 'want.python';
    reasons.push({ kind: 'wheel', image, version: wheel.version, chain, root });
  }
  for (const pin of name === 'llvm' ? llvm : llvm.filter(({ role }) => role === name)) {
    const root =
      pin.in === 'wheel' ? 'want.triton, whose wheel it is linked into' : `files: ${pin.url ?? ''}`;
    reasons.push({ kind: 'llvm', image, version: pin.commit, chain: [pin.role], root });
  }
  const file = files.find((each) => each.name === name);
  if (file !== undefined) {
    reasons.push({
      kind: 'file',
      image,
      version: file.version ?? file.sha256,
      chain: [name],
      root: 'path' in file ? `files: ${file.path}` : 'files',
    });
  }
  return reasons;
}

/** A lock that people edited may go in circles. */
function follow(
  items: readonly { readonly name: string; readonly for?: string | undefined }[],
  start: string,
): readonly string[] {
  const chain = [start];
  for (let at = items.find(({ name }) => name === start)?.for; at !== undefined && !chain.includes(at); ) {
    chain.push(at);
    const current = at;
    at = items.find(({ name }) => name === current)?.for;
  }
  return chain;
}
