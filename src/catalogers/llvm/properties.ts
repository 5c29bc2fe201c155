import { byCodeUnit } from '../../base/text.ts';
import type { Property } from '../../bom/model.ts';
import { type Claim, type Declaration, methods, type Rung } from './claims.ts';
import { commitOf, type Thing, versionOf } from './things.ts';

/** Who holds the commit, and whether that was seen or looked up. */
export interface LlvmSource {
  /** `owner/name` on GitHub. */
  readonly repository: string;
  readonly isSeen: boolean;
}

/**
 * The properties of an LLVM, with `HEX` for 7 to 40 lower-case hexadecimal digits and `METHODS` for words of
 * `methods` joined by commas:
 *
 *     tcf:llvm:role        amd-codegen | build | cache | core | distro | nvidia-codegen | other | rocm    once
 *     tcf:llvm:pin         match | version-match | mismatch | observed-only | unknown         once
 *     tcf:llvm:declared    HEX by METHODS | unknown by METHODS                                for each value
 *     tcf:llvm:observed    HEX by METHODS | version VERSION by METHODS                        at most once
 *     tcf:llvm:conflict    a sentence                                                         with mismatch only
 *     tcf:llvm:reason      a sentence                                                         with unknown only
 *     tcf:llvm:repository  OWNER/NAME by observation | OWNER/NAME by lookup                   at most once
 *     tcf:llvm:prebuilt    llvm-f6ded0be-ubuntu-x64-1                                         for each value
 *     tcf:llvm:override    NAME=VALUE of the image's environment                              for each, role core only
 */
export function propertiesOf(
  thing: Thing,
  source: LlvmSource | undefined,
  overrides: readonly string[],
): readonly Property[] {
  const { claims, declarations, pin, reason, role } = thing;
  const properties = [
    ...declarations
      .filter(({ commit }) => commit === undefined)
      .map(({ rung }) => declaredBy('unknown', [rung])),
    ...byCommit(declarations).map(([value, rungs]) => declaredBy(value, rungs)),
    ...observedBy(claims),
    property('pin', pin),
    property('role', role),
    ...(reason === undefined ? [] : [property(pin === 'mismatch' ? 'conflict' : 'reason', reason)]),
    ...(source === undefined
      ? []
      : [property('repository', `${source.repository} by ${source.isSeen ? 'observation' : 'lookup'}`)]),
    ...claims.flatMap(({ prebuilt }) => (prebuilt === undefined ? [] : [property('prebuilt', prebuilt)])),
    ...(role === 'core' ? overrides.map((override) => property('override', override)) : []),
  ];
  const unique = new Map(properties.map((entry) => [`${entry.name}\0${entry.value}`, entry]));
  return [...unique.values()].sort((a, b) => byCodeUnit(a.name, b.name) || byCodeUnit(a.value, b.value));
}

function declaredBy(value: string, rungs: readonly Rung[]): Property {
  return property('declared', `${value} by ${words(rungs)}`);
}

function property(name: string, value: string): Property {
  return { name: `tcf:llvm:${name}`, value };
}

function words(rungs: readonly Rung[]): string {
  return [...new Set(rungs.map((rung) => methods[rung].word))].sort(byCodeUnit).join(',');
}

/** What was seen, in one value: the claims of a thing agree, so the longest commit stands for all. */
function observedBy(claims: readonly Claim[]): readonly Property[] {
  const [commit, rungs = []] = byCommit(claims)[0] ?? [];
  if (commit !== undefined) {
    return [property('observed', `${commit} by ${words(rungs)}`)];
  }
  const version = versionOf(claims);
  if (version === undefined) {
    return [];
  }
  return [property('observed', `version ${version} by ${words(claims.map(({ rung }) => rung))}`)];
}

/** Who named which commit; whoever named its beginning only is counted with those who named it whole. */
function byCommit(said: readonly (Claim | Declaration)[]): readonly (readonly [string, readonly Rung[]])[] {
  const found = new Map<string, Rung[]>();
  for (const { commit, rung } of said) {
    if (commit === undefined) {
      continue;
    }
    const whole = commitOf(said.filter((other) => other.commit?.startsWith(commit))) ?? commit;
    found.set(whole, [...(found.get(whole) ?? []), rung]);
  }
  return [...found];
}
