import type { FleetEvent, RequestRecord } from '../fleet/mod.ts';
import { holdImports } from '../refs/mod.ts';
import { subjectsOf } from '../transport/mod.ts';
import { Absences } from './absences.ts';
import { Answers } from './answers.ts';
import { Checks } from './checks.ts';
import { Clients, INBOXES, placeOfClient } from './clients.ts';
import { FaultInjector } from './fault-injector.ts';
import type { History } from './history.ts';
import { SimulatedNats } from './nats-server.ts';
import { Chance } from './random.ts';
import { Recorder, type Report } from './report.ts';
import type { Scenario } from './scenario.ts';
import { loadFrom } from './scenario-load.ts';
import { SimulatedHost, type Surroundings } from './simulated-host.ts';
import { VirtualTime } from './virtual-time.ts';

/**
 * Told of what the fleet decides, as production keeps it for `shoal events` and `shoal explain`. Times are simulated. `at` is the host that
 * says so, if there is more than one.
 */
export interface DecisionListener {
  onEvent(event: FleetEvent, at: string | undefined): void;
  /** Of the requests that the router records. */
  onStep(step: RequestRecord, at: string | undefined): void;
}

export interface WorldOptions {
  readonly scenario: Scenario;
  readonly history: History;
  readonly decisions?: DecisionListener | undefined;
}

const FLEET = 'default';
const PROCESS_SUBJECT = subjectsOf(FLEET).process;
const SAMPLE_MS = 1_000;
const START_MS_MAX = 60_000;

/** One simulated world: hosts, each with its machines and a Shoal of production, a NATS server, clients, load and faults. */
export class World implements Surroundings {
  readonly time = new VirtualTime();
  readonly fleet = FLEET;
  readonly scenario: Scenario;
  readonly hosts: readonly SimulatedHost[];
  readonly nats: SimulatedNats;
  readonly checks: Checks;
  readonly absences = new Absences();
  readonly history: History;
  readonly recorder: Recorder;
  readonly chance: Chance;
  readonly #decisions: DecisionListener | undefined;
  readonly #clients: Clients;
  #isOver = false;

  constructor({ scenario, history, decisions }: WorldOptions) {
    holdImports();
    const { time } = this;
    const chance = new Chance(scenario.seed);
    this.scenario = scenario;
    this.history = history;
    this.chance = chance;
    this.#decisions = decisions;
    this.recorder = new Recorder(scenario.seed);
    this.checks = new Checks(this);
    this.nats = new SimulatedNats({ time, chance: chance.stream('nats'), latency: scenario.natsLatency });
    this.nats.faults = scenario.network;
    this.hosts = Array.from({ length: scenario.hosts }, (_, index) => new SimulatedHost(this, index));
    this.#clients = new Clients(this);
    const byPlace = new Map(this.hosts.map((host) => [host.name, host]));
    const answers = new Answers({
      scenario,
      absences: this.absences,
      violated: (what) => this.checks.violated(what),
      count: (what) => this.recorder.count(what),
    });
    this.nats.onPublish = ({ subject }, { place }) => {
      if (subject.startsWith(INBOXES)) answers.answers(place, subject, time.nowMs);
    };
    this.nats.onDelivery = ({ subject, data, reply }, { place }) => {
      if (subject !== PROCESS_SUBJECT) return;
      if (reply !== undefined) answers.comes(reply, place);
      this.checks.comes(place, data);
      const host = byPlace.get(place);
      if (host !== undefined) host.takenIn += 1;
    };
  }

  /** Requests that have not ended. */
  get open(): number {
    return this.#clients.open;
  }

  get ledger(): { readonly sent: number; readonly ended: number } {
    return this.recorder.ledger;
  }

  /** The names of the machines that the network connects. */
  get places(): readonly string[] {
    const clients = Array.from({ length: this.scenario.clients }, (_, index) => placeOfClient(index));
    return [...this.hosts.map(({ name }) => name), ...clients];
  }

  /**
   * Load and faults for the scenario's duration, then peace until all that the rules promise has come true.
   * @throws an `InvariantViolation`, or what the code under simulation threw
   */
  async run(): Promise<Report> {
    const { scenario, time } = this;
    for (const host of this.hosts) host.start();
    this.#clients.connect();
    // The load begins when the service does.
    await time.run(START_MS_MAX, () => this.hosts.every(({ isShoalUp }) => isShoalUp));
    const faults = new FaultInjector(this, this.chance.stream('faults'));
    const load = loadFrom(time.nowMs, scenario, this.chance.stream('load'));
    time.after(0, () => this.#clients.send(load));
    time.after(SAMPLE_MS, () => this.#sample());
    faults.start();
    await time.run(time.nowMs + scenario.durationMs);
    this.#isOver = true;
    faults.heal();
    await this.checks.liveness();
    this.history.add({ atMs: time.nowMs, host: '', what: 'end' });
    return this.recorder.report(this);
  }

  record(host: string, what: string, vm?: number, text?: string): void {
    this.history.add({
      atMs: this.time.nowMs,
      host,
      what,
      ...(vm === undefined ? {} : { vm }),
      ...(text === undefined ? {} : { text }),
    });
    this.recorder.count(what);
    if (what === 'qemu-started') this.recorder.qemus(1);
    if (what === 'qemu-ended') this.recorder.qemus(-1);
  }

  onEvent(host: string, event: FleetEvent): void {
    this.#decisions?.onEvent({ ...event, atMs: this.time.nowMs }, this.#told(host));
  }

  onStep(host: string, step: RequestRecord): void {
    this.#decisions?.onStep({ ...step, atMs: this.time.nowMs }, this.#told(host));
  }

  /** With one host there is nothing to tell apart. */
  #told(host: string): string | undefined {
    return this.scenario.hosts === 1 ? undefined : host;
  }

  #sample(): void {
    this.recorder.sample(this);
    if (!this.#isOver) this.time.after(SAMPLE_MS, () => this.#sample());
  }
}
