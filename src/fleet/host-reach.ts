import type { Clock } from '../actors/mod.ts';
import type { EventReporter } from './event-reporter.ts';
import type { Fleet } from './fleet.ts';
import type { HostEvent } from './host-messages.ts';

/** Which hosts are in reach (R6), and what they tell of themselves. */
export class HostReach {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #desk: EventReporter;

  constructor(fleet: Fleet, clock: Clock, desk: EventReporter) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#desk = desk;
  }

  /**
   * Whatever it says, a host that is heard is in reach. But one that never was stays so until it says that all it adopted is told: R1 must not
   * start what is there already.
   */
  heard(event: HostEvent): void {
    const { kind, host } = event;
    if (kind !== 'host-up' && this.#fleet.host(host) === undefined) return;
    if (!this.#fleet.apply({ kind: 'host-up', host, nowMs: this.#clock.monotonic() })) return;
    this.#desk.ofHost('host-up', host, `host ${host} is in reach`);
  }

  lost(host: string, why: string): void {
    if (!this.#fleet.apply({ kind: 'host-down', host, nowMs: this.#clock.monotonic() })) return;
    const vms = [...this.#fleet.vms].filter((vm) => vm.host === host).length;
    const text = `host ${host} is out of reach (${why}): what its ${vms} VMs do is unknown`;
    this.#desk.ofHost('host-down', host, text, { rule: 'R6', figures: { vms } });
  }

  measured({ host, availableBytes, vmBytes }: Extract<HostEvent, { kind: 'host-stats' }>): void {
    const memory = { availableBytes, vmBytes };
    this.#fleet.apply({ kind: 'host-memory', host, memory, nowMs: this.#clock.monotonic() });
  }
}
