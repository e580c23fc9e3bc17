/** What Shoal uses of blessed-contrib: its canvas of dots. The types of the package do not cover it. */
declare module 'blessed-contrib/lib/widget/canvas.js' {
  import type { Widgets } from 'blessed';

  /** Coordinates in dots, from the upper left: two across a cell, four down. */
  interface Dots {
    /** Of the dots to come: a colour's name, or `normal`. */
    color: string;
    set(x: number, y: number): void;
    clear(): void;
  }

  interface Canvas extends Widgets.BoxElement {
    /** In dots; whole cells. */
    canvasSize: { width: number; height: number };
    /** There is one once the canvas is on a screen. */
    ctx: { readonly canvas: Dots } | undefined;
    /** Sets `canvasSize`; called when the canvas comes on a screen. */
    calcSize(): void;
  }

  const canvas: (options: Widgets.BoxOptions) => Canvas;
  export default canvas;
}
