import { Dashboard, logLine } from '../console/mod.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { printable, say } from './output.ts';
import { hasColours } from './terminal.ts';

/** `json`: one line when it is ready. `dashboard`: lines until it is ready, and again from when it is left. */
export type UpMode = 'lines' | 'json' | 'dashboard';

export interface DashboardPlace {
  readonly servers: string;
  readonly fleet: string;
  /** A command line that sends a text to the fleet. */
  readonly sendHint: string;
}

/** What `shoal up` tells, and where. */
export class UpOutput {
  readonly mode: UpMode;
  #dashboard: Dashboard | undefined;
  /** Aborted: from then on nothing takes the terminal any more. */
  readonly #ending = new AbortController();

  constructor(mode: UpMode) {
    this.mode = mode;
  }

  readonly progress = (text: string): void => {
    if (this.mode === 'json') return;
    if (this.#holdsStandardError()) this.#dashboard?.note(text);
    else say(text);
  };

  readonly event = ({ atMs, text }: FleetEvent): void => {
    // The dashboard hears them by itself.
    if (this.mode === 'json' || this.#holdsStandardError()) return;
    say(printable(logLine({ atMs, text })));
  };

  /** Takes the terminal. `onLeft` is called when the user has left the dashboard; the terminal is for lines again then. */
  async show(
    { servers, fleet, sendHint }: DashboardPlace,
    notes: readonly string[],
    onLeft: () => void,
  ): Promise<void> {
    try {
      const dashboard = await Dashboard.open({
        find: () => ({ servers, fleet }),
        hints: { send: sendHint, quit: 'end the fleet' },
        colours: hasColours(),
        signal: this.#ending.signal,
      });
      this.#dashboard = dashboard;
      for (const note of notes) dashboard.note(note);
      void dashboard.left.then(onLeft);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      // The fleet runs all the same.
      say(`The dashboard cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** The terminal is for lines again, at once. */
  leave(): void {
    this.#ending.abort();
    this.#dashboard?.restore();
  }

  async close(): Promise<void> {
    this.leave();
    await this.#dashboard?.close();
  }

  /** Standard error that goes elsewhere (`2>file`) gets its lines at all times. */
  #holdsStandardError(): boolean {
    return this.#dashboard !== undefined && !this.#ending.signal.aborted && process.stderr.isTTY;
  }
}
