import type { Command } from './command.ts';
import { usage } from './parse.ts';

/** Parses the number of a VM from the command line. @throws USAGE */
export function vmWord(command: Command, word: string | undefined): number {
  if (word === undefined) throw usage(command, 'give the number of a VM; `shoal ps` lists them');
  if (/^[1-9]\d{0,14}$/.test(word)) return Number(word);
  throw usage(command, `expected the number of a VM (\`shoal ps\` lists them), got ${JSON.stringify(word)}`);
}
