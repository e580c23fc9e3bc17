import type { Command, Flags } from './command.ts';
import { usage } from './parse.ts';

/** The flags that only some uses of a command take, by use. */
export type TakenFlags = Readonly<Record<string, readonly string[]>>;

/**
 * Refuses a flag that does nothing in this use of a command: it is a mistake of whoever gives it.
 * @param taken the flags that this use takes
 * @param what this use, for people
 * @throws USAGE naming the flag
 */
export function refuseForeign(
  command: Command,
  flags: Flags,
  { all, taken, what }: { readonly all: TakenFlags; readonly taken: readonly string[]; readonly what: string },
): void {
  const foreign = Object.values(all)
    .flat()
    .find((name) => isGiven(flags, name) && !taken.includes(name));
  if (foreign !== undefined) throw usage(command, `--${foreign} does nothing with ${what}: leave it out`);
}

function isGiven(flags: Flags, name: string): boolean {
  return flags.has(name) || flags.text(name) !== undefined || flags.list(name).length > 0;
}
