import type { FleetEvent } from '../fleet/mod.ts';
import type { Tone } from './line.ts';

/** A line of the events pane. */
export interface EventLine {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly text: string;
  readonly tone: Tone;
}

const KEPT_MAX = 500;

/** What happened, oldest first: events of the fleet, also of the one before a server was started anew, and notes of our own. */
export class EventLines {
  readonly #kept: EventLine[] = [];
  readonly #seen = new Set<string>();

  get latest(): readonly EventLine[] {
    return this.#kept;
  }

  /** Events that are known already are left out: a new connection asks for the latest, and hears them as well. */
  add(events: readonly FleetEvent[]): void {
    for (const { atMs, kind, text, error } of events) {
      const isBad = error !== undefined || kind === 'link-lost' || kind === 'host-down' || kind === 'write-failed';
      this.#keep({ atMs, text, tone: isBad ? 'bad' : (TONES[kind] ?? 'plain') });
    }
  }

  note(atMs: number, text: string): void {
    this.#keep({ atMs, text, tone: 'accent' });
  }

  #keep(line: EventLine): void {
    const key = keyOf(line);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const at = this.#kept.findLastIndex((kept) => kept.atMs <= line.atMs) + 1;
    this.#kept.splice(at, 0, line);
    if (this.#kept.length <= KEPT_MAX) return;
    const oldest = this.#kept.shift();
    if (oldest !== undefined) this.#seen.delete(keyOf(oldest));
  }
}

/** A newer server may tell of what is not here. */
const TONES: Readonly<Partial<Record<FleetEvent['kind'], Tone>>> = {
  'vm-start': 'coming',
  'vm-prepared': 'quiet',
  'vm-booting': 'quiet',
  'vm-ready': 'good',
  'vm-adopted': 'good',
  'vm-drain': 'leaving',
  'vm-stop': 'leaving',
  'vm-gone': 'leaving',
  'link-lost': 'bad',
  'host-up': 'good',
  'host-down': 'bad',
  'address-free': 'quiet',
  'write-failed': 'bad',
  unidentified: 'bad',
};

function keyOf({ atMs, text }: EventLine): string {
  return `${atMs} ${text}`;
}
