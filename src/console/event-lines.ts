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

/** What happened, oldest first: events of the fleet, also those before its server was started anew, and notes of our own. */
export class EventLines {
  readonly #kept: EventLine[] = [];
  /** The line of the wait that was told of last, and its reason. */
  #wait: { readonly line: EventLine; readonly reason: string } | undefined;

  get latest(): readonly EventLine[] {
    return this.#kept;
  }

  add({ atMs, kind, text, reason, error }: FleetEvent): void {
    const line: EventLine = { atMs, text, tone: error === undefined ? (TONES[kind] ?? 'plain') : 'bad' };
    // A long wait is told about once a second: of each stretch with one reason the latest line is enough.
    if (kind === 'waiting' && this.#wait?.reason === reason && this.#kept.at(-1) === this.#wait?.line) this.#kept.pop();
    this.#keep(line);
    this.#wait = kind === 'waiting' && reason !== undefined ? { line, reason } : undefined;
  }

  note(atMs: number, text: string): void {
    this.#keep({ atMs, text, tone: 'accent' });
  }

  #keep(line: EventLine): void {
    const at = this.#kept.findLastIndex((kept) => kept.atMs <= line.atMs) + 1;
    this.#kept.splice(at, 0, line);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }
}

/** A newer server may tell of kinds that are not here. */
const TONES: Readonly<Partial<Record<FleetEvent['kind'], Tone>>> = {
  'vm-start': 'coming',
  'vm-prepared': 'quiet',
  'vm-booting': 'quiet',
  'vm-ready': 'good',
  'vm-adopted': 'good',
  'vm-drain': 'leaving',
  'vm-stop': 'leaving',
  'vm-relay': 'quiet',
  'vm-gone': 'leaving',
  'link-lost': 'bad',
  'host-up': 'good',
  'host-down': 'bad',
  'neighbour-up': 'good',
  'neighbour-lost': 'bad',
  'address-free': 'quiet',
  'write-failed': 'bad',
  unidentified: 'bad',
  blocked: 'bad',
  waiting: 'accent',
};
