import type { CancelTimer, Clock } from '../../actors/mod.ts';
import type { GuestReport } from '../../fleet/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import type { GuestFacts } from '../console/formats/line-format.ts';
import type { GuestConnection } from '../port.ts';
import { type HttpProbe, probesOf } from '../profile/probes.ts';
import type { ImageProfile } from '../profile/profile.ts';
import { type Probe, probeOf } from './probe.ts';

export interface ProberOptions {
  readonly profile: ImageProfile;
  readonly connect: () => GuestConnection;
  readonly clock: Clock;
  readonly statusIntervalMs: number;
  readonly guest: GuestFacts;
  /** Whether the guest was ready before: then only its life is in question. */
  readonly isReady: boolean;
  /** Told what the guest would say itself. */
  readonly tell: (event: Extract<ConsoleEvent, { kind: 'ready' | 'status' }>) => void;
}

/**
 * Judges a guest that says nothing on its console by its answers: ready once its readiness probe is answered, and
 * alive for as long as its liveness probe is. While it is alive there is a report at every interval, with the figures
 * that its host sees; once it has failed as often in a row as its profile allows there is none, and the silence counts
 * as that of any guest (R6).
 */
export class GuestProber {
  readonly #options: ProberOptions;
  readonly #readiness: HttpProbe;
  readonly #liveness: HttpProbe;
  #probe: Probe | undefined;
  #cancelProbe: CancelTimer | undefined;
  #cancelReport: CancelTimer | undefined;
  #failures = 0;
  #isReady = false;
  #ended = false;

  constructor(options: ProberOptions) {
    this.#options = options;
    const { readiness, liveness } = probesOf(options.profile);
    this.#readiness = readiness;
    this.#liveness = liveness;
    if (options.isReady) this.#begin();
    else this.#run(readiness);
  }

  /** Whether it has failed as often in a row as its profile allows. */
  get hasFailed(): boolean {
    return this.#failures >= this.#liveness.failures;
  }

  end(): void {
    this.#ended = true;
    this.#cancelProbe?.();
    this.#cancelReport?.();
    this.#probe?.close();
  }

  #run(probe: HttpProbe): void {
    const { profile, connect, clock } = this.#options;
    this.#probe ??= probeOf(profile, connect, clock);
    void this.#probe.run(probe).then((isAnswered) => this.#probed(isAnswered));
  }

  #probed(isAnswered: boolean): void {
    if (this.#ended) return;
    if (!this.#isReady && isAnswered) {
      const { bind, addr, textBytesMax, idempotent = false } = this.#options.guest;
      this.#failures = 0;
      this.#options.tell({ kind: 'ready', bind, addr, guest: { textBytesMax, idempotent, operations: [] } });
      this.#begin();
      return;
    }
    this.#failures = isAnswered ? 0 : this.#failures + 1;
    const next = this.#isReady ? this.#liveness : this.#readiness;
    this.#cancelProbe = this.#options.clock.timer(next.intervalMs, () => this.#run(next));
  }

  #begin(): void {
    this.#isReady = true;
    this.#cancelProbe = this.#options.clock.timer(this.#liveness.intervalMs, () => this.#run(this.#liveness));
    this.#report();
  }

  #report(): void {
    const { clock, statusIntervalMs, guest, tell } = this.#options;
    if (!this.hasFailed) {
      // Requests are the router's to count.
      const report: GuestReport = { ...guest.measured(), inFlight: 0, served: 0 };
      tell({ kind: 'status', report });
    }
    this.#cancelReport = clock.timer(statusIntervalMs, () => this.#report());
  }
}
