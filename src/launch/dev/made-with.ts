import { TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { printable } from '../../base/text.ts';

/** What a dev container was made with. */
export interface MadeWith {
  readonly flags: readonly string[];
  readonly command: readonly string[];
  /** Digest of the image. */
  readonly image: string;
}

/** One line, for a label. */
export const formatProfile = ({ command, flags, image }: MadeWith): string =>
  JSON.stringify([flags, command, image]);

/**
 * The image of which a container says that it was made: an image that was committed from a dev container has
 * its label too, and another digest.
 */
export function madeOf(profile: string): string | undefined {
  const image = listsOf(profile)[2];
  return typeof image === 'string' ? image : undefined;
}

/**
 * What another command line would make differently, one line each; none where it is the same, or where nobody
 * wrote down what it was.
 */
export function differences(before: string | undefined, now: string): readonly string[] {
  if (before === undefined || before === now) {
    return [];
  }
  const [old, own] = [wordsOf(before), wordsOf(now)];
  const gone = old.filter((word) => !own.includes(word)).map((word) => `  - ${printable(word, 200)}`);
  const added = own.filter((word) => !old.includes(word)).map((word) => `  + ${printable(word, 200)}`);
  if (gone.length + added.length === 0) {
    return [];
  }
  return [
    'the container was made with other options, which stay as they are (--recreate makes it again):',
    ...gone,
    ...added,
  ];
}

function wordsOf(profile: string): readonly string[] {
  return listsOf(profile).slice(0, 2).flat().map(String);
}

function listsOf(profile: string): readonly unknown[] {
  try {
    const lists = parseJson(profile, 'the label of the container');
    return Array.isArray(lists) ? lists : [];
  } catch (error) {
    if (error instanceof TcfError) {
      return [];
    }
    throw error;
  }
}
