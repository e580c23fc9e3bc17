import type { Flag } from '../command.ts';
import { type Completions, namesOf, takesPath } from './completions.ts';

export function zshScript(all: readonly Completions[]): string {
  return `#compdef shoal
# Completion of shoal for zsh, made by \`shoal completion zsh\`.
_shoal() {
  local -a commands
  commands=(
${all.map(({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=\${words[2]}
  shift words
  (( CURRENT-- ))
  case $name in
${all.map(caseOf).join('\n')}
    help) _describe command commands ;;
  esac
}
if [ "$funcstack[1]" = _shoal ]; then _shoal "$@"; else compdef _shoal shoal; fi
`;
}

function caseOf({ name, words, flags }: Completions): string {
  const specs = flags.flatMap(specsOf);
  if (words.length > 0) specs.push(`1:word:(${words.join(' ')})`);
  return `    ${name}) _arguments ${specs.map(quote).join(' ')} ;;`;
}

function specsOf(flag: Flag): string[] {
  const about = flag.about.replace(/[[\]:]/g, (sign) => `\\${sign}`);
  return namesOf(flag).map((name) => `${flag.multiple === true ? '*' : ''}${name}[${about}]${argumentOf(flag)}`);
}

function argumentOf(flag: Flag): string {
  if (flag.value === undefined) return '';
  const label = flag.value.replaceAll(':', '\\:');
  if (flag.choices !== undefined) return `:${label}:(${flag.choices.join(' ')})`;
  return `:${label}:${takesPath(flag) ? '_files' : ''}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
