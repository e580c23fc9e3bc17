// For the tests of the documentation, which compare it with what the commands take; the program itself is `main.ts`.
export type { Command } from './command.ts';
export { COMMANDS } from './commands.ts';
export { helpOf } from './help.ts';
export { parse } from './parse.ts';
