import { decodeUtf8 } from '../base/bytes.ts';
import { printable } from '../base/text.ts';
import { installed, isRecord } from './caches.ts';
import type { Catalog, Cataloger, Skipped, Tree } from './contract.ts';
import { type LlvmObservation, scanForLlvm } from './llvm/binary.ts';
import type { Claim, Declaration } from './llvm/claims.ts';
import { componentOf } from './llvm/component.ts';
import { type Hints, placeOf } from './llvm/places.ts';
import {
  checkoutsIn,
  claimIn,
  claimOfDirectory,
  isLlvmText,
  pinOfCheckout,
  pinOfDistribution,
} from './llvm/texts.ts';
import { thingsOf } from './llvm/things.ts';
import { llvmOverrides, pathFrom } from './triton-env.ts';

/**
 * Every LLVM of an image: the one linked into Triton, the prebuilts and pins Triton is built with, and those of others, which
 * are listed as what they are and never taken for Triton's. What is declared and what was seen stay apart (docs/llvm.md).
 */
export const llvm: Cataloger<LlvmObservation> = {
  name: 'llvm',
  wants: (path) => isRecord(path) || isLlvmText(path),
  scan: scanForLlvm,
  catalog(tree: Tree<LlvmObservation>): Catalog {
    const skipped: Skipped[] = [];
    const checkouts = checkoutsIn(tree);
    const syspath = pathFrom(tree.env, 'LLVM_SYSPATH');
    // Triton links its prebuilt under a name without the commit, and people point LLVM_SYSPATH there.
    const hints: Hints = {
      syspath: syspath === undefined ? undefined : (tree.resolve(syspath) ?? syspath),
      checkouts: [...checkouts.keys()],
    };
    const claims: Claim[] = [];
    const declarations: Declaration[] = [];

    for (const [root, files] of checkouts) {
      for (const file of files) {
        const content = file.content();
        declarations.push(pinOfCheckout(root, file, content && decodeUtf8(content), hints.syspath));
      }
    }
    for (const file of installed(tree, tree.wanted())) {
      const content = file.content();
      if (content === undefined) {
        skipped.push({ path: printable(file.path), reason: 'too large to read' });
        continue;
      }
      // Headers and IR are ASCII where it matters; a stray byte in a comment is no reason to miss them.
      const text = decodeUtf8(content) ?? Buffer.from(content).toString('latin1');
      const declared = pinOfDistribution(tree, file, text);
      if (declared !== undefined && 'rung' in declared) declarations.push(declared);
      else if (declared !== undefined) skipped.push({ ...declared, path: printable(declared.path) });
      else claims.push(...one(claimIn(file, text, hints)), ...one(claimOfDirectory(file, hints)));
    }
    for (const file of installed(tree, tree.observed())) {
      const { finds, truncated, sha256, sha512 } = file.observation;
      const about = { path: file.path, layer: file.layer, ...placeOf(file.path, hints) };
      const hash = {
        ...(sha256 === undefined ? {} : { sha256 }),
        ...(sha512 === undefined ? {} : { sha512 }),
      };
      claims.push(...finds.map((find) => ({ ...find, ...about, ...hash })));
      claims.push(...one(claimOfDirectory(file, hints)));
      if (truncated)
        skipped.push({ path: printable(file.path), reason: 'holds too many strings to look at each' });
    }

    const things = thingsOf(claims, declarations);
    for (const { pin, reason, declarations } of things) {
      if (pin === 'unknown')
        skipped.push({
          path: printable(declarations[0]?.path ?? ''),
          reason: reason ?? 'pins an unknown LLVM',
        });
    }
    const overrides = llvmOverrides(tree.env);
    return { components: things.map((thing) => componentOf(thing, overrides)), dependencies: [], skipped };
  },
};

function one<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
