import { compact } from '../../base/compact.ts';
import { cannotTell } from '../../base/error.ts';
import type { LlvmRole } from '../../catalogers/llvm/places.ts';
import type { Host } from '../../system/host.ts';
import { readPinsFrom } from '../pins/read.ts';
import { loadPins } from '../pins/store.ts';
import type { InputStore } from './input-store.ts';
import { inputsOf } from './inputs.ts';
import type { Lock, LockedLlvm, LockedWheel } from './lock.ts';

const roles = ['core', 'amd-codegen', 'nvidia-codegen'] as const satisfies readonly LlvmRole[];

/**
 * Which LLVMs lie in a wheel of Triton: from the table of pins, else from the bytes of the wheel, which say
 * it themselves.
 *
 * @throws TcfError `lock.llvm` (exit 2) where neither tells: an image whose LLVM nobody knows is not locked.
 */
export async function llvmOfWheel(
  host: Host,
  wheel: LockedWheel,
  store: InputStore,
  { platform, python }: Pick<Lock, 'platform' | 'python'>,
): Promise<readonly LockedLlvm[]> {
  const table = await loadPins(host);
  const known = roles.flatMap((role): readonly LockedLlvm[] => {
    const pin = table.pinOf(wheel.name, wheel.version, role);
    return pin === undefined
      ? []
      : [
          compact({
            role,
            commit: pin.commit,
            repository: pin.repository,
            version: pin.version,
            in: 'wheel' as const,
          }),
        ];
  });
  if (known.some(({ role }) => role === 'core')) {
    return known;
  }
  const inputs = inputsOf({ platform, python: { version: python?.version ?? '3', wheels: [wheel] } }, '/');
  await store.fill(inputs);
  const [input] = inputs;
  const read =
    input === undefined ? [] : await readPinsFrom(host, { path: store.path(input), sha256: wheel.sha256 });
  const found = read.flatMap((pin): readonly LockedLlvm[] => {
    const role = roles.find((one) => one === (pin.role ?? 'core'));
    return role === undefined || pin.llvm_commit === undefined
      ? []
      : [
          compact({
            role,
            commit: pin.llvm_commit,
            repository: pin.llvm_repository,
            version: pin.llvm_version,
            in: 'wheel' as const,
          }),
        ];
  });
  if (found.length === 0) {
    throw cannotTell('lock.llvm', `cannot tell which LLVM is in ${wheel.name} ${wheel.version}`, {
      hint: 'tell it: tcf pins add WHEEL, which reads the wheel, or a checkout of the release',
    });
  }
  return found;
}
