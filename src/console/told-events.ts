import type { FleetEvent } from '../fleet/mod.ts';

/** More than a fleet remembers: whatever it tells again is known. */
const KNOWN_MAX = 2_000;

/** Tells each event once. One that was heard may also be among those that the fleet remembers, and the other way round. */
export class ToldEvents {
  readonly #tell: (event: FleetEvent) => void;
  readonly #known = new Set<string>();
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(tell: (event: FleetEvent) => void) {
    this.#tell = tell;
  }

  /** The latest that the fleet remembers. Those older than the newest that was told were told, or not asked for. */
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
