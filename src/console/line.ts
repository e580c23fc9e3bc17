import { cellsOf, clipText } from './cell-text.ts';

/** What a text means; the renderer gives it a look. */
export type Tone =
  | 'plain'
  | 'strong'
  | 'quiet'
  | 'accent'
  | 'good'
  | 'coming'
  | 'leaving'
  | 'bad'
  /** The row that the keys act on. */
  | 'selected';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

/** One line of the screen. Its texts are harmless. */
export type Line = readonly Span[];

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone };
}

export function widthOf(line: Line): number {
  return line.reduce((cells, { text }) => cells + cellsOf(text), 0);
}

export function clipLine(line: Line, cells: number): Line {
  const clipped: Span[] = [];
  let left = cells;
  for (const { text, tone } of line) {
    if (left <= 0) break;
    const part = clipText(text, left);
    clipped.push({ text: part, tone });
    left -= cellsOf(part);
    // What follows a text that was cut would read as if it belonged to it.
    if (part !== text) break;
  }
  return clipped;
}

/** `left` at the one end of the line, `right` at the other; if both do not fit `right` goes. */
export function spread(left: Line, right: Line, cells: number): Line {
  const gap = cells - widthOf(left) - widthOf(right);
  if (right.length === 0 || gap < 2) return clipLine(left, cells);
  return [...left, span(' '.repeat(gap)), ...right];
}

/** The text alone. */
export function plainText(line: Line): string {
  return line.map(({ text }) => text).join('');
}
