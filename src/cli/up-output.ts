import { Dashboard, type LeaveReason, logLine, nonBlockingTerminal } from '../console/mod.ts';
import { messageOf } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { asInvoked } from './invoked-as.ts';
import { LineWriter } from './line-writer.ts';
import { printable } from './output.ts';
import { hasColours } from './terminal.ts';

/** `json`: one line when it is ready. `dashboard`: lines until it is ready, and again from when it is left. */
export type UpMode = 'lines' | 'json' | 'dashboard';

export interface DashboardPlace {
  readonly servers: string;
  readonly fleet: string;
  /** A command line that sends a text to the fleet. */
  readonly sendHint: string;
}

const STANDARD_ERROR_FD = 2;
/** How long the last lines may take to be written. */
const LAST_LINES_MS = 1_000;

/** The output of `shoal up`. No failure of it affects the fleet. */
export class UpOutput {
  readonly mode: UpMode;
  readonly #lines = new LineWriter(nonBlockingTerminal(STANDARD_ERROR_FD));
  #dashboard: Dashboard | undefined;
  /** Once aborted, no dashboard takes the terminal. */
  readonly #leaving = new AbortController();

  constructor(mode: UpMode) {
    this.mode = mode;
  }

  readonly progress = (text: string): void => {
    if (this.mode === 'json') return;
    if (this.#dashboardHasStandardError()) this.#dashboard?.note(text);
    else this.say(text);
  };

  /** What whoever works on a service has to know, in every mode. */
  readonly notice = (text: string): void => {
    if (this.#dashboardHasStandardError()) this.#dashboard?.note(text);
    else this.say(text);
  };

  readonly event = ({ atMs, text }: FleetEvent): void => {
    // The dashboard hears events by itself.
    if (this.mode === 'json' || this.#dashboardHasStandardError()) return;
    this.say(logLine({ atMs, text }));
  };

  /** A line on standard error, in every mode. */
  say(text: string): void {
    this.#lines.line(printable(asInvoked(text)));
  }

  /** Takes the terminal. `onLeft` is called when the dashboard has ended by itself; the terminal is for lines again then. */
  async show(
    { servers, fleet, sendHint }: DashboardPlace,
    notes: readonly string[],
    onLeft: (reason: LeaveReason) => void,
  ): Promise<void> {
    try {
      const dashboard = await Dashboard.open({
        find: () => ({ servers, fleet }),
        hints: { send: sendHint, quit: 'end the fleet', canSuspend: false },
        colours: hasColours(),
        signal: this.#leaving.signal,
      });
      this.#dashboard = dashboard;
      for (const note of notes) dashboard.note(note);
      void dashboard.left.then(onLeft);
    } catch (error) {
      if (this.#leaving.signal.aborted) return;
      // The fleet runs all the same.
      this.say(`The dashboard cannot be shown: ${messageOf(error)}`);
    }
  }

  /** The terminal is for lines again, at once. */
  leave(): void {
    this.#leaving.abort();
    this.#dashboard?.restore();
  }

  async close(): Promise<void> {
    this.leave();
    await this.#dashboard?.close();
  }

  /** Resolves when the last line has been written, or cannot be. */
  written(): Promise<void> {
    return this.#lines.end(LAST_LINES_MS);
  }

  /** Whether the dashboard covers standard error. Redirected elsewhere (`2>file`), it gets all lines. */
  #dashboardHasStandardError(): boolean {
    return this.#dashboard !== undefined && !this.#leaving.signal.aborted && process.stderr.isTTY;
  }
}
