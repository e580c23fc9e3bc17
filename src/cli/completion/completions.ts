import type { Command, Flag } from '../command.ts';

/** What can be typed behind the name of a command, whatever the shell. */
export interface Completions {
  readonly name: string;
  readonly summary: string;
  /** Words that stand as they are, such as `ls` and `add` of `ls | add RANGE:PORT`. */
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
}

const HELP: Flag = { name: 'help', short: 'h', about: 'shows flags and examples' };

export function completionsOf({ name, summary, words, flags }: Command): Completions {
  const verbs = words.split('|').flatMap((choice) => /^\s*([a-z]+)\b/.exec(choice)?.[1] ?? []);
  return { name, summary, words: verbs, flags: [...flags, HELP] };
}

/** `--data` and, where there is one, `-d`. */
export function namesOf({ name, short }: Flag): readonly string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** Whether its value is a path, which every shell completes by itself. */
export function takesPath({ value }: Flag): boolean {
  return value === 'DIR' || value === 'FILE';
}
