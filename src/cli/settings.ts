import type { Command } from './command.ts';
import { usage } from './parse.ts';

/** Reads `NAME=VALUE`, several of them; the last one of a name counts. */
export function settings(command: Command, texts: readonly string[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) throw usage(command, `expected NAME=VALUE, got ${JSON.stringify(text)}`);
    values.set(text.slice(0, at), text.slice(at + 1));
  }
  // A name may be one that every object has.
  return Object.fromEntries(values);
}
