import { decodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { printable } from '../base/text.ts';
import { installed, isRecord, recordPlaces } from './caches.ts';
import type { Catalog, Cataloger, ObservedFile, Skipped, Tree } from './contract.ts';
import { type LlvmObservation, scanForLlvm } from './llvm/binary.ts';
import { checkoutsIn } from './llvm/checkouts.ts';
import { type Claim, joinBuilds } from './llvm/claims.ts';
import { llvmComponent } from './llvm/component.ts';
import { declarationsIn } from './llvm/declarations.ts';
import { builtInPins, type PinTable } from './llvm/pins.ts';
import { type Hints, packageOfCore, placeOf } from './llvm/places.ts';
import { claimIn, claimOfDirectory, isLlvmText, isObserving, llvmTexts } from './llvm/texts.ts';
import { thingsOf } from './llvm/things.ts';
import { magics } from './programs/magics.ts';
import { llvmOverrides, pathFrom } from './triton-env.ts';

type Libraries = readonly ObservedFile<LlvmObservation>[];

/**
 * Every LLVM of an image: the one linked into Triton, the prebuilts Triton is built with, and those of
 * others, which are listed as what they are and never taken for Triton's. What is declared and what was seen
 * stay apart (docs/llvm.md). What is only declared is no component: the python and triton catalogers say it
 * of the distribution or source tree that declares it.
 */
export function llvmCataloger(pins: PinTable): Cataloger<LlvmObservation> {
  return {
    name: 'llvm',
    wantedAt: [...recordPlaces, ...llvmTexts],
    wants: (path) => isRecord(path) || isLlvmText(path),
    scanned: { begins: [...magics.elf, ...magics.archive] },
    scan: scanForLlvm,
    catalog(tree: Tree<LlvmObservation>): Catalog {
      const libraries = installed(tree, tree.observed());
      const checkouts = checkoutsIn(tree);
      const syspath = pathFrom(tree.env, 'LLVM_SYSPATH');
      // Triton links its prebuilt under a name without the commit, and people point LLVM_SYSPATH there.
      const hints: Hints = {
        syspath: syspath === undefined ? undefined : (tree.resolve(syspath) ?? syspath),
        checkouts: [...checkouts.keys()],
        packages: new Set(libraries.flatMap(({ path }) => packageOfCore(path) ?? [])),
      };
      const texts = claimsInTexts(tree, hints);
      const claims = joinBuilds([...texts.claims, ...claimsInLibraries(libraries, hints)]);
      const things = thingsOf(claims, declarationsIn(tree, { checkouts, claims, hints, libraries, pins }));
      const overrides = llvmOverrides(tree.env);
      return {
        components: things.map((thing) => llvmComponent(thing, overrides, pins)),
        dependencies: [],
        skipped: [
          ...texts.skipped,
          ...libraries
            .filter(({ observation }) => observation.truncated)
            .map(({ path }) => ({ path: printable(path), reason: 'holds too many strings to look at each' })),
          ...things.flatMap(({ pin, reason, declarations, claims: [claim] }) =>
            pin === 'unknown'
              ? [
                  {
                    path: printable(declarations[0]?.path ?? claim?.path ?? ''),
                    reason: reason ?? 'pins an unknown LLVM',
                  },
                ]
              : [],
          ),
        ],
      };
    },
  };
}

/** With the pins that tcf brings along. */
export const llvm: Cataloger<LlvmObservation> = llvmCataloger(builtInPins);

function claimsInTexts(
  tree: Tree,
  hints: Hints,
): { readonly claims: readonly Claim[]; readonly skipped: readonly Skipped[] } {
  const claims: Claim[] = [];
  const skipped: Skipped[] = [];
  for (const file of installed(tree, tree.wanted())) {
    if (!isObserving(file.path)) {
      continue;
    }
    const content = file.content();
    if (content === undefined) {
      skipped.push({ path: printable(file.path), reason: 'too large to read' });
      continue;
    }
    // Headers and IR are ASCII where it matters; a stray byte in a comment is no reason to miss them.
    const text = decodeUtf8(content) ?? Buffer.from(content).toString('latin1');
    claims.push(...one(claimIn(file, text, hints)), ...one(claimOfDirectory(file, hints)));
  }
  return { claims, skipped };
}

function claimsInLibraries(libraries: Libraries, hints: Hints): readonly Claim[] {
  return libraries.flatMap((file) => {
    const { finds, sha256, sha512 } = file.observation;
    const place = placeOf(file.path, hints);
    const about = { path: file.path, layer: file.layer, ...place };
    const hash = compact({
      sha256,
      sha512,
    });
    // A version alone, without any other word, is too weak a sign outside of Triton's own files.
    const counting = finds.filter(({ rung }) => rung !== 'J' || isTritons(place.role));
    const silent = counting.length === 0 && packageOfCore(file.path) !== undefined;
    return [
      ...counting.map((find) => ({ ...find, ...about, ...hash })),
      ...(silent ? [{ ...about, ...hash, rung: 'P' as const }] : []),
      ...one(claimOfDirectory(file, hints)),
    ];
  });
}

function isTritons(role: Claim['role']): boolean {
  return role !== 'distro' && role !== 'other' && role !== 'rocm';
}

function one<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
