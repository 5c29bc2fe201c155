import { type Bytes, collect } from '../base/bytes.ts';
import { askedWrongly } from '../base/error.ts';
import type { Host } from './host.ts';

/*
 * What `-` names in place of a file: standard input where something is read, standard output where it is
 * written. A file of that name is `./-`.
 */

/** Whether the user typed `-` in place of a path. */
export function isStandard(path: string | undefined): boolean {
  return path === '-';
}

interface Taken {
  readonly what: string;
  readonly content: Promise<Uint8Array>;
}

const taken = new WeakMap<Bytes, Taken>();

/**
 * All of standard input, which is one document: whoever reads the same again gets the same bytes.
 *
 * @throws TcfError `file.unreadable` (exit 3) where it was read as something else, `bytes.too-large` (exit
 *   2).
 */
export async function readStandardInput(host: Host, limit: number, what: string): Promise<Uint8Array> {
  const { stdin } = host;
  const before = taken.get(stdin) ?? { what, content: collect(stdin, limit, `${what} on standard input`) };
  taken.set(stdin, before);
  if (before.what !== what) {
    throw askedWrongly(
      'file.unreadable',
      `standard input is ${before.what} already, and not ${what} as well`,
      {
        hint: 'name a file for one of them',
      },
    );
  }
  return await before.content;
}

/**
 * Two documents in one stream are none.
 *
 * @param outputs What writes standard output, by the option that asks for it.
 * @throws TcfError `output.twice` (exit 3).
 */
export function refuseTwoOnStandardOutput(outputs: Readonly<Record<string, boolean>>): void {
  const [one, two] = Object.keys(outputs).filter((name) => outputs[name]);
  if (two !== undefined) {
    throw askedWrongly('output.twice', `${one} and ${two} both write standard output`, {
      hint: 'name a file for one of them',
    });
  }
}
