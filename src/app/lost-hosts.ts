import { type Clock, systemClock } from '../actors/mod.ts';
import { HAS_LEFT, type HostEvent } from '../remote/mod.ts';

/** How long a host that was lost is named in answers about the whole fleet. */
const NAMED_MS = 600_000;
/** The group takes no notice of more hosts than that. */
const HOSTS_MAX = 1_024;

/** The hosts that were lost a while ago and are not back. One that left in good order is none of them. */
export class LostHosts {
  readonly #clock: Clock;
  readonly #sinceMs = new Map<string, number>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  see(event: HostEvent): void {
    if (event.kind === 'host-up') this.#sinceMs.delete(event.host);
    if (event.kind !== 'host-lost') return;
    this.#sinceMs.delete(event.host);
    if (event.error.details['why'] === HAS_LEFT) return;
    this.#sinceMs.set(event.host, this.#clock.monotonic());
    const [oldest] = this.#sinceMs.keys();
    if (oldest !== undefined && this.#sinceMs.size > HOSTS_MAX) this.#sinceMs.delete(oldest);
  }

  get names(): readonly string[] {
    const nowMs = this.#clock.monotonic();
    for (const [host, sinceMs] of this.#sinceMs) if (nowMs - sinceMs >= NAMED_MS) this.#sinceMs.delete(host);
    return [...this.#sinceMs.keys()];
  }
}
