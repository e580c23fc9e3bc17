/**
 * TypeScript source in two layers of the same length, so that offsets and line numbers hold in both: `code` has the
 * contents of comments, strings and regular expressions replaced by blanks (a rule about code is not tripped by
 * prose), `comments` everything but the comments.
 *
 * TypeScript 7 has no compiler API yet, so this is a scanner of our own. It knows just enough of the language for the
 * rules; where it cannot tell (a regular expression after a closing parenthesis) it takes `/` for a division.
 */
export function layersOf(text: string): { code: string; comments: string } {
  let code = '';
  let comments = '';
  let at = 0;
  // For each template literal that we are in: how many braces are open in its `${}`.
  const templates: number[] = [];

  while (at < text.length) {
    const char = text.charAt(at);
    const depth = templates.at(-1);
    const commentEnd = endOfComment(text, at);
    const quoteEnd = commentEnd === undefined ? endOfQuote(text, at, code) : undefined;
    if (commentEnd !== undefined) {
      take(commentEnd, 'comment');
    } else if (quoteEnd !== undefined) {
      take(quoteEnd, 'quote');
    } else if (char === '`') {
      takeTemplate();
    } else if (depth === 0 && char === '}') {
      templates.pop();
      takeTemplate();
    } else {
      if (depth !== undefined && char === '{') templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && char === '}') templates[templates.length - 1] = depth - 1;
      take(at + 1, 'code');
    }
  }
  return { code, comments };

  function take(end: number, kind: 'code' | 'comment' | 'quote'): void {
    const part = text.slice(at, end);
    const blanks = part.replaceAll(/[^\n]/g, ' ');
    code += kind === 'code' ? part : blanks;
    comments += kind === 'comment' ? part : blanks;
    at = end;
  }

  /** Takes a template literal from its opening backtick (or a `}`) up to the closing one, or to the next `${`. */
  function takeTemplate(): void {
    const end = scanTo(text, at + 1, /\$\{|`/y);
    const opens = text.charAt(end) === '$';
    if (opens) templates.push(0);
    take(end + (opens ? 2 : 1), 'quote');
  }
}

/** Where the comment ends that starts at `at`, if one does. */
function endOfComment(text: string, at: number): number | undefined {
  if (text.startsWith('//', at)) return indexOrEnd(text, '\n', at);
  if (text.startsWith('/*', at)) return indexOrEnd(text, '*/', at + 2) + 2;
  return undefined;
}

/** Where the string or regular expression ends that starts at `at`, if one does. */
function endOfQuote(text: string, at: number, before: string): number | undefined {
  const char = text.charAt(at);
  if (char === "'") return scanTo(text, at + 1, /'|\n/y) + 1;
  if (char === '"') return scanTo(text, at + 1, /"|\n/y) + 1;
  if (char === '/' && regexMayStart(before)) return scanTo(text, at + 1, /\/|\n/y, true) + 1;
  return undefined;
}

function regexMayStart(before: string): boolean {
  return /(^|[(,=:[!&|?{};+\-*%~^<>]|\b(return|case|typeof|of|in))\s*$/.test(before.slice(-80));
}

/** Where `end` (sticky) matches first, from `from` on, past escapes and, in a regular expression, past classes. */
function scanTo(text: string, from: number, end: RegExp, classes = false): number {
  let inClass = false;
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\') {
      at++;
      continue;
    }
    if (classes && char === '[') inClass = true;
    if (classes && char === ']') inClass = false;
    end.lastIndex = at;
    if (!inClass && end.test(text)) return at;
  }
  return text.length;
}

function indexOrEnd(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from);
  return index === -1 ? text.length : index;
}
