const ESCAPE = String.fromCharCode(0x1b);
/**
 * The rest, after ESC, of a sequence that moves the cursor, sets colours or makes the terminal answer. It may be cut
 * off at its end.
 */
const CONTROL_SEQUENCE = /^\[[0-?]*[ -/]*[@-~]?/;
/** Control and format characters (bidirectional overrides among them), and the two separators that break lines. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Untrusted text without anything that a terminal would obey. */
export function printable(text: string): string {
  const [first = '', ...escaped] = text.split(ESCAPE);
  const plain = first + escaped.map((part) => part.replace(CONTROL_SEQUENCE, '')).join('');
  return plain.replaceAll('\t', ' ').replace(UNPRINTABLE, '');
}

/** Whether the text is harmless as it stands. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}
