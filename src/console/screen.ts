import type { Readable, Writable } from 'node:stream';
import blessed, { type Widgets } from 'blessed';
import canvas from 'blessed-contrib/lib/widget/canvas.js';
import { type Line, type Tone, widthOf } from './line.ts';
import { PASTE_MARKS_OFF, PASTE_MARKS_ON } from './paste-filter.ts';
import { DOTS_ACROSS, DOTS_UP, dotsOf } from './plot-dots.ts';
import { ignoreErrors, TerminalInput } from './terminal-input.ts';
import { TerminalOutput } from './terminal-output.ts';
import type { Panel, Size, View } from './view.ts';

export interface ScreenOptions {
  readonly colours: boolean;
  /** Names of keys are blessed's: `q`, `C-c`, `pageup`. */
  readonly onKey: (key: string) => void;
  /** It must be drawn anew: its size changed, or it stood still. */
  readonly onResize: () => void;
  /** The terminal has gone: its window was closed, or the line to it was lost. */
  readonly onGone: () => void;
}

/** The terminal, taken over. It shows a view and decides nothing. */
export class Screen {
  readonly #screen: Widgets.Screen;
  readonly #input: TerminalInput;
  readonly #output: TerminalOutput;
  readonly #look: Look;
  #drawn = '';
  #isRestored = false;
  #elements: readonly PanelElements[] = [];

  constructor({ colours, onKey, onResize, onGone }: ScreenOptions) {
    this.#input = new TerminalInput(process.stdin, onGone);
    this.#output = new TerminalOutput({ terminal: process.stdout, onGone, onCaughtUp: onResize });
    this.#screen = withOwnSignals(() => blessedScreen(this.#input, this.#output));
    this.#look = lookOf(colours, coloursOf(this.#screen));
    this.#output.write(PASTE_MARKS_ON);
    this.#screen.program.hideCursor();
    this.#screen.on('keypress', (_text: unknown, { full }: Widgets.Events.IKeyEventArg) => {
      if (full === 'C-l') this.#screen.realloc();
      onKey(full);
    });
    this.#screen.on('resize', onResize);
  }

  get size(): Size {
    const { width, height } = this.#screen;
    return { width: Number(width), height: Number(height) };
  }

  draw(view: View): void {
    // A terminal that stands still is drawn on again when it has taken the last drawing.
    if (this.#isRestored || this.#output.isBehind) return;
    const outline = JSON.stringify(
      view.panels.map(({ id, rect, title, plot }) => [id, rect, title !== undefined, plot?.rect]),
    );
    if (outline !== this.#drawn) this.#rebuild(view.panels);
    this.#drawn = outline;
    for (const [index, panel] of view.panels.entries()) this.#elements[index]?.show(panel);
    this.#screen.render();
  }

  /** Gives the terminal back as it was. Twice is once. */
  /** Reads no more keys: the kernel would stop a process that reads its terminal in the background (SIGTTIN). */
  pauseKeys(): void {
    this.#input.release();
  }

  restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    ignoreErrors(process.stdout);
    this.#output.write(PASTE_MARKS_OFF);
    this.#screen.destroy();
    this.#output.release();
    this.#input.release();
  }

  #rebuild(panels: readonly Panel[]): void {
    for (const child of [...this.#screen.children]) child.destroy();
    this.#elements = panels.map((panel) => new PanelElements(this.#screen, panel, this.#look));
  }
}

/** The elements of blessed that show one panel. */
class PanelElements {
  readonly #box: Widgets.BoxElement;
  readonly #title: Widgets.BoxElement | undefined;
  readonly #canvas: ReturnType<typeof canvas> | undefined;
  readonly #look: Look;

  constructor(screen: Widgets.Screen, { rect, title, plot }: Panel, look: Look) {
    this.#look = look;
    const border = title === undefined ? {} : ({ border: 'line', style: { border: look.border } } as const);
    this.#box = blessed.box({ ...rect, ...border, wrap: false });
    screen.append(this.#box);
    if (title !== undefined) {
      this.#title = blessed.box({ left: rect.left + 1, top: rect.top, width: 0, height: 1, wrap: false });
      screen.append(this.#title);
    }
    if (plot === undefined) return;
    const { left, top, width, height } = plot.rect;
    const dots = canvas({ left: rect.left + 1 + left, top: rect.top + 1 + top, width, height, wrap: false });
    // Its own calculation leaves room for a border and for labels.
    dots.calcSize = () => {
      dots.canvasSize = { width: width * DOTS_ACROSS, height: height * DOTS_UP };
    };
    screen.append(dots);
    this.#canvas = dots;
  }

  show({ title, lines, plot, rect }: Panel): void {
    this.#box.setContent(lines.map((line) => this.#text(line)).join('\n'));
    if (title !== undefined && this.#title !== undefined) {
      this.#title.setContent(` ${this.#text(title)} `);
      this.#title.width = Math.max(0, Math.min(rect.width - 2, widthOf(title) + 2));
    }
    const dots = this.#canvas?.ctx?.canvas;
    if (dots === undefined || plot === undefined) return;
    dots.clear();
    for (const { x, y, tone } of dotsOf(plot)) {
      dots.color = this.#look.dots[tone] ?? 'normal';
      dots.set(x, y);
    }
  }

  #text(line: Line): string {
    return line.map(({ text, tone }) => `${this.#look.codes[tone]}${text}${RESET}`).join('');
  }
}

function blessedScreen(input: TerminalInput, output: TerminalOutput): Widgets.Screen {
  // Otherwise blessed draws letters for borders under tmux and in other terminals that have no line-drawing set.
  process.env['NCURSES_NO_UTF8_ACS'] = '1';
  const program = blessed.program({
    input,
    // The package's types ask for a stream that can be read; blessed only writes to it.
    output: output as Writable as unknown as Readable,
    terminal: descriptionOf(process.env['TERM']),
  });
  // A container usually has no locale, and yet its terminal shows Unicode.
  return blessed.screen({ program, fullUnicode: true, forceUnicode: true, warnings: false });
}

/**
 * Blessed misreads the terminfo files of current systems and prints pages of errors. A path that cannot exist makes it use the description of
 * that name from its own package. Current terminals understand one of these.
 */
function descriptionOf(term = ''): string {
  if (term.startsWith('linux')) return '/dev/null/linux';
  return /256color|direct|kitty|alacritty|ghostty|foot|wezterm/.test(term)
    ? '/dev/null/xterm-256color'
    : '/dev/null/xterm';
}

/**
 * Blessed listens to signals as well, and ends the process if it is the only listener, as it is while the screen is given back in the
 * handler of a signal. Signals belong to whoever runs the dashboard.
 */
function withOwnSignals(make: () => Widgets.Screen): Widgets.Screen {
  const signals = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const screen = make();
  for (const [index, signal] of signals.entries()) {
    const added = process.listeners(signal).filter((listener) => before[index]?.includes(listener) !== true);
    for (const listener of added) process.off(signal, listener);
  }
  return screen;
}

interface Look {
  /** What is written before a text of that tone. */
  readonly codes: Readonly<Record<Tone, string>>;
  /** Colours of dots, by blessed-contrib's names. */
  readonly dots: Readonly<Partial<Record<Tone, string>>>;
  readonly border: { readonly fg?: number };
}

const RESET = '\u001b[0m';

/** The sixteen colours that users choose themselves. Weight and inversion do not count as colours. */
function lookOf(colours: boolean, count: number): Look {
  const code = (figure: number): string => `\u001b[${figure}m`;
  const colour = (figure: number): string => (colours ? code(figure) : '');
  // With eight colours, grey would be black on black.
  const hasGrey = colours && count >= 16;
  return {
    codes: {
      plain: '',
      strong: code(1),
      quiet: hasGrey ? code(90) : '',
      accent: colour(36),
      good: colour(32),
      coming: colour(33),
      leaving: colour(35),
      bad: colours ? code(31) : code(1),
      selected: code(7),
    },
    dots: colours ? { accent: 'cyan', good: 'green', coming: 'yellow', leaving: 'magenta', bad: 'red' } : {},
    border: hasGrey ? { fg: 8 } : {},
  };
}

/** How many colours the terminal has, by its description. */
function coloursOf(screen: Widgets.Screen): number {
  // The package's types leave the fields of a description out.
  const { colors } = screen.tput as { readonly colors?: unknown };
  return typeof colors === 'number' ? colors : 8;
}
