import {
  type CompletedCall,
  type CompletedOption,
  type CompletedValue,
  laterCalls,
  type NameKind,
  namesCall,
  shellText,
} from './call.ts';

/** A script that fish sources, or finds as `tcf.fish` in its folder of completions. */
export function toFish(calls: readonly CompletedCall[]): string {
  return `# Completion for fish. In ~/.config/fish/config.fish: tcf completion fish | source
function __tcf_call
  set -l call tcf
  set -l rest
  for word in (commandline -opc)[2..]
    switch "$call $word"
      case 'tcf help'
      case ${laterCalls(calls).replaceAll('|', ' ')}
        set call "$call $word"
      case '*'
        set rest $word
        break
    end
  end
  string join \\n -- $call $rest
end

# Whether this is the call; with a second argument, whether nothing but options of tcf stands after it yet.
function __tcf_is
  set -l found (__tcf_call)
  test "$found[1]" = "$argv[1]"; and begin
    not set -q argv[2]; or test (count $found) -eq 1
  end
end

# Names that this machine knows.
function __tcf_names
  command -q tcf; and ${namesCall} $argv 2>/dev/null
end

${calls.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ names, options, path, words }: CompletedCall): readonly string[] {
  const next = words.map(
    ({ name, summary }) => `${start(path, ' first')} -f -a ${fishText(name)} -d ${fishText(summary)}`,
  );
  const flags = options.map(
    (option) => `${start(path)}${namePart(option)}${valuePart(option)} -d ${fishText(option.summary)}`,
  );
  const named =
    names === undefined ? [] : [`${start(path)} ${isAlone(names) ? '-f ' : ''}-a ${namesText(names)}`];
  return [...next, ...named, ...flags];
}

/** A profile or a container is no file; an image may be one. */
const isAlone = (names: NameKind): boolean => names === 'profiles' || names === 'containers';

const namesText = (names: NameKind): string => fishText(`(__tcf_names ${names})`);

function start(path: string, first = ''): string {
  return `complete -c tcf -n ${fishText(`__tcf_is ${fishText(path)}${first}`)}`;
}

function namePart({ names }: CompletedOption): string {
  return names
    .map((name) =>
      name.startsWith('--') ? ` -l ${fishText(name.slice(2))}` : ` -s ${fishText(name.slice(1))}`,
    )
    .join('');
}

function valuePart({ value }: CompletedOption): string {
  return value === undefined ? '' : ` ${choiceOf(value)}`;
}

function choiceOf(value: CompletedValue): string {
  if (typeof value !== 'string') {
    return `-x -a ${fishText(value.join(' '))}`;
  }
  return { file: '-r -F', image: `-r -F -a ${namesText('images')}`, text: '-x' }[value];
}

/** fish reads \\ and \\' within single quotes. */
function fishText(text: string): string {
  return shellText(text.replaceAll('\\', '\\\\'));
}
