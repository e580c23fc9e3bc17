import type { WriteStream } from 'node:tty';
import { isInForeground } from '../console/mod.ts';
import type { Flags } from './command.ts';

/** Whether there is a terminal that can be drawn on, with a person at it who waits for this command. */
export function isOnTerminal(): boolean {
  return process.stdin.isTTY && canRedraw(process.stdout);
}

/** Whether a line on this stream can be written over, and is no one else's: a command in the background leaves the terminal alone. */
export function canRedraw(stream: WriteStream): boolean {
  return stream.isTTY && (process.env['TERM'] ?? '') !== 'dumb' && isInForeground();
}

/** Cells across; a terminal that does not know its width says 0. */
export function columnsOf(stream: WriteStream, columnsDefault: number): number {
  return stream.columns > 0 ? stream.columns : columnsDefault;
}

/** https://no-color.org: set to anything but nothing. */
export function hasColours(): boolean {
  return (process.env['NO_COLOR'] ?? '') === '';
}

/** A command line that sends a text to the fleet that the flags name, as it must be typed here. */
export function sendHint(flags: Pick<Flags, 'text'>): string {
  const shoal = import.meta.url.endsWith('.ts') ? 'bin/shoal' : 'shoal';
  const where = ['data', 'nats', 'fleet'].flatMap((name) => {
    const value = flags.text(name);
    return value === undefined ? [] : [`--${name}`, word(withoutPassword(value))];
  });
  return [shoal, 'send', ...where, '"some text"'].join(' ');
}

/** Anyone who passes by reads the screen. */
function withoutPassword(url: string): string {
  return url.replaceAll(/\/\/[^/@]*@/g, '//');
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w./:,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
