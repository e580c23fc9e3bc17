import type { Flags } from './command.ts';

/** Whether there is a terminal that can be drawn on, and a person at it. */
export function isOnTerminal(): boolean {
  return process.stdout.isTTY && process.stdin.isTTY && process.env['TERM'] !== 'dumb';
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

/** What is on the screen is for everybody who passes by. */
function withoutPassword(url: string): string {
  return url.replaceAll(/\/\/[^/@]*@/g, '//');
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w./:,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
