import { closeSync, readdirSync } from 'node:fs';
import { isatty, type WriteStream } from 'node:tty';
import { isInForeground } from '../console/mod.ts';
import type { Flags } from './command.ts';
import { invokedAs, shellWord } from './invoked-as.ts';

/** Whether this command can draw on a terminal: one that can redraw, in the foreground. */
export function isOnTerminal(): boolean {
  return process.stdin.isTTY && canRedraw(process.stdout);
}

/** Whether this command may overwrite its lines on the stream. A command in the background leaves the terminal alone. */
export function canRedraw(stream: WriteStream): boolean {
  return stream.isTTY && (process.env['TERM'] ?? '') !== 'dumb' && isInForeground();
}

/**
 * Keeps Node from restoring the terminal's settings when a command in the background exits: the shell, or an editor, has
 * set its own meanwhile, and the kernel stops a process that has read keys and does so (SIGTTOU). Node leaves alone what
 * is closed.
 */
export function leaveTerminalAtExit(): void {
  process.on('exit', () => {
    if (![0, 1, 2].some((fd) => isatty(fd)) || isInForeground()) return;
    for (const fd of openFiles()) if (isatty(fd)) closeSync(fd);
  });
}

function openFiles(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [0, 1, 2];
  }
}

/** The width in cells. A terminal that does not know its width reports 0. */
export function columnsOf(stream: WriteStream, columnsDefault: number): number {
  return stream.columns > 0 ? stream.columns : columnsDefault;
}

/** https://no-color.org: any value but the empty one turns colours off. */
export function hasColours(): boolean {
  return (process.env['NO_COLOR'] ?? '') === '';
}

/** The command line that sends a text to the fleet of these flags. */
export function sendHint(flags: Pick<Flags, 'text'>): string {
  const where = ['data', 'nats', 'fleet'].flatMap((name) => {
    const value = flags.text(name);
    return value === undefined ? [] : [`--${name}`, shellWord(withoutPassword(value))];
  });
  return [invokedAs(), 'send', ...where, '"some text"'].join(' ');
}

/** Anyone who passes by reads the screen. */
function withoutPassword(url: string): string {
  return url.replaceAll(/\/\/[^/@]*@/g, '//');
}
