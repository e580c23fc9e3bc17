import { type Command, helpOf } from '../../src/cli/mod.ts';

/** The help of a command as `docs/commands.md` shows it. */
export function helpBlock(command: Command): string {
  return helpOf(command).trimEnd();
}

export function isHelpBlock(info: string, text: string, { name }: Command): boolean {
  return info === 'text' && text.startsWith(`shoal ${name} - `);
}
