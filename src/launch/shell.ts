/** One word for a POSIX shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command that can be pasted into a shell. */
export function shellLine(file: string, args: readonly string[]): string {
  return [file, ...args].map(shellWord).join(' ');
}
