import type { NatsConnection } from 'nats';
import { type Clock, systemClock } from '../actors/mod.ts';
import { type ErrorEnvelope, toWire } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { publishWhileOpen, subjectsOf } from '../transport/mod.ts';
import { Explanations } from './explanations.ts';

const KEPT_MAX = 1_000;

/** Keeps the latest events for `shoal events`, and passes each on as it comes. */
export class EventLog {
  readonly explanations = new Explanations();
  readonly #clock: Clock;
  readonly #host: string | undefined;
  readonly #kept: FleetEvent[] = [];
  readonly #listeners: ((event: FleetEvent) => void)[] = [];

  /** @param host on which all this happens */
  constructor(clock: Clock = systemClock, host?: string) {
    this.#clock = clock;
    this.#host = host;
  }

  /** Milliseconds since the epoch, for an event that happens now. */
  get nowMs(): number {
    return this.#clock.now();
  }

  add(told: FleetEvent): void {
    const host = told.host ?? this.#host;
    const placed = host === undefined ? told : { ...told, host };
    const event = placed.error === undefined ? placed : { ...placed, error: toWire(placed.error) };
    // A long wait is told again and again; of each stretch the latest word is enough.
    if (isMoreOf(this.#kept.at(-1), event)) this.#kept.pop();
    this.#kept.push(event);
    this.explanations.see(event);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** Something that an operator should look at. */
  warn(text: string, error?: ErrorEnvelope): void {
    this.add({ atMs: this.nowMs, kind: 'warning', text, ...(error === undefined ? {} : { error }) });
  }

  listen(listener: (event: FleetEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Oldest first. */
  latest(count: number, vm?: number): readonly FleetEvent[] {
    const wanted = vm === undefined ? this.#kept : this.#kept.filter((event) => event.vm === vm);
    return wanted.slice(-count);
  }

  publishOn(nc: NatsConnection, fleet: string): void {
    const subject = subjectsOf(fleet).events;
    this.listen((event) => publishWhileOpen(nc, subject, JSON.stringify(event)));
  }
}

function isMoreOf(last: FleetEvent | undefined, { kind, host, reason }: FleetEvent): boolean {
  return kind === 'waiting' && last?.kind === kind && last.host === host && last.reason === reason;
}
