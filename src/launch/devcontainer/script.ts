import { dirname, join } from 'node:path';
import { shellLine, shellWord } from '../shell.ts';

/** The script beside a devcontainer.json that looks for tcf and asks it, relative to the project. */
export const scriptFile = (file: string): string => join(dirname(file), 'tcf-check.sh');

export interface CheckScript {
  /** Arguments of tcf. */
  readonly call: readonly string[];
  /** The release of tcf that wrote it, which is the one to install. */
  readonly version: string;
}

/**
 * What the editor starts on the host. Whoever opens the folder without tcf reads in one sentence what is
 * missing, and nothing starts. Only absolute paths are called: a `tcf` in the project is not the user's.
 */
export function formatCheckScript({ call, version }: CheckScript): string {
  return `#!/bin/sh
# Written by tcf ${version}, and compared by "tcf devcontainer check": change it by "tcf devcontainer pin" with other options.
# The devcontainer CLI takes 130 for "go on".
trap 'exit 1' INT
set -- ${shellLine(call[0] ?? '', call.slice(1))}
for tcf in "$(command -v tcf)" "$HOME/.local/bin/tcf" /usr/local/bin/tcf; do
  case $tcf in
    /*) if [ -x "$tcf" ]; then exec "$tcf" "$@"; fi ;;
  esac
done
echo 'tcf: error: this dev container starts only once tcf has verified its image, and there is no tcf on this machine' >&2
echo 'tcf: hint: install https://github.com/triton-container-first/tcf/releases/tag/v${version}' >&2
exit 1
`;
}

/** `undefined` where it is not exactly what some release of tcf writes. */
export function parseCheckScript(text: string): CheckScript | undefined {
  const version = /^# Written by tcf (\d+\.\d+\.\d+[\w.-]*),/m.exec(text)?.[1];
  const line = /^set -- (devcontainer check(?: .*)?)$/m.exec(text)?.[1];
  if (version === undefined || line === undefined) {
    return undefined;
  }
  const call = [...line.matchAll(/'(?:[^']|'\\'')*'|[^\s']+/g)].map(([word]) =>
    word.startsWith("'") ? word.slice(1, -1).replaceAll(`'\\''`, "'") : word,
  );
  const found = { call, version };
  const isWhole = call.map(shellWord).join(' ') === line && formatCheckScript(found) === text;
  return isWhole ? found : undefined;
}
