import { type Completions, namesOf, takesPath } from './completions.ts';

export function bashScript(all: readonly Completions[]): string {
  return `# Completion of shoal for bash, made by \`shoal completion bash\`.
_shoal() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${['help', ...all.map(({ name }) => name)].join(' ')}'
  else
    case \${COMP_WORDS[1]}:$previous in
${all.flatMap(valueCases).join('\n')}
      *)
        case \${COMP_WORDS[1]} in
${all.map(wordCase).join('\n')}
          help) words='${all.map(({ name }) => name).join(' ')}' ;;
        esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _shoal shoal
`;
}

function valueCases({ name, flags }: Completions): string[] {
  return flags.flatMap((flag) => {
    if (flag.value === undefined) return [];
    const pattern = namesOf(flag)
      .map((one) => `${name}:${one}`)
      .join('|');
    if (flag.choices !== undefined) return `      ${pattern}) words='${flag.choices.join(' ')}' ;;`;
    const paths = `COMPREPLY=($(compgen -${flag.value === 'DIR' ? 'd' : 'f'} -- "$current")); return`;
    // Nothing that could be offered stands for a value of another kind.
    return `      ${pattern}) ${takesPath(flag) ? paths : 'return'} ;;`;
  });
}

function wordCase({ name, words, flags }: Completions): string {
  return `          ${name}) words='${[...words, ...flags.flatMap(namesOf)].join(' ')}' ;;`;
}
