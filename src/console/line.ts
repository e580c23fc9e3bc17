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
    // Text after a cut would read as its continuation.
    if (part !== text) break;
  }
  return clipped;
}

/** Puts `left` and `right` at the two ends of the line. If both do not fit, `right` is left out. */
export function spread(left: Line, right: Line, cells: number): Line {
  const gap = cells - widthOf(left) - widthOf(right);
  if (right.length === 0 || gap < 2) return clipLine(left, cells);
  return [...left, span(' '.repeat(gap)), ...right];
}

/** The text alone. */
export function plainText(line: Line): string {
  return line.map(({ text }) => text).join('');
}
