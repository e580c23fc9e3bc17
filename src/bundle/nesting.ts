import type { Plugin } from 'rolldown';
import type { ShoalError } from '../errors.ts';
import { invalid } from './fault.ts';

export const INSTEAD_OF_NESTING = 'Look values up in an array or a Map, or use a loop';
/**
 * The bundler calls itself for each level of nested code, and takes the process with it where its stack ends: with the stack that `bundle`
 * gives it, beyond this many levels of whatever takes most of it.
 */
const PARTS_MAX = 50_000;
const KEYWORDS = '(?:as|await|delete|do|else|extends|in|instanceof|is|keyof|new|of|satisfies|typeof|void|yield)\\b';
const PARTS = [
  // Begins a comment or a text, which are no code.
  '(//|/\\*|[\'"`])',
  // Opens a bracket, closes one.
  '([([{])|([)\\]}])',
  // Ends a statement or an element: also a line without a semicolon, if nothing but another statement can follow.
  `((?:[;,]|(?<=[\\w'"\\]}])(?<!\\belse)\\n\\s*(?=[\\w$])(?!${KEYWORDS}))(?!\\s*else\\b))`,
  // Makes an expression or a statement deeper.
  '[=!]==?|=>|&&|\\|\\||\\?\\?|[?:!~=&|+\\-*/%<>^.@]',
  `\\b${KEYWORDS}`,
].join('|');

/** Refuses files of the author's that nest too deeply to be read. */
export function nesting(onFault: (fault: ShoalError) => void): Plugin {
  return {
    name: 'shoal-nesting',
    transform: {
      order: 'pre',
      filter: { id: { exclude: /\/node_modules\// } },
      handler(code, id, { moduleType }) {
        if (moduleType === 'text') return;
        const at = tooDeepAt(code, PARTS_MAX);
        if (at === undefined) return;
        const line = code.slice(0, at).split('\n').length;
        const what = `its brackets and operators nest too deeply: here a statement has more than ${PARTS_MAX} of them`;
        const fault = invalid({ file: id, line }, `${what}. ${INSTEAD_OF_NESTING}`);
        onFault(fault);
        throw new Error(fault.message);
      },
    },
  };
}

/**
 * Where a program may nest deeper than so many levels: that many brackets and operators stand there without an end of a statement or of an
 * element between them. It may be less deep, as `a + b + c` is read in a loop.
 */
export function tooDeepAt(code: string, partsMax: number): number | undefined {
  // Each part has a character.
  if (code.length <= partsMax) return undefined;
  const part = new RegExp(PARTS, 'g');
  let open: Open = { parts: 0, isInTemplate: false, around: undefined };
  let parts = 0;
  const add = (count: number): void => {
    open.parts += count;
    parts += count;
  };
  /** @param behind where a text, or the rest of a template, begins */
  const pass = (begins: string, behind: number): void => {
    const end = endOfText(code, behind, begins);
    part.lastIndex = end;
    if (begins !== '`' || code[end - 1] !== '{') return;
    add(1);
    open = { parts: 0, isInTemplate: true, around: open };
  };
  for (let found = part.exec(code); found !== null; found = part.exec(code)) {
    const [, text, opens, closes, separates] = found;
    if (text !== undefined) pass(text, part.lastIndex);
    else if (separates !== undefined) add(-open.parts);
    else if (closes === undefined) add(1);
    if (opens !== undefined) open = { parts: 0, isInTemplate: false, around: open };
    if (closes !== undefined && open.around !== undefined) {
      const { isInTemplate, around } = open;
      parts -= open.parts;
      open = around;
      if (isInTemplate) pass('`', part.lastIndex);
    }
    if (parts > partsMax) return found.index;
  }
  return undefined;
}

/** A bracket that is open, or the whole program. */
interface Open {
  /** What stands in it since the last separator. */
  parts: number;
  readonly isInTemplate: boolean;
  readonly around: Open | undefined;
}

/** @returns where a comment or a quoted text ends, or a template has code in it; `behind` if it is none */
function endOfText(code: string, behind: number, begins: string): number {
  if (begins === '//' || begins === '/*') {
    const ends = begins === '//' ? '\n' : '*/';
    const end = code.indexOf(ends, behind);
    return end < 0 ? code.length : end + ends.length;
  }
  for (let at = behind; at < code.length; at += 1) {
    if (code[at] === begins) return at + 1;
    if (code[at] === '\\') at += 1;
    else if (begins === '`' && code.startsWith('${', at)) return at + 2;
    else if (begins !== '`' && code[at] === '\n') return behind;
  }
  return behind;
}
