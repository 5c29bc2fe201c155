import { closest } from '../../base/closest.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';

/** Options as commander parsed them, by their camel-case names. */
export type Options = Readonly<Record<string, unknown>>;

export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * The value of an option that takes one of `choices`; nothing where the option is not given.
 * @throws TcfError `option.value` (exit 3).
 */
export function choiceOption<Choice extends string>(
  options: Options,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const asked = textOption(options, name);
  const choice = choices.find((one) => one === asked);
  if (asked === undefined || choice !== undefined) {
    return choice;
  }
  const flagName = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const near = closest(asked, choices);
  throw askedWrongly('option.value', `${flagName} does not take ${quoted(asked)}`, {
    hint: near === undefined ? `write ${choices.join(', ')}` : `did you mean ${quoted(near)}?`,
  });
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
