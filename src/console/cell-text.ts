const ELSE = '\ufffd';

/** White space of any kind. */
const BLANK = /[\s\p{Z}]/gu;
/** Marks that stand on the character before. Terminals differ in what they make of them. */
const MARK = /\p{M}/gu;
/**
 * What a terminal would obey (control and format characters), or what terminals do not agree on the width of: what is unassigned, pictures, all
 * beyond the basic plane, the Hangul letters that join, and what is wide in newer versions of Unicode only.
 */
const UNSURE =
  /[\p{C}\p{Emoji_Presentation}\u{10000}-\u{10ffff}\u06de\u1160-\u11ff\u2ffc-\u2fff\u312e\u312f\u31bb-\u31bf\u31e4-\u31ef\u3248-\u324f\u32ff\ud7b0-\ud7ff]/gu;
/** Scripts of East Asia: two cells a character on every terminal. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6]/;

/** Text of a stranger on one line, every character of which takes one or two cells for certain. */
export function harmless(text: string): string {
  return text.normalize('NFC').replace(BLANK, ' ').replace(MARK, '').replace(UNSURE, ELSE);
}

/** Cells that `text`, which is harmless, takes. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const char of text) cells += WIDE.test(char) ? 2 : 1;
  return cells;
}

/** As much of a harmless text as `cells` hold; what is cut off is shown by a last `…`. */
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

/** A harmless text in lines of at most `cells`, cut wherever a line is full: of a log each character may matter. */
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
