import type { FleetEvent } from '../fleet/mod.ts';

/** More than a fleet remembers, so that no repeated event is unknown. */
const KNOWN_MAX = 2_000;

/** Passes each event on once. An event may arrive both live and among those that the fleet remembers. */
export class ToldEvents {
  readonly #tell: (event: FleetEvent) => void;
  readonly #known = new Set<string>();
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(tell: (event: FleetEvent) => void) {
    this.#tell = tell;
  }

  /** Takes the latest events of the fleet. Those older than the newest one passed on are known, or were not wanted. */
  remembered(latest: readonly FleetEvent[]): void {
    const sinceMs = this.#newestMs;
    for (const event of latest) if (event.atMs >= sinceMs) this.live(event);
  }

  live(event: FleetEvent): void {
    const text = JSON.stringify(event);
    if (this.#known.has(text)) return;
    this.#known.add(text);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.values().next().value ?? '');
    this.#newestMs = Math.max(this.#newestMs, event.atMs);
    this.#tell(event);
  }
}
