import { type CompletedCall, laterCalls, nameCases, namesCall, shellText, valueCases } from './call.ts';

/** A script for bash 3.2 and newer, without the package bash-completion. */
export function toBash(calls: readonly CompletedCall[]): string {
  const values = valueCases(calls, (value) => {
    if (value === 'file') {
      return '_tcf_files; return';
    }
    if (value === 'image') {
      return '_tcf_names images; return';
    }
    return value === 'text' ? 'return' : `words=${shellText(value.join(' '))}`;
  });
  const words = calls.map(({ options, path, words }) => {
    const flags = options.flatMap(({ names }) => names).join(' ');
    const next = words.map(({ name }) => name).join(' ');
    return `    ${shellText(path)}) flags=${shellText(flags)} words=${shellText(next)} ;;`;
  });
  return `# Completion for bash. In ~/.bashrc: source <(tcf completion bash)
_tcf_files() { compopt -o default 2>/dev/null; }

# Names that this machine knows, else files. Readline has what stands before its own breaks (: = @) already.
_tcf_names() {
  local line=\${COMP_LINE-} breaks=\${COMP_WORDBREAKS//[^:=@]/} typed kept= name
  line=\${line:0:\${COMP_POINT-0}} typed=\${line##*[[:space:]]}
  case $typed in --*=*) typed=\${typed#*=} ;; esac
  if [ -n "$breaks" ]; then kept=\${typed%"\${typed##*[$breaks]}"}; fi
  while IFS= read -r name; do
    case $name in "$typed"*) COMPREPLY+=("\${name#"$kept"}") ;; esac
  done < <(${namesCall} "$1" 2>/dev/null)
  [ "\${#COMPREPLY[@]}" -gt 0 ] || _tcf_files
}

_tcf() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} call=tcf flags= words= at
  local IFS=$' \\t\\n'
  COMPREPLY=()
  # bash takes --name=value apart at the sign.
  if [ "$current" = = ]; then current=
  elif [ "$previous" = = ]; then previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$call \${COMP_WORDS[at]}" in
      'tcf help') ;;
      ${laterCalls(calls)}) call="$call \${COMP_WORDS[at]}" ;;
      *) break ;;
    esac
  done
  case "$call $previous" in
${values.join('\n')}
  esac
  if [ -z "$words" ]; then
    case "$call" in
${words.join('\n')}
    esac
    case "$current" in
      -*) words=$flags ;;
      # A word that was chosen is not asked for again.
      *) [ "$at" -eq "$COMP_CWORD" ] || words= ;;
    esac
  fi
  if [ -z "$words" ]; then
    case "$call" in
${nameCases(calls).join('\n')}
    esac
    _tcf_files; return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}

complete -F _tcf tcf
`;
}
