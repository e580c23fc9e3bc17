import { COMMANDS, parse } from '../../src/cli/mod.ts';
import { PARAMETERS } from '../../src/fleet/mod.ts';
import type { Page, Piece } from './page.ts';
import { commandsOf } from './shell-words.ts';

const SHELLS = ['sh', 'bash', 'console'];

/** Lines of a page that a reader may type: lines of shell blocks, and inline code that begins with a program of this project. */
export function typedLines(page: Page): Piece[] {
  const blocks = page.blocks.filter(({ info }) => SHELLS.includes(info));
  const lines = blocks.flatMap(({ info, text, line }) =>
    joined(text)
      .filter((one) => info !== 'console' || one.text.startsWith('$ '))
      .map((one) => ({ text: one.text.replace(/^\$ /, ''), line: line + one.line })),
  );
  const units = page.blocks.flatMap(({ info, text, line }) =>
    info !== 'ini' ? [] : text.split('\n').flatMap((one, index) => unitCall(one, line + index)),
  );
  const spans = page.spans.filter(({ text }) => /^(bin\/)?shoal \w|^npm (run|start|test)\b|^bin\/\w/.test(text));
  return [...lines, ...units, ...spans];
}

/** The command line of a systemd unit. */
function unitCall(text: string, line: number): Piece[] {
  const call = /^ExecStart=(.*)$/.exec(text)?.[1];
  return call === undefined ? [] : [{ text: call, line }];
}

/** Joins each line that ends in a backslash with the next one. */
function joined(text: string): Piece[] {
  const pieces: Piece[] = [];
  let before: Piece | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const whole: Piece = before === undefined ? { text: line, line: index } : { ...before, text: before.text + line };
    before = whole.text.endsWith('\\') ? { ...whole, text: whole.text.slice(0, -1) } : undefined;
    if (before === undefined) pieces.push(whole);
  }
  return pieces;
}

/** The calls of `shoal` in a line, each as the list of words after the program. */
export function shoalCalls(line: string): string[][] {
  return commandsOf(line).flatMap((words) => {
    const [program, ...others] = words[0] === 'npx' || words[0] === 'sudo' ? words.slice(1) : words;
    return program === 'shoal' || program?.endsWith('bin/shoal') === true ? [others] : [];
  });
}

/** The problem of a call; undefined if there is none. A name in capitals stands for any command. */
export function problemOfCall([name = 'help', ...args]: readonly string[]): string | undefined {
  if (name === 'help' || name.startsWith('--') || /^[A-Z]+$/.test(name)) return undefined;
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) return `there is no command ${name}`;
  try {
    const { flags, words } = parse(command, args);
    const settings = [...flags.list('set'), ...(name === 'params' ? words.slice(1) : [])];
    const names = settings.map((setting) => setting.split('=')[0] ?? '').filter((one) => /^[a-z_]+$/.test(one));
    const unknown = names.find((one) => !(one in PARAMETERS));
    return unknown === undefined ? undefined : `there is no parameter ${unknown}`;
  } catch (error) {
    return String(error);
  }
}
