import { instructionOf } from '../oci/history.ts';

/** One instruction of a Containerfile, which may stretch over several lines. */
export interface Instruction {
  /** From 1, both ends included. */
  readonly line: number;
  readonly endLine: number;
  /** Upper case: `RUN`. */
  readonly keyword: string;
  /**
   * Keyword and arguments as an engine writes them into the history: without flags, comments and line breaks.
   */
  readonly text: string;
  /** Which `FROM` it follows, from 0; -1 before the first. */
  readonly stage: number;
}

/** A Containerfile of the checkout, for reports that point into it. */
export interface Containerfile {
  /** Relative to the root of the checkout, with `/`. */
  readonly path: string;
  readonly instructions: readonly Instruction[];
}

/** The directive that says which character joins lines. */
const escapeDirective = /^#\s*escape\s*=\s*([\\`])\s*$/i;

/**
 * Reads where each instruction stands (https://docs.docker.com/reference/dockerfile/, "Format"): comments
 * between joined lines, the directive `escape` and here-documents included. What is no instruction is passed
 * over: nothing is built from it.
 */
export function parseContainerfile(text: string): readonly Instruction[] {
  const lines = text.split(/\r?\n/);
  const joins = escapeOf(lines) === '`' ? /`[ \t]*$/ : /\\[ \t]*$/;
  const found: Instruction[] = [];
  let stage = -1;
  for (let at = 0; at < lines.length; at += 1) {
    const start = at;
    if (isPassedOver(lines[at] ?? '')) {
      continue;
    }
    let whole = lines[at] ?? '';
    while (joins.test(whole) && at + 1 < lines.length) {
      at += 1;
      const next = lines[at] ?? '';
      whole = isPassedOver(next) ? whole : `${whole.replace(joins, '')}${next}`;
    }
    for (const { end, stripsTabs } of hereDocuments(whole)) {
      while (at + 1 < lines.length) {
        at += 1;
        const line = lines[at] ?? '';
        whole += `\n${line}`;
        if ((stripsTabs ? line.replace(/^\t+/, '') : line) === end) {
          break;
        }
      }
    }
    const [, keyword = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(whole) ?? [];
    if (keyword !== '') {
      stage += /^from$/i.test(keyword) ? 1 : 0;
      found.push({ line: start + 1, endLine: at + 1, ...normal(keyword, rest), stage });
    }
  }
  return found;
}

function escapeOf(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const directive = /^#\s*\w+\s*=/.test(line);
    const found = escapeDirective.exec(line)?.[1];
    if (found !== undefined || !directive) {
      return found;
    }
  }
  return undefined;
}

/** Comments and empty lines, also between joined lines. */
function isPassedOver(line: string): boolean {
  return /^\s*(?:#|$)/.test(line);
}

/** `<<EOF`, `<<-"EOF"`, of RUN, COPY and ADD; several on a line follow each other. */
function hereDocuments(line: string): readonly { readonly end: string; readonly stripsTabs: boolean }[] {
  return /^\s*(?:RUN|COPY|ADD)\s/i.test(line)
    ? [...line.matchAll(/(?<!<)<<(-?)(["']?)([A-Za-z_]\w*)\2/g)].map(([, dash, , end = '']) => ({
        end,
        stripsTabs: dash === '-',
      }))
    : [];
}

function normal(keyword: string, rest: string): Pick<Instruction, 'keyword' | 'text'> {
  const upper = keyword.toUpperCase();
  const plain = rest.replace(/^(?:--[a-z][\w-]*(?:=\S+)?\s+)+/, '');
  return { keyword: upper, text: `${upper} ${plain}`.replace(/\s+/g, ' ').trim() };
}

/** The longest step that an SBOM repeats has 200 characters; a longer one ends so. */
const cut = '…';

/**
 * The one instruction that a step of the history came from. `undefined` where none fits, or more than one of
 * the stage that fits last: a line is a claim, and is not guessed.
 */
export function instructionOfStep(
  { instructions }: Containerfile,
  createdBy: string,
): Instruction | undefined {
  const step = instructionOf(createdBy);
  const fitting = instructions.filter((one) => isFrom(one, step));
  const last = Math.max(...fitting.map(({ stage }) => stage));
  const [first, second] = fitting.filter(({ stage }) => stage === last);
  return second === undefined ? first : undefined;
}

function isFrom({ keyword, text }: Instruction, step: string): boolean {
  if (step.endsWith(cut)) {
    return text.startsWith(step.slice(0, -cut.length).trimEnd());
  }
  if (text === step) {
    return true;
  }
  // buildah names the sum of what was copied in place of its sources.
  const [, copied, target] = /^(COPY|ADD) (?:file|dir|multi):[0-9a-f]+ in (\S+)$/.exec(step) ?? [];
  return copied === keyword && target !== undefined && text.endsWith(` ${target}`);
}

/** What the image is built on: the last `FROM`. */
export function lastFrom({ instructions }: Containerfile): Instruction | undefined {
  return instructions.findLast(({ keyword }) => keyword === 'FROM');
}
