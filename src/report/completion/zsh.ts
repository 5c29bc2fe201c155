import {
  type CompletedCall,
  type CompletedWord,
  laterCalls,
  nameCases,
  namesCall,
  shellText,
  valueCases,
} from './call.ts';

/** A script that zsh sources, or finds as `_tcf` in a folder of `$fpath`. */
export function toZsh(calls: readonly CompletedCall[]): string {
  const values = valueCases(calls, (value) => {
    if (value === 'file') {
      return '_files; return';
    }
    if (value === 'image') {
      return '_tcf_names images; return';
    }
    if (value === 'text') {
      return '_message value; return';
    }
    return `compadd -- ${value.map(shellText).join(' ')}; return`;
  });
  const words = calls.map(({ options, path, words }) => {
    const flags = options.flatMap(({ names, summary }) => names.map((name) => ({ name, summary })));
    const arrays = [`flags=(${described(flags)})`, `words_next=(${described(words)})`];
    return `    ${shellText(path)})\n      ${arrays.join('\n      ')} ;;`;
  });
  return `#compdef tcf
# Completion for zsh. In ~/.zshrc, after compinit: source <(tcf completion zsh)
# Names that this machine knows, else files.
_tcf_names() {
  local -a names=(\${(f)"$(${namesCall} $1 2>/dev/null)"})
  (( $#names )) && compadd -- $names || _files
}

_tcf() {
  local call=tcf previous=$words[CURRENT-1]
  local -a flags words_next
  integer at
  for ((at = 2; at < CURRENT; at++)); do
    case "$call $words[at]" in
      'tcf help') ;;
      ${laterCalls(calls)}) call="$call $words[at]" ;;
      *) break ;;
    esac
  done
  if [[ $PREFIX == --*=* ]]; then
    previous=\${PREFIX%%=*}
    compset -P '*='
  fi
  case "$call $previous" in
${values.join('\n')}
  esac
  case "$call" in
${words.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option flags
  elif (( at == CURRENT && \${#words_next} )); then
    _describe word words_next
  else
    case "$call" in
${nameCases(calls).join('\n')}
    esac
    _files
  fi
}

if [[ $funcstack[1] == _tcf ]]; then _tcf "$@"; else compdef _tcf tcf; fi
`;
}

/** `_describe` parts name and summary at the first colon that has no backslash. */
function described(words: readonly CompletedWord[]): string {
  return words
    .map(({ name, summary }) => shellText(`${name.replaceAll(':', String.raw`\:`)}:${summary}`))
    .join(' ');
}
