/**
 * Whether the whole identity fits the pattern. `*` crosses neither `/` nor `@`, so a pattern never reaches
 * into another host, owner, path component or ref. No regular expressions: their unescaped dots
 * and missing anchors are how peers failed.
 */
export function matchesIdentity(pattern: string, identity: string): boolean {
  const wanted = pattern.split(/([/@])/);
  const actual = identity.split(/([/@])/);
  return (
    wanted.length === actual.length &&
    wanted.every((piece, index) => matchesPiece(piece, actual[index] ?? ''))
  );
}

/** Leftmost match of each literal part: linear in practice, whatever the identity is. */
function matchesPiece(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) {
    return text === head;
  }
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) {
    return false;
  }
  const end = text.length - tail.length;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) {
      return false;
    }
    at = found + part.length;
  }
  return true;
}
