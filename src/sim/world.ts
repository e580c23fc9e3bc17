import type { Ref } from '../actors/mod.ts';
import { type Client, clientOn, ShoalError } from '../client/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import { type CommandReply, type FleetEvent, type FleetSnapshot, parsePool, type RequestRecord } from '../fleet/mod.ts';
import { EMPTY_DOCUMENT } from '../store/mod.ts';
import { subjectsOf } from '../transport/mod.ts';
import { Checks } from './checks.ts';
import { SimulatedDisk } from './disk.ts';
import { FaultInjector, type SimulatedCommand } from './fault-injector.ts';
import { DEADLY } from './guest.ts';
import type { History } from './history.ts';
import type { Arrival, Load } from './load.ts';
import { MachineRoom, VM_BYTES } from './machine-room.ts';
import { connectionOf, SimulatedConnection } from './nats-connection.ts';
import { SimulatedNats } from './nats-server.ts';
import { SimulatedProcess } from './process.ts';
import { Chance } from './random.ts';
import { Recorder, type Report } from './report.ts';
import { numberIn, requestText } from './request-text.ts';
import type { Scenario } from './scenario.ts';
import { loadFrom } from './scenario-load.ts';
import { ShoalLife } from './shoal.ts';
import { VirtualTime } from './virtual-time.ts';
import { SHARDS, VM_ACTOR_DEFECT } from './vm-home.ts';

/** Told of what the fleet decides, as production keeps it for `shoal events` and `shoal explain`. Times are simulated. */
export interface DecisionListener {
  onEvent(event: FleetEvent): void;
  /** Of the requests that the router records. */
  onStep(step: RequestRecord): void;
}

export interface WorldOptions {
  readonly scenario: Scenario;
  readonly history: History;
  readonly decisions?: DecisionListener | undefined;
}

const HOST = 'host-1';
const FLEET = 'default';
const PROCESS_SUBJECT = subjectsOf(FLEET).process;
/** How long a request may end after its deadline: the steps of the client's timing wheel. */
const DEADLINE_GRACE_MS = 1_000;
const SAMPLE_MS = 1_000;
const START_MS_MAX = 60_000;
const CORE_CRASHES_MAX = 3;
const DEFECT = 'a defect of an actor (simulated)';
const ASK_MS = 60_000;
/** A Shoal that was killed is started again after this, as by a service manager. */
const RESTART_MS = { kind: 'uniform', fromMs: 50, toMs: 3_000 } as const;

/** One simulated world: hosts, their machines, a NATS server, clients, load and faults, and one Shoal of production on it. */
export class World {
  readonly time = new VirtualTime();
  readonly scenario: Scenario;
  readonly room: MachineRoom;
  readonly nats: SimulatedNats;
  readonly disk: SimulatedDisk;
  readonly checks: Checks;
  readonly history: History;
  readonly recorder: Recorder;
  /** Changed by faults for a while. */
  conditions: Pick<Scenario, 'host' | 'disk'>;
  life: ShoalLife | undefined;
  process: SimulatedProcess;
  readonly #chance: Chance;
  readonly #decisions: DecisionListener | undefined;
  readonly #clients: Client[] = [];
  #requests = 0;
  #open = 0;
  #wallOffsetMs = 0;
  #isOver = false;
  #coreCrashesMs: number[] = [];

  constructor({ scenario, history, decisions }: WorldOptions) {
    const { time } = this;
    const chance = new Chance(scenario.seed);
    this.scenario = scenario;
    this.history = history;
    this.#chance = chance;
    this.#decisions = decisions;
    this.conditions = { host: scenario.host, disk: scenario.disk };
    this.recorder = new Recorder(scenario.seed);
    this.checks = new Checks(this);
    const violation = (what: string): void => this.checks.violated(what);
    this.room = new MachineRoom({
      time,
      chance: chance.stream('machines'),
      memoryBytes: scenario.memoryBytes,
      behaviour: scenario.guest,
      ...(scenario.msPerUnit === undefined ? {} : { msPerUnit: scenario.msPerUnit }),
      violation,
      note: (what) => this.recorder.count(what),
      onWork: (vm, payload) => {
        this.checks.works(vm, payload);
        this.recorder.began(numberIn(payload), time.nowMs);
      },
      onSpawn: (vm) => this.checks.spawns(vm),
      record: (what, vm, text) => this.record(what, vm, text),
    });
    this.nats = new SimulatedNats({ time, chance: chance.stream('nats'), latency: scenario.natsLatency });
    this.nats.faults = scenario.network;
    this.nats.onDelivery = ({ subject, data }) => {
      if (subject === PROCESS_SUBJECT) this.checks.comes(data);
    };
    this.disk = new SimulatedDisk(EMPTY_DOCUMENT, chance.stream('disk'), () => this.conditions.disk);
    this.disk.onWritten = () => this.checks.afterWrite();
    this.process = this.#newProcess();
  }

  get isShoalUp(): boolean {
    return this.life !== undefined && this.life.process === this.process && this.process.isRunning;
  }

  /** Requests that have not ended. */
  get open(): number {
    return this.#open;
  }

  /**
   * Load and faults for the scenario's duration, then peace until all that the rules promise has come true.
   * @throws an `InvariantViolation`, or what the code under simulation threw
   */
  async run(): Promise<Report> {
    const { scenario, time } = this;
    this.#start();
    this.#openClients();
    // The load begins when the service does.
    await time.run(START_MS_MAX, () => this.isShoalUp);
    const faults = new FaultInjector(this, this.#chance.stream('faults'));
    const load = loadFrom(time.nowMs, scenario, this.#chance.stream('load'));
    time.after(0, () => this.#nextArrival(load));
    time.after(SAMPLE_MS, () => this.#sample());
    faults.start();
    await time.run(time.nowMs + scenario.durationMs);
    this.#isOver = true;
    faults.heal();
    await this.checks.liveness();
    this.history.add({ atMs: time.nowMs, host: '', what: 'end' });
    return this.recorder.report(this);
  }

  /** Has an actor fail as a defect would: its supervisor starts it anew. */
  crashActor(which: 'router' | 'controller'): boolean {
    const { life } = this;
    if (life === undefined || !this.isShoalUp) return false;
    // More of them in a minute, and the supervisor rightly gives up.
    this.#coreCrashesMs = this.#coreCrashesMs.filter((atMs) => this.time.nowMs - atMs < 60_000);
    if (this.#coreCrashesMs.length >= CORE_CRASHES_MAX) return false;
    this.#coreCrashesMs.push(this.time.nowMs);
    this.record(`${which}-killed`);
    this.checks.restarted();
    this.#noteWhatIsInHand(which);
    const replyTo: Ref<unknown> = {
      path: '/defect',
      tell: () => {
        throw new Error(DEFECT);
      },
    };
    if (which === 'router') life.core.router.tell({ kind: 'snapshot', replyTo });
    else life.core.controller.tell({ kind: 'vms', replyTo });
    return true;
  }

  /** Has the actor of a VM fail, if one has an actor that can. */
  crashVmActor(chance: Chance): boolean {
    const home = this.isShoalUp ? this.life?.home : undefined;
    const vm = home === undefined ? undefined : chance.oneOf(home.vms);
    if (vm === undefined) return false;
    this.record('vm-actor-killed', vm);
    this.#noteWhatIsInHand('vm-actor');
    home?.crashActor(vm);
    return true;
  }

  /** Ends a worker thread, and the actors of half of the VMs with it. */
  loseShard(chance: Chance): boolean {
    const home = this.isShoalUp ? this.life?.home : undefined;
    if (home === undefined) return false;
    this.record('shard-killed');
    this.#noteWhatIsInHand('shard');
    home.loseShard(chance.below(SHARDS));
    return true;
  }

  loseLauncher(): boolean {
    if (!this.isShoalUp) return false;
    this.record('launcher-killed');
    this.life?.hypervisor.loseLauncher();
    return true;
  }

  /** Kills Shoal; what else runs on the host goes on. It is started again after a while. */
  crashShoal(): void {
    this.record('shoal-killed');
    this.checks.restarted();
    this.#noteWhatIsInHand('shoal');
    this.process.kill();
    this.life = undefined;
    this.process = this.#newProcess();
    const { process } = this;
    this.time.after(this.#chance.below(RESTART_MS.toMs - RESTART_MS.fromMs) + RESTART_MS.fromMs, () => {
      if (this.process === process) this.#start();
    });
  }

  /** Changes a parameter as `shoal params set` does, if Shoal is up. */
  setParameter(key: string, value: number): boolean {
    if (!this.isShoalUp) return false;
    this.record('params', undefined, `${key}=${value}`);
    this.life?.settings.set({ [key]: value }).catch(() => this.record('params-failed'));
    return true;
  }

  /** How many VMs the host's memory allows beside the reserve. */
  get vmsWithinMemory(): number {
    const reserve = this.life?.settings.params.hostMemoryReserveBytes ?? 0;
    return Math.max(0, Math.floor((this.scenario.memoryBytes - reserve) / VM_BYTES));
  }

  /** What an administrator asks for, if Shoal is up. */
  command(command: SimulatedCommand): boolean {
    const { life } = this;
    if (life === undefined || !this.isShoalUp) return false;
    this.record('command', undefined, JSON.stringify(command));
    const replyTo: Ref<CommandReply> = {
      path: '/administrator',
      tell: (reply) => {
        if (!reply.ok) this.record('command-refused', undefined, reply.error.message);
        return true;
      },
    };
    const tell = (): void => void life.core.router.tell({ ...command, replyTo });
    if (command.kind !== 'scale') tell();
    else {
      // As the administration does: on disk first, and not at all if that fails.
      life.settings.write({ min_vm_count: command.vmCount }).then(tell, () => this.record('params-failed'));
    }
    return true;
  }

  get minVmCount(): number {
    return this.life?.settings.params.minVmCount ?? 0;
  }

  stepWallClock(ms: number): void {
    this.#wallOffsetMs += ms;
    this.process.stepWallClock(ms);
  }

  record(what: string, vm?: number, text?: string): void {
    this.history.add({
      atMs: this.time.nowMs,
      host: HOST,
      what,
      ...(vm === undefined ? {} : { vm }),
      ...(text === undefined ? {} : { text }),
    });
    this.recorder.count(what);
  }

  /** What the router knows; undefined while there is none that answers. */
  async snapshot(): Promise<FleetSnapshot | undefined> {
    const { life } = this;
    if (life === undefined) return undefined;
    return life.system
      .ask<Parameters<typeof life.core.router.tell>[0], FleetSnapshot>(
        life.core.router,
        (replyTo) => ({ kind: 'snapshot', replyTo }),
        ASK_MS,
      )
      .catch(() => undefined);
  }

  /** Which of the interesting moments it was that Shoal, or its router, was killed in. */
  #noteWhatIsInHand(whose: 'router' | 'controller' | 'shoal' | 'vm-actor' | 'shard'): void {
    const { recorder, room, disk } = this;
    if (disk.isWriting) recorder.count(`${whose} killed during a write of the tables`);
    if (this.#open > 0) recorder.count(`${whose} killed with requests in hand`);
    for (const { isAlive, isCpuRunning, guest } of room.qemus.values()) {
      if (isAlive && !isCpuRunning) recorder.count(`${whose} killed with a VM prepared`);
      if (isAlive && isCpuRunning && !guest.isListening) recorder.count(`${whose} killed with a VM booting`);
      if (isAlive && guest.isStopping) recorder.count(`${whose} killed with a VM stopping`);
      if (isAlive && guest.inFlight > 0) recorder.count(`${whose} killed with a guest at work`);
    }
  }

  #newProcess(): SimulatedProcess {
    return new SimulatedProcess(this.time, this.#chance.stream(`process ${this.time.nowMs}`), this.#wallOffsetMs);
  }

  #start(): void {
    const { scenario, process, time, room, disk, nats } = this;
    this.record('shoal-started');
    const starting = ShoalLife.start({
      time,
      host: HOST,
      fleet: FLEET,
      process,
      room,
      disk,
      nats,
      pool: poolOf(scenario.addresses),
      params: scenario.params,
      behaviour: () => this.conditions.host,
      hasShards: scenario.faults.vmActorCrash + scenario.faults.shardCrash > 0,
      onEvent: (event) => this.#onEvent(event),
      onStep: (step) => this.#decisions?.onStep({ ...step, atMs: time.nowMs }),
      onFailure: (path, error) => this.#onFailure(path, error),
      onDeadLetter: () => this.recorder.count('dead-letter'),
    });
    void starting.then(
      (life) => {
        if (process.isDead) return;
        this.life = life;
        this.record('shoal-up');
      },
      (error: unknown) => {
        if (process.isDead) return;
        // As a service manager does.
        this.record('start-failed', undefined, error instanceof Error ? error.message : String(error));
        this.crashShoal();
      },
    );
  }

  /** No actor fails unless we make it do so. */
  #onFailure(path: string, { message, code }: ErrorEnvelope): void {
    this.record('actor-failed', undefined, `${path}: ${message}`);
    const isMade = message === DEFECT || message === VM_ACTOR_DEFECT || code === 'SHARD_LOST';
    if (!isMade) this.checks.violated(`the actor ${path} has failed: ${message}`);
  }

  #onEvent(event: FleetEvent): void {
    const { recorder, checks } = this;
    const { kind, vm, rule, text, figures, spare } = event;
    this.#decisions?.onEvent({ ...event, atMs: this.time.nowMs });
    const by = rule === undefined ? '' : `${rule} `;
    this.record(kind, vm, `${by}${text}${figures === undefined ? '' : ` ${JSON.stringify(figures)}`}`);
    if (rule !== undefined) recorder.rule(rule, kind);
    switch (kind) {
      case 'vm-ready':
        return recorder.vmReady(vm ?? 0);
      case 'vm-start':
        if (rule === 'R3' && figures?.['waiting'] !== undefined) recorder.coldStart();
        return spare === true ? checks.preparesSpare(vm ?? 0) : checks.wants(vm ?? 0);
      case 'vm-booting':
        return checks.letsRun(vm ?? 0);
      case 'host-down':
        return checks.losesHost();
      case 'vm-stop':
        if (rule === 'R6') checks.endsSilent(vm ?? 0);
    }
  }

  #openClients(): void {
    const { scenario, time } = this;
    for (let index = 0; index < scenario.clients; index++) {
      const process = new SimulatedProcess(time, this.#chance.stream(`client ${index}`));
      const connection = connectionOf(new SimulatedConnection(this.nats, process));
      const client = clientOn(connection, {
        fleet: FLEET,
        deadlineMs: scenario.deadlineMs,
        clock: process.clock,
        idPrefix: `c${index}-`,
        inbox: `_INBOX.client${index}`,
      });
      this.#clients.push(client);
    }
  }

  #nextArrival(load: Load): void {
    const arrival = load.next();
    if (arrival === undefined) return;
    this.time.after(arrival.atMs - this.time.nowMs, () => {
      this.#arrive(arrival);
      this.#nextArrival(load);
    });
  }

  #arrive({ bytes, units }: Arrival): void {
    const { scenario, time } = this;
    const number = this.#requests++;
    const client = this.#clients[number % this.#clients.length];
    if (client === undefined) return;
    const text = requestText(number, units, bytes) + (this.#chance.happens(scenario.deadlyRequests) ? DEADLY : '');
    const isReused = number > 0 && this.#chance.happens(scenario.reusedIds);
    const id = `r${isReused ? number - 1 - this.#chance.below(Math.min(number, 20)) : number}`;
    this.#request(client, id, text, number);
    if (!this.#chance.happens(scenario.repeats)) return;
    const other = this.#clients[this.#chance.below(this.#clients.length)] ?? client;
    time.after(this.#chance.below(2_000), () => {
      this.recorder.count('repeat-sent');
      this.#request(other, id, text, number);
    });
  }

  #request(client: Client, id: string, text: string, number: number): void {
    const { time, recorder, checks } = this;
    const { deadlineMs } = this.scenario;
    const sentMs = time.nowMs;
    this.#open += 1;
    recorder.sent();
    const ended = (): void => {
      this.#open -= 1;
      const tookMs = time.nowMs - sentMs;
      if (tookMs > deadlineMs + DEADLINE_GRACE_MS)
        checks.violated(`request ${id} ended ${tookMs} ms after it was sent`);
    };
    client.request(text, { id }).then(
      (reply) => {
        ended();
        if (reply.text !== text)
          checks.violated(`request ${id} got the reply to another one: ${reply.text.slice(0, 40)}`);
        recorder.succeeded(String(number), sentMs, time.nowMs);
        this.history.add({
          atMs: time.nowMs,
          host: '',
          what: 'reply',
          ...(reply.vm === undefined ? {} : { vm: reply.vm }),
          text: id,
        });
      },
      (error: unknown) => {
        ended();
        const code = error instanceof ShoalError ? error.code : 'unknown';
        if (code === 'unknown') time.fail(error);
        recorder.failed(String(number), code);
        this.history.add({ atMs: time.nowMs, host: '', what: 'error', text: `${id} ${code}` });
      },
    );
  }

  #sample(): void {
    this.recorder.sample(this);
    if (!this.#isOver) this.time.after(SAMPLE_MS, () => this.#sample());
  }
}

function poolOf(addresses: number): ReturnType<typeof parsePool> {
  const last = addresses - 1;
  const ip = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return parsePool(`${ip(0x10000)}-${ip(0x10000 + last)}:9000`);
}
