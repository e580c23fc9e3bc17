import type { Clock } from '../../actors/mod.ts';
import type { GuestReport } from '../../fleet/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import { ConsoleParser } from '../console/console-parser.ts';
import { formatOf } from '../console/formats/format-of.ts';
import type { GuestFacts } from '../console/formats/line-format.ts';
import type { ConsoleProfile } from '../profile/profile.ts';
import { lacksMemory } from '../vm/vm-end.ts';

type EventKind = 'ready' | 'status' | 'bye';
type EventOf<K extends EventKind> = Extract<ConsoleEvent, { kind: K }>;

export interface HeardReport {
  readonly report: GuestReport;
  /** Monotonic. */
  readonly atMs: number;
}

const LOG_LINES_KEPT = 3;
const REPORTS_KEPT = 1_000;

/** What the guest of a check has said on its console. */
export class Heard {
  readonly reports: HeardReport[] = [];
  /** The end of its log. */
  readonly log: string[] = [];
  ready: EventOf<'ready'> | undefined;
  readyMs = 0;
  bye: string | undefined;
  refused = 0;
  /** What it did wrong by itself: later ones may follow from a flood, of which parts are lost. */
  firstRefusal: Extract<ConsoleEvent, { kind: 'refused' }> | undefined;
  lastRefusal: Extract<ConsoleEvent, { kind: 'refused' }> | undefined;
  shed = 0;
  /** The process is gone. */
  isOver = false;
  readonly #parser: ConsoleParser;
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];

  constructor(console: ConsoleProfile, facts: GuestFacts, clock: Clock) {
    this.#parser = new ConsoleParser(formatOf(console, facts));
    this.#clock = clock;
  }

  push(bytes: Uint8Array): void {
    for (const event of this.#parser.push(bytes, this.#clock.monotonic())) this.#take(event);
    this.changed();
  }

  /** Has those look again who wait. */
  changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }

  /** Waits until it is so, the guest's process is gone, or the time is up. @returns whether it is so */
  until(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      let isLate = false;
      const look = (): void => {
        if (!isSo() && !this.isOver && !isLate) {
          this.#waiting.push(look);
          return;
        }
        cancel();
        resolve(isSo());
      };
      const cancel = this.#clock.timer(timeoutMs, () => {
        isLate = true;
        this.changed();
      });
      look();
    });
  }

  /** How many lines were refused, and why the first was; undefined if none was. */
  get refusals(): string | undefined {
    const first = this.firstRefusal;
    if (first === undefined) return undefined;
    return this.refused === 1
      ? `a line was refused: ${refusalText(first)}`
      : `${this.refused} lines were refused, the first of them: ${refusalText(first)}`;
  }

  /** Its last words, for an error. */
  get lastWords(): string {
    const [refusal, line] = [this.lastRefusal, this.log.at(-1)];
    if (refusal !== undefined) return `a line of its console was refused: ${refusalText(refusal)}`;
    if (this.bye !== undefined && this.bye !== 'stop') {
      const remedy = lacksMemory(this.bye) ? '; raise `memoryMib` of its profile' : '';
      // The line before has what is wrong with a service.
      const why = this.bye.startsWith('bad-service') && line !== undefined ? `, after ${short(line)}` : '';
      return `it said bye: ${short(this.bye)}${why}${remedy}`;
    }
    return line === undefined ? 'its console said nothing' : `its console said last: ${short(line)}`;
  }

  #take(event: ConsoleEvent): void {
    switch (event.kind) {
      case 'ready':
        this.ready ??= event;
        this.readyMs ||= this.#clock.monotonic();
        return;
      case 'status':
        if (this.reports.length < REPORTS_KEPT)
          this.reports.push({ report: event.report, atMs: this.#clock.monotonic() });
        return;
      case 'bye':
        this.bye ??= event.reason;
        return;
      case 'refused':
        this.refused += 1;
        this.firstRefusal ??= event;
        this.lastRefusal = event;
        return;
      case 'shed':
        this.shed += event.lines;
        return;
      case 'log':
        this.log.push(event.text);
        if (this.log.length > LOG_LINES_KEPT) this.log.shift();
        return;
      case 'relay':
        return;
    }
  }
}

function refusalText({ why, text }: { readonly why: string; readonly text: string }): string {
  return `${why}: ${short(text)}`;
}

const SHOWN_CHARS_MAX = 120;

export function short(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}...` : text);
}
