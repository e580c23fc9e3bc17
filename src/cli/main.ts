import { messageWithCode, ShoalError } from '../errors.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { helpOf, helpOfAll } from './help.ts';
import { checkOutput, guardOutput, printable, printText, say } from './output.ts';
import { parse } from './parse.ts';
import { keepIgnoring } from './signals.ts';
import { systemRefusal } from './system-refusal.ts';
import { leaveTerminalAtExit } from './terminal.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    printText(rest[0] === undefined ? helpOfAll(COMMANDS) : helpOf(commandOf(rest[0])));
    await checkOutput();
    return 0;
  }
  const command = commandOf(name === '--version' ? 'version' : name);
  const invocation = parse(command, rest);
  const isHelp = invocation.flags.has('help');
  if (isHelp) printText(helpOf(command));
  const exitCode = isHelp ? 0 : await command.run(invocation);
  if (isHelp || command.outlivesOutput !== true) await checkOutput();
  return exitCode;
}

function commandOf(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  throw new ShoalError('USAGE', `there is no command ${JSON.stringify(name)}; \`shoal help\` lists them`);
}

/** An error for a person; its code is for a program, and `docs/errors.md` explains it. */
function report(thrown: unknown): number {
  const error = systemRefusal(thrown) ?? thrown;
  if (error instanceof ShoalError) {
    say(printable(`shoal: ${messageWithCode(error)}`));
    return error.code === 'USAGE' || error.code === 'CONFIG_VALUE' || error.code === 'POOL_INVALID'
      ? EXIT_USAGE
      : EXIT_FAILED;
  }
  say(
    `shoal: a defect in Shoal, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return EXIT_FAILED;
}

// Whatever the umask says of others, this user uses what is made, such as the folders of VMs.
process.umask(process.umask(0o077) & 0o077);
guardOutput();
keepIgnoring();
leaveTerminalAtExit();
process.exitCode = await main(process.argv.slice(2)).catch(report);
