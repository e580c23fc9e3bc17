import type { Line, Tone } from './line.ts';

/** Cells of the terminal. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Size {
  readonly left: number;
  readonly top: number;
}

/** The content of the screen, as plain data. The renderer decides nothing. */
export interface View {
  readonly size: Size;
  /** Later ones lie over earlier ones. */
  readonly panels: readonly Panel[];
}

export interface Panel {
  /** Stable from view to view, so that the renderer can update the panel. */
  readonly id: string;
  readonly rect: Rect;
  /** Stands in the upper border; without a title there is no border. At most four cells less than the panel is wide. */
  readonly title?: Line;
  /** At most as many lines as fit, none wider than the panel. */
  readonly lines: readonly Line[];
  readonly plot?: Plot;
}

/** Areas on top of each other, over time, in dots: each cell has two across and four up. */
export interface Plot {
  /** In cells of the terminal, inside of the panel. */
  readonly rect: Rect;
  /** The upper end. */
  readonly max: number;
  /** The lowest first. Values oldest first, one a dot across, the newest at the right edge. */
  readonly bands: readonly { readonly tone: Tone; readonly values: readonly number[] }[];
}

/** The room inside a panel's border. */
export function innerOf({ left, top, width, height }: Rect): Rect {
  return { left: left + 1, top: top + 1, width: Math.max(0, width - 2), height: Math.max(0, height - 2) };
}

/** Cells that a title has room for: two corners, and a blank on each side. */
export function titleRoom({ width }: Size): number {
  return Math.max(0, width - 4);
}
