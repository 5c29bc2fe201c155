import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Shell, shells } from '../../src/report/completion/index.ts';

/*
 * Each script is run by its shell. bash calls the function as readline would, fish answers itself (`complete
 * -C`), zsh calls the function with stand-ins for what only its line editor has. zsh and fish are asked where
 * they are installed (`apt-get install zsh fish`); where they are not, bash alone is.
 */

/** What the file is called that a shell is in a folder with, so that it offers files. */
export const someFile = 'here.yaml';

/** Files are offered. */
export const files = '<files>';

export const shellDrivers: Readonly<Record<Shell, string>> = {
  bash: `source tcf.bash
compopt() { printf '%s\\n' '${files}'; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE=\${COMP_TYPED-$*}; COMP_POINT=\${#COMP_LINE}
_tcf
for reply in "\${COMPREPLY[@]}"; do printf '%s\\n' "$reply"; done
[[ "$(complete -p tcf)" == "complete -F _tcf tcf" ]]`,
  zsh: `compdef() { :; }
compset() { PREFIX=\${PREFIX#*=}; }
offer() { local none=1 word; for word in "$@"; do [[ $word == "$PREFIX"* ]] && none=0 && print -r -- "$word"; done; return $none; }
compadd() { shift; offer "$@"; }
_describe() { for word in "\${(@P)\${@[-1]}}"; do offer "\${word%%:*}"; done; }
_files() { print -r -- '${files}'; }
_message() { :; }
source ./_tcf
words=("$@"); CURRENT=$#; PREFIX=$words[-1]
_tcf; true`,
  // fish looks for files itself, and finds the one that is there.
  fish: `source tcf.fish
set -l line (string escape -- $argv[1..-2])
if test -z "$argv[-1]"
  set -a line ''
else
  set -a line (string escape -- $argv[-1])
end
complete -C (string join ' ' -- $line) | string replace -r '\\t.*' ''; true`,
};

export interface Completion {
  readonly offered: readonly string[];
  readonly errors: string;
}

/**
 * What the shell offers for the last word, in a folder that holds its script and `here.yaml`.
 *
 * @param more Variables beside PATH and HOME: the folder is its home.
 */
export function completeIn(
  folder: string,
  shell: Shell,
  words: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Completion> {
  const flags = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell];
  const start = shell === 'fish' ? ['-c', shellDrivers.fish] : ['-c', shellDrivers[shell], shell];
  const env = { PATH: process.env['PATH'], HOME: folder, ...more };
  return new Promise((resolve) => {
    execFile(shell, [...flags, ...start, 'tcf', ...words], { cwd: folder, env }, (error, stdout, stderr) => {
      const found = stdout.split('\n').filter((line) => line !== '');
      const isFiles = found.includes(someFile);
      resolve({
        offered: isFiles ? [files] : found.sort(),
        errors: error === null ? stderr : `${stderr}${error.message}`,
      });
    });
  });
}

/** Those that are here: bash is everywhere. */
export const installedShells: readonly Shell[] = shells.filter((shell) =>
  (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, shell))),
);
