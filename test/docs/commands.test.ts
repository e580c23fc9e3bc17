import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/mod.ts';
import { helpBlock, isHelpBlock } from './help-blocks.ts';
import { Page, pages } from './page.ts';
import { commandsOf } from './shell-words.ts';
import { problemOfCall, shoalCalls, typedLines } from './shoal-calls.ts';

// A file of this project; `npm ci` has read it before this test runs.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Readonly<Record<string, string>> };

describe('what a reader is told to type', () => {
  test.each(pages().map((page) => [page.path, page] as const))('in %s is taken by the programs', (_, page) => {
    const problems = typedLines(page).flatMap(({ text, line }) =>
      [...shoalCalls(text).map(problemOfCall), ...commandsOf(text).map(problemOfProgram)]
        .filter((problem) => problem !== undefined)
        .map((problem) => `${page.path}:${line}: ${text}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    'in the help of %s is taken by the program',
    (_, { examples }) => {
      const problems = examples.flatMap(([call]) => shoalCalls(call).map(problemOfCall));
      expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
      expect(examples.length).toBeGreaterThan(0);
    },
  );

  test.each([
    ['shoal sendd x', 'there is no command sendd'],
    ['bin/shoal send --fast x', '--fast'],
    ['shoal ps one', 'unexpected argument "one"'],
    ['echo x | shoal up --set speed=1', 'there is no parameter speed'],
  ])('is found when it is wrong: %s', (line, problem) => {
    expect(shoalCalls(line).map(problemOfCall).join()).toContain(problem);
  });
});

describe('docs/commands.md', () => {
  const page = Page.read('docs/commands.md');

  test('has a section for each command, and for no other', () => {
    const headings = [...page.prose.matchAll(/^## `shoal (\w+)`$/gm)].map((match) => match[1]);
    expect(headings.sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  });

  test('shows the help of each command as it is: `bin/node test/docs/write-help.ts` puts it in', () => {
    for (const command of COMMANDS) {
      const shown = page.blocks.filter(({ info, text }) => isHelpBlock(info, text, command));
      expect([command.name, shown.map(({ text }) => text)]).toEqual([command.name, [helpBlock(command)]]);
    }
  });
});

/** Checks npm scripts and files of this project. Other programs are the machine's. */
function problemOfProgram([program = '', ...args]: readonly string[]): string | undefined {
  if (program === 'npm') {
    const name = args[0] === 'run' ? args[1] : ['start', 'test'].find((one) => one === args[0]);
    const isKnown = name === undefined || name in manifest.scripts || /^[A-Z]+$/.test(name);
    return isKnown ? undefined : `package.json has no script ${name}`;
  }
  if (/^(bin|\.ci|includeos|test|bench|setup)\//.test(program) && !existsSync(program))
    return `${program} does not exist`;
  return undefined;
}
