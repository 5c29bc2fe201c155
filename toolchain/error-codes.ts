import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Writes docs/errors.md: every code of an error, from the calls in src that make errors. A test holds the
 * page to them.
 */

const source = join(import.meta.dirname, '../src');
export const errorPage: string = join(import.meta.dirname, '../docs/errors.md');

interface ErrorCode {
  readonly exits: ReadonlySet<number>;
  /** What it says, `…` in place of values; one for each place that throws it. */
  readonly messages: ReadonlySet<string>;
}

/** A call, its code, and its message where that is written in the call. */
const made =
  /\b(askedWrongly|cannotTell)\(\s*(?:'([\w.-]+)'|`([\w.-]*)\$\{[^}]*\}`),\s*(?:'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`|"((?:\\.|[^"\\])*)")?/g;

/** By code, in the order of the alphabet. */
export function errorCodes(): ReadonlyMap<string, ErrorCode> {
  const found = new Map<string, { exits: Set<number>; messages: Set<string> }>();
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  for (const name of files.sort()) {
    for (const call of readFileSync(join(source, name), 'utf8').matchAll(made)) {
      const [, how, code, prefix, ...said] = call;
      const key = code ?? `${prefix}…`;
      const entry = found.get(key) ?? { exits: new Set(), messages: new Set() };
      found.set(key, entry);
      entry.exits.add(how === 'askedWrongly' ? 3 : 2);
      const message = said.find((text) => text !== undefined);
      if (message !== undefined) {
        entry.messages.add(plain(message));
      }
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A template without its values; those may hold templates themselves. */
function plain(template: string): string {
  let text = template;
  for (let before = ''; before !== text; ) {
    before = text;
    text = text.replace(/\$\{[^{}]*\}/g, '…');
  }
  return text
    .replace(/\$\{.*$/s, '…')
    .replaceAll(/\\(.)/g, '$1')
    .replaceAll('|', '\\|');
}

export function formatErrorPage(codes: ReadonlyMap<string, ErrorCode>): string {
  const rows = [...codes].map(([code, { exits, messages }]) => {
    const said = [...messages].slice(0, 2).join('; ');
    return `| \`${code}\` | ${[...exits].sort().join(', ')} | ${said} |`;
  });
  return `# Error codes

An error of tcf says in a sentence what could not be done, and usually what to do next. Its code is stable. It
stands in the log of decisions and in JSON, and whoever embeds tcf finds it as \`code\` of a \`TcfError\`. Exit code
2 means that tcf cannot tell, 3 that it was asked wrongly. "No" is an answer with exit code 1, and no error; a
verb that starts containers ends with 125 for either.

This page is written by \`bash toolchain/run.sh toolchain/error-codes.ts\`; \`…\` stands for a value.

| code | exit | says |
| --- | --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.main) {
  writeFileSync(errorPage, formatErrorPage(errorCodes()));
}
