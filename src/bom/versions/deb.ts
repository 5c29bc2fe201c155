import { compareDigits } from './digits.ts';

/**
 * Orders Debian versions as deb-version(7) says: epoch as a number, then upstream version and revision, each
 * in turns of text and digits, where `~` comes before everything, even before the end.
 */
export function compareDebVersions(a: string, b: string): number {
  const [epochA, upstreamA, revisionA] = partsOf(a);
  const [epochB, upstreamB, revisionB] = partsOf(b);
  return (
    compareDigits(epochA, epochB) || comparePart(upstreamA, upstreamB) || comparePart(revisionA, revisionB)
  );
}

/**
 * Whether a version satisfies `>= 2.34`. `<` and `>` are the old spellings of `<=` and `>=` (Debian Policy
 * 7.1).
 */
export function satisfiesDeb(version: string, operator: string, wanted: string): boolean {
  const order = compareDebVersions(version, wanted);
  switch (operator) {
    case '<<':
      return order < 0;
    case '<=':
    case '<':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
    case '>':
      return order >= 0;
    default:
      return operator === '>>' && order > 0;
  }
}

function partsOf(version: string): readonly [string, string, string] {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return [
    colon < 0 ? '0' : version.slice(0, colon),
    hyphen < 0 ? rest : rest.slice(0, hyphen),
    hyphen < 0 ? '' : rest.slice(hyphen + 1),
  ];
}

function comparePart(a: string, b: string): number {
  // One turn for each run of text or digits; a version of a million runs is still linear.
  const runsA = a.match(/\d+|\D+/g) ?? [];
  const runsB = b.match(/\d+|\D+/g) ?? [];
  let i = 0;
  let j = 0;
  while (i < runsA.length || j < runsB.length) {
    const textA = /^\D/.test(runsA[i] ?? '') ? (runsA[i++] ?? '') : '';
    const textB = /^\D/.test(runsB[j] ?? '') ? (runsB[j++] ?? '') : '';
    const order = compareText(textA, textB) || compareDigits(runsA[i++] ?? '', runsB[j++] ?? '');
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

function compareText(a: string, b: string): number {
  for (let at = 0; at < a.length || at < b.length; at += 1) {
    const order = weight(a[at]) - weight(b[at]);
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

function weight(char: string | undefined): number {
  if (char === undefined) {
    return 0;
  }
  if (char === '~') {
    return -1;
  }
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
}
