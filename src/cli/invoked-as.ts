import { resolve } from 'node:path';

/** Of a package that is installed in a folder: no PATH leads to it but that of npm. */
const BY_NPX = 'npx shoal';

/** By which name the user has called this program, and so can call it again: `shoal`, `npx shoal`, `bin/shoal`, or another path. */
export function invokedAs(): string {
  const name = nameOrPath();
  return name === BY_NPX ? name : shellWord(name);
}

/** The same for a user who goes to another folder first. */
export function invokedFromAnywhere(): string {
  const name = nameOrPath();
  return name.includes('/') ? shellWord(resolve(name)) : invokedAs();
}

function nameOrPath(): string {
  // `bin/shoal` says it, since Node does not know what was typed.
  const name = process.env['SHOAL_INVOKED_AS'] ?? '';
  if (name !== '') return name;
  return import.meta.url.endsWith('.ts') ? 'bin/shoal' : 'shoal';
}

/** A text for a person. Whoever wrote it, also a Shoal elsewhere, says `shoal ps` where this user would type `bin/shoal ps`. */
export function asInvoked(text: string): string {
  const name = invokedAs();
  return name === 'shoal' ? text : text.replace(/`shoal (?=[a-zA-Z])/g, () => `\`${name} `);
}

/** Quotes the text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w./:,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
