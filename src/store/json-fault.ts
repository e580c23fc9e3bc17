import { messageOf } from '../errors.ts';
/** The place where a text stops being JSON, with V8's message; undefined if it is JSON. */
export interface JsonFault {
  /** From 1, in UTF-16 units as editors count. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export function jsonFault(text: string): JsonFault | undefined {
  const message = refusal(text);
  if (message === undefined) return undefined;
  const before = text.slice(0, offsetIn(message) ?? faultOffset(text)).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message };
}

function refusal(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** V8 gives the offset only in its message, and not for an unexpected token. */
function offsetIn(message: string): number | undefined {
  const digits = / position (\d+)/.exec(message)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The length of the longest prefix of `text` that JSON can begin with, by binary search. */
function faultOffset(text: string): number {
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (isBeginning(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

/** Whether the only fault of a text is that it ends too early. */
function isBeginning(text: string): boolean {
  const message = refusal(text);
  if (message === undefined || message.startsWith('Unexpected end')) return true;
  return (offsetIn(message) ?? 0) >= text.length;
}
