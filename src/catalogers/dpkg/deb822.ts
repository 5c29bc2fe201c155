/** One paragraph of a control file, and what was wrong with it. */
export interface Stanza {
  /**
   * By lower-case name: Debian Policy 5.1 says names are not case-sensitive. The first of two fields counts.
   */
  readonly fields: ReadonlyMap<string, string>;
  /** Line of its first field, from 1. */
  readonly line: number;
  /** One sentence for each line that is not as Debian Policy 5.1 says, with the line's number. */
  readonly faults: readonly string[];
  /** Fields that stand more than once. */
  readonly repeated: ReadonlySet<string>;
}

/** After these the rest of the stanza is as broken; the list is for people. */
const maxFaults = 3;

/**
 * Reads control data (deb822(5)): every stanza by itself, so that a broken one is no excuse to lose the
 * others. Folded lines keep their line ends and lose the blank or tab in front.
 */
export function parseStanzas(text: string): readonly Stanza[] {
  const stanzas: Stanza[] = [];
  let fields = new Map<string, string[]>();
  let faults: string[] = [];
  let repeated = new Set<string>();
  let line = 0;
  let start = 0;
  let current: string[] | undefined;

  const note = (fault: string): void => {
    if (faults.length < maxFaults) {
      faults.push(`line ${line} ${fault}`);
    }
  };
  const close = (): void => {
    if (fields.size > 0 || faults.length > 0) {
      const joined = [...fields].map(([name, lines]) => [name, lines.join('\n').trim()] as const);
      stanzas.push({ fields: new Map(joined), line: start, faults, repeated });
    }
    fields = new Map();
    faults = [];
    repeated = new Set();
    current = undefined;
    start = 0;
  };

  for (const raw of text.split('\n')) {
    line += 1;
    const content = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (content.trim() === '') {
      close();
      continue;
    }
    if (start === 0) {
      start = line;
    }
    if (content.startsWith(' ') || content.startsWith('\t')) {
      if (current === undefined) {
        note('continues no field');
      } else {
        current.push(content.slice(1));
      }
      continue;
    }
    const [, name, value = ''] = /^([!-"$-,.-9;-~][!-9;-~]*):(.*)$/.exec(content) ?? [];
    if (name === undefined) {
      current = undefined;
      if (!content.startsWith('#')) {
        note('is neither a field nor a continuation');
      }
      continue;
    }
    const key = name.toLowerCase();
    current = [value];
    if (fields.has(key)) {
      repeated.add(key);
      note('repeats a field');
    } else {
      fields.set(key, current);
    }
  }
  close();
  return stanzas;
}
