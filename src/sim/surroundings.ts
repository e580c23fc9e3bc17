import type { FleetEvent, RequestRecord } from '../fleet/mod.ts';
import type { Absences } from './absences.ts';
import type { Checks } from './checks.ts';
import type { SimulatedNats } from './nats-server.ts';
import type { Chance } from './random.ts';
import type { Recorder } from './report.ts';
import type { Scenario } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A host, as others see it. */
interface Worker {
  /** Whether its VMs have a request that came to such a host. */
  hasWorkOf(isSuch: (place: string | undefined) => boolean): boolean;
}

/** What a host stands in: the world, as far as it concerns one host. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly scenario: Scenario;
  readonly nats: SimulatedNats;
  readonly fleet: string;
  readonly chance: Chance;
  readonly recorder: Recorder;
  readonly checks: Checks;
  readonly absences: Absences;
  readonly hosts: readonly Worker[];
  /** Requests that have not ended. */
  readonly open: number;
  record(host: string, what: string, vm?: number, text?: string): void;
  onEvent(host: string, event: FleetEvent): void;
  onStep(host: string, step: RequestRecord): void;
}
