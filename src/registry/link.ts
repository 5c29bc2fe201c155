import { cannotTell, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';

/** Characters; Node's own limit for all headers together. */
const maxLength = 16_384;

// One sticky expression for each part of the grammar, and none that can match a text in two ways: the time is
// linear in the length.
const target = /[\s,]*<([^>]*)>/y;
const parameter = /\s*;\s*([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]+)))?/y;

/**
 * The target of the first link with the relation `next` in a Link header (RFC 8288, 3); `undefined`: there is
 * none.
 *
 * @throws TcfError `registry.protocol` before the grammar is left: a list that ends early looks complete.
 */
export function nextLink(header: string): string | undefined {
  if (header.length > maxLength) {
    throw malformed(header);
  }
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found !== null) {
      at = pattern.lastIndex;
    }
    return found;
  };
  for (let link = take(target); link !== null; link = take(target)) {
    let relation: string | undefined;
    for (let found = take(parameter); found !== null; found = take(parameter)) {
      const [, name = '', inQuotes, bare] = found;
      // RFC 8288, 3.3: a second "rel" is ignored.
      if (name.toLowerCase() === 'rel') {
        relation ??= inQuotes ?? bare ?? '';
      }
    }
    if (relation?.toLowerCase().split(/\s+/).includes('next')) {
      return link[1];
    }
  }
  if (/[^\s,]/.test(header.slice(at))) {
    throw malformed(header);
  }
  return undefined;
}

function malformed(header: string): TcfError {
  return cannotTell('registry.protocol', `cannot read the Link header ${quoted(header)}`);
}
