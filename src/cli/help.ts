import type { Command, Flag } from './command.ts';

export function helpOf(command: Command): string {
  const lines = [
    `shoal ${command.name} - ${command.summary}`,
    '',
    `Usage: shoal ${command.name} [flags] ${command.words}`.trimEnd(),
  ];
  if (command.flags.length > 0)
    lines.push('', 'Flags:', ...columns(command.flags.map((flag) => [flagText(flag), flag.about])));
  lines.push('', 'Examples:');
  for (const [call, about] of command.examples) lines.push(`  # ${about}`, `  ${call}`);
  return `${lines.join('\n')}\n`;
}

export function helpOfAll(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => [name, summary] as const);
  return `${[
    'shoal - runs a service as a shoal of unikernel virtual machines behind one request-reply address',
    '',
    'Usage: shoal COMMAND [flags] [arguments]',
    '',
    'Commands:',
    ...columns(list),
    '',
    '`shoal COMMAND --help` shows flags and examples.',
  ].join('\n')}\n`;
}

function flagText({ name, short, value }: Flag): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
