import type { Command } from './command.ts';
import { usage } from './parse.ts';

/** Reads `NAME=VALUE`, several of them; the last one of a name counts. */
export function settings(command: Command, texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw usage(command, `expected NAME=VALUE, got ${JSON.stringify(text)}`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  // An assignment to the name `__proto__` would be lost.
  return Object.fromEntries(entries);
}
