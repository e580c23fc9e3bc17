import { systemClock } from '../actors/mod.ts';
import { messageOf } from '../errors.ts';
import type { Facts, Hints } from './facts.ts';
import type { Place } from './fleet-follower.ts';
import { FleetWatch } from './fleet-watch.ts';
import { isInForeground } from './foreground.ts';
import { inspectLines, logLine } from './inspect-lines.ts';
import { logIn, rowIn } from './replies.ts';
import type { Screen } from './screen.ts';
import { filled, press, UI_AT_START, type Ui, type VmKey } from './ui.ts';
import { seenOf, viewOf } from './view-of.ts';

export interface DashboardOptions {
  /** Says where the fleet is; throws while it is nowhere. */
  readonly find: () => Place;
  /** Shows this host alone; default: all hosts. */
  readonly host?: string | undefined;
  readonly hints: Hints;
  /** False where NO_COLOR is set. */
  readonly colours: boolean;
  /** If aborted before the terminal is taken, `open` rejects with the reason and leaves the terminal alone. */
  readonly signal?: AbortSignal;
}

/** Why a dashboard ended by itself: its user pressed `q`, or its terminal has gone. */
export type LeaveReason = 'quit' | 'gone';

/** Changes within this time share a drawing: a burst of events must not keep the machine busy. */
const DRAW_EVERY_MS = 100;
const LOG_LINES = 500;
/** No event tells a process that it has come to the foreground. */
const FOREGROUND_LOOK_MS = 500;

/** A fleet on the terminal, until somebody presses `q`. */
export class Dashboard {
  /** Resolves when the dashboard has ended by itself; the terminal has been given back by then. */
  readonly left: Promise<LeaveReason>;
  readonly #leave: (reason: LeaveReason) => void;
  readonly #options: DashboardOptions;
  readonly #watch: FleetWatch;
  readonly #newScreen: () => Screen;
  #screen: Screen;
  #ui: Ui = UI_AT_START;
  /** What is shown while it is paused. */
  #frozen: Facts | undefined;
  #isRestored = false;
  #isDrawAsked = false;
  #isAsking = false;
  /** True until this process is in the foreground again. */
  #isWaiting = false;

  private constructor(options: DashboardOptions, watch: FleetWatch, TheScreen: typeof Screen) {
    const { promise, resolve } = Promise.withResolvers<LeaveReason>();
    this.left = promise;
    this.#leave = resolve;
    this.#options = options;
    this.#watch = watch;
    this.#newScreen = () =>
      new TheScreen({
        colours: options.colours,
        onKey: (key) => this.#press(key),
        onResize: () => this.#draw(),
        onGone: () => this.#end('gone'),
      });
    this.#screen = this.#newScreen();
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#retake);
  }

  /** Takes the terminal once the fleet has answered. @throws FLEET_NOT_RUNNING, NATS_UNREACHABLE */
  static async open(options: DashboardOptions): Promise<Dashboard> {
    let dashboard: Dashboard | undefined;
    const onChange = (): void => {
      if (dashboard !== undefined) dashboard.#changed();
    };
    const watch = await FleetWatch.open({ find: options.find, host: options.host, clock: systemClock, onChange });
    try {
      // Loaded late, so that other commands do not pay for blessed.
      const { Screen } = await import('./screen.ts');
      options.signal?.throwIfAborted();
      dashboard = new Dashboard(options, watch, Screen);
      dashboard.#draw();
    } catch (error) {
      dashboard?.restore();
      await watch.close();
      throw error;
    }
    void watch.follow();
    return dashboard;
  }

  /** A line of our own among the events. */
  note(text: string): void {
    this.#watch.note(text);
  }

  /** Gives the terminal back, at once. Twice is once. */
  restore(): void {
    this.#isRestored = true;
    process.off('SIGTSTP', this.#suspend);
    process.off('SIGCONT', this.#retake);
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
      this.#end('quit');
      return;
    }
    if (next === 'suspend') {
      if (this.#options.hints.canSuspend) this.#suspend();
      return;
    }
    this.#ui = next;
    if (!next.paused) this.#frozen = undefined;
    else this.#frozen ??= standing(this.#watch.facts);
    void this.#fillOverlay();
    this.#draw();
  }

  #end(reason: LeaveReason): void {
    this.restore();
    this.#leave(reason);
  }

  /** Stops this process, with the terminal as the shell needs it. */
  readonly #suspend = (): void => {
    this.#screen.restore();
    process.off('SIGTSTP', this.#suspend);
    // The terminal is retaken below. To do it once more when the signal is heard would lose what is typed in between.
    process.off('SIGCONT', this.#retake);
    // The kernel stops the process here, unless it has no shell that could continue it.
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#retake);
    this.#retake();
  };

  /** Takes the terminal anew. SIGSTOP cannot be caught, and the shell has used the terminal since. */
  readonly #retake = (): void => {
    if (this.#isRestored || this.#isWaiting) return;
    if (isInForeground()) {
      this.#screen.restore();
      this.#screen = this.#newScreen();
      this.#draw();
      return;
    }
    this.#screen.pauseKeys();
    this.#isWaiting = true;
    systemClock.timer(FOREGROUND_LOOK_MS, () => {
      this.#isWaiting = false;
      this.#retake();
    });
  };

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
    if (this.#isRestored || this.#isWaiting || !isInForeground()) return;
    this.#screen.draw(viewOf(this.#facts, this.#ui, this.#screen.size, this.#options.hints));
  }

  get #facts(): Facts {
    return this.#frozen ?? this.#watch.facts;
  }

  /** Fetches the content of the open overlay, one call at a time. Never rejects. */
  async #fillOverlay(): Promise<void> {
    const { overlay, paused } = this.#ui;
    if (overlay === undefined || overlay.kind === 'help' || this.#isAsking) return;
    const { kind, vm } = overlay;
    if (paused && overlay.text !== undefined) return;
    this.#isAsking = true;
    const text = await this.#ask(kind, vm).catch((error: unknown) => [messageOf(error)]);
    this.#isAsking = false;
    this.#ui = filled(this.#ui, kind, vm, text);
    this.#draw();
    // Another one was opened meanwhile.
    if (this.#ui.overlay?.kind !== 'help' && this.#ui.overlay?.text === undefined) void this.#fillOverlay();
  }

  async #ask(kind: 'inspect' | 'logs', key: VmKey): Promise<readonly string[]> {
    const [number = '', host] = key.split('/').reverse();
    const vm = Number(number);
    if (kind === 'inspect') {
      const reply = await this.#watch.ask('inspect', { vm }, host);
      return inspectLines(rowIn<Record<string, unknown>>('inspect', reply, {}));
    }
    return logIn(await this.#watch.ask('logs', { vm, lines: LOG_LINES }, host)).map(logLine);
  }
}

/** History and events go on while the screen stands still. */
function standing(facts: Facts): Facts {
  return { ...facts, history: [...facts.history], events: [...facts.events] };
}
