const ESCAPE = String.fromCharCode(0x1b);
/** What follows ESC in the sequences that move the cursor, colour or ask the terminal to answer; at its end others may be cut off. */
const CONTROL_SEQUENCE = /^\[[0-?]*[ -/]*[@-~]?/;
/** Control and format characters (bidirectional overrides among them), and the two separators that break lines. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text of a stranger without anything that a terminal would obey. */
export function printable(text: string): string {
  const [first = '', ...escaped] = text.split(ESCAPE);
  const plain = first + escaped.map((part) => part.replace(CONTROL_SEQUENCE, '')).join('');
  return plain.replaceAll('\t', ' ').replace(UNPRINTABLE, '');
}

/** Whether the text is as harmless as it stands. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}
