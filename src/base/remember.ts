/**
 * Texts that are kept: a scan asks for one version of a package and the bounds of its records, again and
 * again.
 */
const kept = 1024;
/** Characters of a text that is worth it: versions are short, and what strangers write need not be. */
const longest = 256;

/** The same function, with its last answers at hand. It has to depend on the text alone. */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (text.length > longest) {
      return make(text);
    }
    const before = known.get(text);
    if (before !== undefined || known.has(text)) {
      return before as T;
    }
    const made = make(text);
    if (known.size >= kept) {
      known.clear();
    }
    known.set(text, made);
    return made;
  };
}
