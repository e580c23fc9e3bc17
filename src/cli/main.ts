import { codeOf, ShoalError } from '../errors.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { helpOf, helpOfAll } from './help.ts';
import { printData, say } from './output.ts';
import { parse } from './parse.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    printData(rest[0] === undefined ? helpOfAll(COMMANDS) : helpOf(commandOf(rest[0])));
    return 0;
  }
  const command = commandOf(name === '--version' ? 'version' : name);
  const input = parse(command, rest);
  if (input.flags.has('help')) {
    printData(helpOf(command));
    return 0;
  }
  return command.run(input);
}

function commandOf(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  throw new ShoalError('USAGE', `there is no command ${JSON.stringify(name)}; \`shoal help\` lists them`);
}

/** An error for a person; its code is for a program, and `docs/errors.md` explains it. */
function report(error: unknown): number {
  if (error instanceof ShoalError) {
    say(`shoal: ${error.message} [${error.code}]`);
    return error.code === 'USAGE' || error.code === 'CONFIG_VALUE' || error.code === 'POOL_INVALID'
      ? EXIT_USAGE
      : EXIT_FAILED;
  }
  say(
    `shoal: a defect in Shoal, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return EXIT_FAILED;
}

// A reader that has gone (`shoal ps | head -1`, a terminal that was closed) is no failure: what was started must still be ended.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE' && codeOf(error) !== 'EIO') throw error;
  });
}

process.exitCode = await main(process.argv.slice(2)).catch(report);
