/** Options as commander parsed them, by their camel-case names. */
export type Options = Readonly<Record<string, unknown>>;

export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function flag(options: Options, name: string): boolean {
  return options[name] === true;
}

/** For commander: an option that may be given again, which `listOption` reads. */
export function collectOption(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

export function listOption(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
