import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Options, textOption } from './bag.ts';

/** A number of entries; `undefined` where nothing was said. @throws TcfError `log.last` (exit 3). */
export function readCount(options: Options, name: string): number | undefined {
  const text = textOption(options, name);
  return text === undefined ? undefined : toCount(text);
}

export function toCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) {
    return Number(text);
  }
  throw askedWrongly('log.last', `${quoted(text)} is not a number of entries`);
}
