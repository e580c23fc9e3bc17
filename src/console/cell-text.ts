const ELSE = '\ufffd';

/** White space of any kind. */
const BLANK = /[\s\p{Z}]/gu;
/** Combining marks, which terminals render differently. */
const MARK = /\p{M}/gu;
/**
 * Characters that a terminal would obey (control and format), and those whose width terminals disagree on: unassigned ones, pictures, all
 * beyond the basic plane, conjoining Hangul, and those that became wide in newer versions of Unicode.
 */
const UNSURE =
  /[\p{C}\p{Emoji_Presentation}\u{10000}-\u{10ffff}\u06de\u1160-\u11ff\u2ffc-\u2fff\u312e\u312f\u31bb-\u31bf\u31e4-\u31ef\u3248-\u324f\u32ff\ud7b0-\ud7ff]/gu;
/** Scripts of East Asia: two cells a character on every terminal. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6]/;

/** Makes untrusted text safe for one line: each character takes one or two cells for certain. */
export function harmless(text: string): string {
  return text.normalize('NFC').replace(BLANK, ' ').replace(MARK, '').replace(UNSURE, ELSE);
}

/** The width in cells of a harmless text. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const char of text) cells += WIDE.test(char) ? 2 : 1;
  return cells;
}

/** Cuts a harmless text to `cells`, with a final `…` if something was cut off. */
export function clipText(text: string, cells: number): string {
  if (cells <= 0) return '';
  if (text.length * 2 <= cells || cellsOf(text) <= cells) return text;
  let clipped = '';
  let left = cells - 1;
  for (const char of text) {
    left -= WIDE.test(char) ? 2 : 1;
    if (left < 0) break;
    clipped += char;
  }
  return `${clipped}…`;
}

/** Breaks a harmless text into lines of at most `cells`, at any character: each one of a log may matter. */
export function wrapText(text: string, cells: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let left = cells;
  for (const char of text) {
    const width = WIDE.test(char) ? 2 : 1;
    if (width > left && line !== '') {
      lines.push(line);
      line = '';
      left = cells;
    }
    line += char;
    left -= width;
  }
  return [...lines, line];
}

/** Exactly `cells` wide: clipped, or filled with blanks. */
export function fitText(text: string, cells: number, align: 'left' | 'right' = 'left'): string {
  const clipped = clipText(text, cells);
  const blanks = ' '.repeat(Math.max(0, cells - cellsOf(clipped)));
  return align === 'left' ? clipped + blanks : blanks + clipped;
}
