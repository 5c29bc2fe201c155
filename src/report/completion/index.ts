import { toBash } from './bash.ts';
import type { CompletedCall } from './call.ts';
import { toFish } from './fish.ts';
import { toZsh } from './zsh.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

/** How the package calls the script of each shell: the names under which the shells look for it. */
export const completionFiles: Readonly<Record<Shell, string>> = {
  bash: 'tcf.bash',
  zsh: '_tcf',
  fish: 'tcf.fish',
};

const formats = { bash: toBash, zsh: toZsh, fish: toFish } as const;

/** The script by which a shell completes the calls. */
export function formatCompletion(shell: Shell, calls: readonly CompletedCall[]): string {
  return formats[shell](calls);
}
