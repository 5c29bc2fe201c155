import { compact } from '../base/compact.ts';
import { Shape } from '../base/shape.ts';
import type { VersionAnswer } from './evaluate.ts';

/**
 * A CVE about LLVM. Nobody keeps advisories about it in a form for machines, and LLVM disputes those that
 * there are: what a compiler is given to compile is trusted. So they are shown, and marked.
 */
export interface LlvmFact {
  readonly cve: string;
  /** `MLIR`. */
  readonly part: string;
  readonly place: string;
  /** The commit or release in which somebody saw it. */
  readonly reported: string;
  /** The first release without it, where that is known. */
  readonly fixed?: string;
}

const maxFacts = 1000;
const maxText = 300;

/** @throws TcfError `document.malformed` (exit 2). */
export function parseLlvmFacts(value: unknown, what: string): readonly LlvmFact[] {
  return new Shape(value, what).list(maxFacts).map((fact) =>
    compact({
      cve: fact.get('cve').string(maxText),
      part: fact.get('part').string(maxText),
      place: fact.get('place').string(maxText),
      reported: fact.get('reported').string(maxText),
      fixed: fact.optional('fixed')?.string(maxText),
    }),
  );
}

/** Whether the LLVM with this commit and version string (`22.0.0git+f6ded0be`) is affected. */
export function judgeLlvm(fact: LlvmFact, commit: string, version: string | undefined): VersionAnswer {
  const seen = `seen in ${fact.place} of ${fact.reported}`;
  if (commit.startsWith(fact.reported)) {
    return { verdict: 'affected', why: `${seen}, which is this commit` };
  }
  const own = numbersOf(version ?? '');
  const fixed = numbersOf(fact.fixed ?? '');
  if (own === undefined || fixed === undefined) {
    return { verdict: 'cannot-tell', why: `${seen}; the data do not say which other commits have it` };
  }
  const order = own[0] - fixed[0] || own[1] - fixed[1] || own[2] - fixed[2];
  // The main branch had the fix before the release did, so a `git` version of the same line may have it.
  if (order < 0) {
    return /git/.test(version ?? '')
      ? {
          verdict: 'cannot-tell',
          why: `${seen}, fixed in ${fact.fixed}; ${version} may be newer than the fix`,
        }
      : { verdict: 'affected', why: `${seen}, fixed in ${fact.fixed}`, fixedIn: `LLVM ${fact.fixed}` };
  }
  return { verdict: 'fixed', why: `fixed in ${fact.fixed}` };
}

function numbersOf(version: string): readonly [number, number, number] | undefined {
  const found = /^(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(version);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])];
}
