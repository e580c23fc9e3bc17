/** Longer values are cut, so that a stranger cannot fill logs and replies. */
const QUOTED_CHARS_MAX = 64;

/** A value for an error message: quoted, one line of printable ASCII, and short. */
export function quote(value: string): string {
  const shown = value.length > QUOTED_CHARS_MAX ? `${value.slice(0, QUOTED_CHARS_MAX)}...` : value;
  return JSON.stringify(shown).replace(/[^\x20-\x7e]/g, escapeChar);
}

/** Text as the value of a NATS header, in one line of printable ASCII: a line break would start another header. */
export function headerText(text: string, charsMax: number): string {
  return text.slice(0, charsMax).replace(/[^\x20-\x7e]/g, (char) => (char === '\n' ? ' ' : escapeChar(char)));
}

function escapeChar(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
