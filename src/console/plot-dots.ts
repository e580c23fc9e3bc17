import type { Tone } from './line.ts';
import type { Plot } from './view.ts';

/** Dots that a cell has: the eight of a Braille letter. */
export const DOTS_ACROSS = 2;
export const DOTS_UP = 4;

export interface Dot {
  readonly x: number;
  /** From the top. */
  readonly y: number;
  readonly tone: Tone;
}

/** The areas of a plot as dots: one column a value, the newest at the right edge, each area on top of the one before. */
export function* dotsOf({ rect, max, bands }: Plot): Generator<Dot> {
  const width = rect.width * DOTS_ACROSS;
  const height = rect.height * DOTS_UP;
  for (let x = 0; x < width; x++) {
    let sum = 0;
    let filled = 0;
    for (const { tone, values } of bands) {
      const value = values[values.length - width + x] ?? 0;
      sum += value;
      // Any value above 0 is visible.
      const least = value > 0 ? filled + 1 : filled;
      const top = Math.min(height, Math.max(least, Math.round((sum / max) * height)));
      for (; filled < top; filled++) yield { x, y: height - 1 - filled, tone };
    }
  }
}
