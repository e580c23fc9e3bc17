import { systemClock } from '../actors/mod.ts';
import type { Facts, Hints } from './facts.ts';
import { FleetWatch } from './fleet-watch.ts';
import { inspectLines, logLine } from './inspect-lines.ts';
import type { Screen } from './screen.ts';
import { filled, press, UI_AT_START, type Ui } from './ui.ts';
import { seenOf, viewOf } from './view-of.ts';
import type { Place } from './wire.ts';

export interface DashboardOptions {
  /** Says where the fleet is; throws while it is nowhere. */
  readonly find: () => Place;
  readonly hints: Hints;
  /** False where NO_COLOR is set. */
  readonly colours: boolean;
  /** Aborted before the terminal is taken, it is not taken, and `open` rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** What happens within this time is drawn at once: a burst of events must not keep the machine busy. */
const DRAW_EVERY_MS = 100;
const LOG_LINES = 500;

/** A fleet on the terminal, until somebody presses `q`. */
export class Dashboard {
  /** Resolves when the user has asked to leave; the terminal has been given back by then. */
  readonly left: Promise<void>;
  readonly #leave: () => void;
  readonly #options: DashboardOptions;
  readonly #watch: FleetWatch;
  readonly #screen: Screen;
  #ui: Ui = UI_AT_START;
  /** What is shown while it is paused. */
  #frozen: Facts | undefined;
  #isRestored = false;
  #isDrawAsked = false;
  #isAsking = false;

  private constructor(options: DashboardOptions, watch: FleetWatch, TheScreen: typeof Screen) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.left = promise;
    this.#leave = resolve;
    this.#options = options;
    this.#watch = watch;
    this.#screen = new TheScreen({
      colours: options.colours,
      onKey: (key) => this.#press(key),
      onResize: () => this.#draw(),
    });
  }

  /** Takes the terminal once the fleet has answered. @throws FLEET_NOT_RUNNING, NATS_UNREACHABLE */
  static async open(options: DashboardOptions): Promise<Dashboard> {
    let dashboard: Dashboard | undefined;
    const onChange = (): void => {
      if (dashboard !== undefined) dashboard.#changed();
    };
    const watch = await FleetWatch.open({ find: options.find, clock: systemClock, onChange });
    try {
      // No other command is to pay for what draws on a terminal.
      const { Screen } = await import('./screen.ts');
      options.signal?.throwIfAborted();
      dashboard = new Dashboard(options, watch, Screen);
      dashboard.#draw();
    } catch (error) {
      dashboard?.restore();
      await watch.close();
      throw error;
    }
    void watch.goOn();
    return dashboard;
  }

  /** A line of our own among the events. */
  note(text: string): void {
    this.#watch.note(text);
  }

  /** Gives the terminal back, at once. Twice is once. */
  restore(): void {
    this.#isRestored = true;
    this.#screen.restore();
  }

  async close(): Promise<void> {
    this.restore();
    await this.#watch.close();
  }

  #press(key: string): void {
    if (this.#isRestored) return;
    const { hints } = this.#options;
    const next = press(this.#ui, key, seenOf(this.#facts, this.#ui, this.#screen.size, hints));
    if (next === 'quit') {
      this.restore();
      this.#leave();
      return;
    }
    this.#ui = next;
    if (!next.paused) this.#frozen = undefined;
    else this.#frozen ??= standing(this.#watch.facts);
    void this.#fillOverlay();
    this.#draw();
  }

  #changed(): void {
    void this.#fillOverlay();
    if (this.#isDrawAsked) return;
    this.#isDrawAsked = true;
    systemClock.timer(DRAW_EVERY_MS, () => {
      this.#isDrawAsked = false;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#isRestored) return;
    this.#screen.draw(viewOf(this.#facts, this.#ui, this.#screen.size, this.#options.hints));
  }

  get #facts(): Facts {
    return this.#frozen ?? this.#watch.facts;
  }

  /** Asks for what the open overlay shows, one question at a time. Never rejects. */
  async #fillOverlay(): Promise<void> {
    const { overlay, paused } = this.#ui;
    if (overlay === undefined || overlay.kind === 'help' || this.#isAsking) return;
    const { kind, vm } = overlay;
    if (paused && overlay.text !== undefined) return;
    this.#isAsking = true;
    const text = await this.#ask(kind, vm).catch((error: unknown) => [
      error instanceof Error ? error.message : String(error),
    ]);
    this.#isAsking = false;
    this.#ui = filled(this.#ui, kind, vm, text);
    this.#draw();
    // Another one was opened meanwhile.
    if (this.#ui.overlay?.kind !== 'help' && this.#ui.overlay?.text === undefined) void this.#fillOverlay();
  }

  async #ask(kind: 'inspect' | 'logs', vm: number): Promise<readonly string[]> {
    if (kind === 'inspect') {
      // What this verb returns is an object, on both sides.
      return inspectLines((await this.#watch.ask('inspect', { vm })) as Record<string, unknown>);
    }
    const answer = await this.#watch.ask('logs', { vm, lines: LOG_LINES });
    // As for `inspect`.
    const { lines } = answer as { readonly lines: readonly { readonly atMs: number; readonly text: string }[] };
    return lines.map(logLine);
  }
}

/** History and events go on while the screen stands still. */
function standing(facts: Facts): Facts {
  return { ...facts, history: [...facts.history], events: [...facts.events] };
}
