import type { Flag } from '../command.ts';
import { type Completions, takesPath } from './completions.ts';

export function fishScript(all: readonly Completions[]): string {
  return [
    '# Completion of shoal for fish, made by `shoal completion fish`.',
    'complete -c shoal -f',
    ...all.map(({ name, summary }) => `complete -c shoal -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`),
    ...all.flatMap(linesOf),
    '',
  ].join('\n');
}

function linesOf({ name, words, flags }: Completions): string[] {
  const start = `complete -c shoal -n '__fish_seen_subcommand_from ${name}'`;
  const verbs = words.length === 0 ? [] : [`${start} -a ${quote(words.join(' '))}`];
  return [...verbs, ...flags.map((flag) => `${start} ${optionsOf(flag)} -d ${quote(flag.about)}`)];
}

function optionsOf(flag: Flag): string {
  const short = flag.short === undefined ? '' : ` -s ${flag.short}`;
  const name = `-l ${flag.name}${short}`;
  if (flag.value === undefined) return name;
  if (flag.choices !== undefined) return `${name} -x -a ${quote(flag.choices.join(' '))}`;
  // -F takes back what -f said for all: paths are offered here.
  return takesPath(flag) ? `${name} -r -F` : `${name} -x`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, (sign) => `\\${sign}`)}'`;
}
