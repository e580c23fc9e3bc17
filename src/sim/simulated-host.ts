import type { Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, messageOf } from '../errors.ts';
import { type CommandReply, type FleetEvent, type FleetSnapshot, parsePool } from '../fleet/mod.ts';
import { EMPTY_DOCUMENT } from '../store/mod.ts';
import type { SimulatedCommand, SimulatedDeploy } from './administrator.ts';
import { type DiskBehaviour, SimulatedDisk } from './disk.ts';
import { HostChecks } from './host-checks.ts';
import type { HostBehaviour } from './hypervisor.ts';
import { kindOf } from './images.ts';
import { MachineRoom, vmsWithin } from './machine-room.ts';
import { Presence } from './presence.ts';
import { SimulatedProcess } from './process.ts';
import type { Chance } from './random.ts';
import { RelayChecks } from './relay-checks.ts';
import { numberIn } from './request-text.ts';
import { ShoalLife } from './shoal.ts';
import type { Surroundings } from './surroundings.ts';
import { SHARDS, VM_ACTOR_DEFECT } from './vm-home.ts';

const CORE_CRASHES_MAX = 3;
const DEFECT = 'a defect of an actor (simulated)';
const ASK_MS = 60_000;
/** A Shoal that was killed is started again after this, as by a service manager. */
const RESTART_MS = { fromMs: 50, toMs: 3_000 } as const;
/** A host without power, or one that has left, is back after this. */
const AWAY_MS = { fromMs: 500, toMs: 10_000 } as const;
/** A Shoal that has not ended by then is killed, as by a service manager. */
const LEAVE_MS_MAX = 90_000;

/** One host: its machines and disk, which outlive its Shoal, and one Shoal of production after another. */
export class SimulatedHost {
  readonly name: string;
  /** Of all hosts; from 0. */
  readonly index: number;
  readonly room: MachineRoom;
  readonly disk: SimulatedDisk;
  readonly checks: HostChecks;
  /** Changed by faults for a while. */
  readonly conditions: { host: HostBehaviour; disk: DiskBehaviour };
  life: ShoalLife | undefined;
  process: SimulatedProcess;
  /** Requests that NATS gave to it. */
  takenIn = 0;
  /** Requests that its VMs began to work on. */
  worked = 0;
  /** Of these, those that came to other hosts. */
  workedForOthers = 0;
  readonly #world: Surroundings;
  readonly presence: Presence;
  readonly #relays: RelayChecks;
  #wallOffsetMs = 0;
  #coreCrashesMs: number[] = [];
  /** The process that is on its way out, and the last that stood still on it. */
  #leaving: SimulatedProcess | undefined;
  #stoodStill: SimulatedProcess | undefined;

  constructor(world: Surroundings, index: number) {
    const { time, scenario, recorder, checks } = world;
    this.#world = world;
    this.index = index;
    this.name = `host-${index + 1}`;
    this.presence = new Presence(this.name, world);
    this.conditions = { host: scenario.host, disk: scenario.disk };
    this.#relays = new RelayChecks({
      time,
      violated: (what) => this.checks.violated(what),
      holderOf: (place) => this.disk.document.ip_pool.find(({ ip, port }) => `${ip}:${port}` === place)?.vm,
      isAlive: (vm) => this.room.qemus.get(vm)?.isAlive === true,
      isClosing: () => this.room.isClosing,
    });
    this.room = new MachineRoom({
      time,
      chance: this.#stream('machines'),
      memoryBytes: scenario.memoryBytes,
      behaviour: scenario.guest,
      ...(scenario.msPerUnit === undefined ? {} : { msPerUnit: scenario.msPerUnit }),
      violation: (what) => this.checks.violated(what),
      note: (what) => recorder.count(what),
      onWork: (vm, payload) => {
        this.worked += 1;
        const number = numberIn(payload);
        const place = checks.placeOf(number);
        if (place !== undefined && place !== this.name) {
          this.workedForOthers += 1;
          recorder.count('a VM works for another host');
        }
        checks.works(this.name, vm, number);
        this.checks.works(vm);
        recorder.began(number, time.nowMs);
      },
      relays: this.#relays,
      onSpawn: (spec) => this.checks.spawns(spec),
      record: (what, vm, text) => this.record(what, vm, text),
    });
    this.disk = new SimulatedDisk(EMPTY_DOCUMENT, this.#stream('disk'), () => this.conditions.disk);
    this.checks = new HostChecks(this, scenario, checks);
    this.disk.onWritten = () => this.checks.afterWrite();
    this.process = this.#newProcess();
  }

  get isShoalUp(): boolean {
    return this.life !== undefined && this.life.process === this.process && this.process.isRunning;
  }

  get minVmCount(): number {
    return this.life?.settings.params.minVmCount ?? 0;
  }

  /** How many VMs the host's memory allows beside the reserve. */
  get vmsWithinMemory(): number {
    return this.life === undefined ? 0 : vmsWithin(this.#world.scenario.memoryBytes, this.life);
  }

  record(what: string, vm?: number, text?: string): void {
    this.#world.record(this.name, what, vm, text);
  }

  start(): void {
    const { scenario, time, nats, fleet, recorder, checks } = this.#world;
    const { process, room, disk } = this;
    this.record('shoal-started');
    const starting = ShoalLife.start({
      time,
      host: this.name,
      fleet,
      process,
      room,
      disk,
      nats,
      pool: poolOf(scenario.addresses, this.index),
      params: scenario.params,
      beats: scenario.beats,
      control: scenario.control ?? 'direct',
      tokenKey: Uint8Array.from({ length: 16 }, (_, at) => (at + this.index) & 255),
      behaviour: () => this.conditions.host,
      hasShards: scenario.faults.vmActorCrash + scenario.faults.shardCrash > 0,
      onEvent: (event) => this.#onEvent(event),
      onStep: (step) => {
        if (step.kind === 'routed' && step.host !== undefined) checks.handsOn(this.name, step.requestId);
        this.#world.onStep(this.name, step);
      },
      onFailure: (path, error) => this.#onFailure(path, error),
      onDeadLetter: () => recorder.count('dead-letter'),
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
        this.record('start-failed', undefined, messageOf(error));
        this.crashShoal();
      },
    );
  }

  /** Has an actor fail as a defect would: its supervisor starts it anew. */
  crashActor(which: 'router' | 'controller'): boolean {
    const { life } = this;
    const { time, checks } = this.#world;
    if (life === undefined || !this.isShoalUp) return false;
    // More of them in a minute, and the supervisor rightly gives up.
    this.#coreCrashesMs = this.#coreCrashesMs.filter((atMs) => time.nowMs - atMs < 60_000);
    if (this.#coreCrashesMs.length >= CORE_CRASHES_MAX) return false;
    this.#coreCrashesMs.push(time.nowMs);
    this.record(`${which}-killed`);
    // A controller's router ends with it, and what it knew of the requests of other hosts is gone.
    this.presence.dies();
    checks.restarted();
    this.#noteWhatIsInHand(`${which} killed`);
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
    this.#noteWhatIsInHand('vm-actor killed');
    home?.crashActor(vm);
    return true;
  }

  /** Ends a worker thread, and the actors of half of the VMs with it. */
  loseShard(chance: Chance): boolean {
    const home = this.isShoalUp ? this.life?.home : undefined;
    if (home === undefined) return false;
    this.record('shard-killed');
    this.#noteWhatIsInHand('shard killed');
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
    this.#noteWhatIsInHand('shoal killed');
    this.#end();
    this.#startAgain(RESTART_MS);
  }

  /** The power fails: Shoal and its VMs end at once, and what was not on the disk is gone. The host is back after a while. */
  losePower(): void {
    this.record('host-killed');
    this.#noteWhatIsInHand('host killed');
    this.#end();
    this.room.losePower();
    this.#startAgain(AWAY_MS);
  }

  /** Shoal ends as `shoal down` ends it, and is started again after a while. @returns whether it was up */
  leave(keepVms: boolean): boolean {
    const { life, process } = this;
    if (life === undefined || !this.isShoalUp) return false;
    this.record('host-leaves', undefined, keepVms ? 'and keeps its VMs' : '');
    this.#noteWhatIsInHand('host leaves');
    // From now on it is on its way out, and takes no commands.
    this.life = undefined;
    this.#leaving = process;
    this.room.isClosing = !keepVms;
    const over = (how: string): void => {
      if (this.process !== process) return;
      this.record(how);
      this.#end();
      this.#startAgain(AWAY_MS);
    };
    this.#world.time.after(LEAVE_MS_MAX, () => over('host-left-by-force'));
    void life.end(keepVms).then(
      () => {
        if (this.process === process) this.checks.left(keepVms);
        over('host-left');
      },
      (error: unknown) => {
        this.record('leave-failed', undefined, String(error));
        over('host-left');
      },
    );
    return true;
  }

  /** All that is wrong with its process and its way to NATS is over. */
  heal(): void {
    this.presence.heal(this.process);
  }

  /** Shoal stands still. @returns what wakes it */
  pause(): () => void {
    const { process } = this;
    this.presence.pause(process);
    if (this.#leaving === process) this.#stoodStill = process;
    const { time, recorder, scenario } = this.#world;
    const pausedMs = time.nowMs;
    const atWork = [...this.room.qemus.values()].filter(({ guest }) => guest.inFlight > 0);
    this.#noteWhatIsInHand('shoal stands still');
    return () => {
      if (!process.isDead && atWork.some(({ isAlive, guest }) => isAlive && guest.inFlight === 0)) {
        recorder.count('a host wakes with a reply in hand');
        if (time.nowMs - pausedMs >= scenario.beats.lostMs + scenario.beats.beatMs && scenario.hosts > 1) {
          recorder.count('a host wakes with a reply in hand, and the others have lost it');
        }
      }
      this.presence.wake(process);
    };
  }

  /** Changes a parameter as `shoal params set` does, if Shoal is up. */
  setParameter(key: string, value: number): boolean {
    if (!this.isShoalUp) return false;
    this.record('params', undefined, `${key}=${value}`);
    this.life?.settings.set({ [key]: value }).catch(() => this.record('params-failed'));
    return true;
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

  /** Deploys an image, or rolls back, as an administrator has it done, if Shoal is up. */
  deploy(what: SimulatedDeploy): boolean {
    const { life } = this;
    if (life === undefined || !this.isShoalUp) return false;
    this.record(
      'deploy-asked',
      undefined,
      what === 'roll-back' ? what : `${kindOf(what.image)} ${JSON.stringify(what)}`,
    );
    const done = what === 'roll-back' ? life.deploys.rollBack() : life.deploys.deploy(what);
    done.catch((error: unknown) => this.record('deploy-refused', undefined, String(error)));
    return true;
  }

  stepWallClock(ms: number): void {
    this.#wallOffsetMs += ms;
    this.process.stepWallClock(ms);
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

  /** Ends the present life of Shoal; the next one has a process of its own. */
  #end(): void {
    this.presence.dies();
    this.#world.checks.restarted();
    this.process.kill();
    this.life = undefined;
    this.room.isClosing = false;
    this.process = this.#newProcess();
  }

  #startAgain({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void {
    const { process } = this;
    this.#world.time.after(this.#world.chance.below(toMs - fromMs) + fromMs, () => {
      if (this.process === process) this.start();
    });
  }

  /** Which of the interesting moments it was that this happened to a part of Shoal, or to all of it. */
  #noteWhatIsInHand(what: string): void {
    const { room, disk } = this;
    const { recorder, open } = this.#world;
    this.#relays.disturbed();
    if (disk.isWriting) recorder.count(`${what} during a write of the tables`);
    if (open > 0) recorder.count(`${what} with requests in hand`);
    if (disk.image?.deploy?.ended_ms === null) recorder.count(`${what} with a deploy under way`);
    if (this.hasWorkOf((place) => place !== this.name)) recorder.count(`${what} at work for another host`);
    if (this.#world.hosts.some((other) => other !== this && other.hasWorkOf((place) => place === this.name))) {
      recorder.count(`${what} while another host works for it`);
    }
    for (const { isAlive, isCpuRunning, guest } of room.qemus.values()) {
      if (isAlive && !isCpuRunning) recorder.count(`${what} with a VM prepared`);
      if (isAlive && isCpuRunning && !guest.isListening) recorder.count(`${what} with a VM booting`);
      if (isAlive && guest.isStopping) recorder.count(`${what} with a VM stopping`);
      if (isAlive && guest.inFlight > 0) recorder.count(`${what} with a guest at work`);
    }
  }

  /** Whether its VMs have a request that came to such a host. */
  hasWorkOf(isSuch: (place: string | undefined) => boolean): boolean {
    for (const { guest, isAlive } of this.room.qemus.values()) {
      if (isAlive && guest.payloads.some((payload) => isSuch(this.#world.checks.placeOf(numberIn(payload)))))
        return true;
    }
    return false;
  }

  #newProcess(): SimulatedProcess {
    const { time } = this.#world;
    return new SimulatedProcess(time, this.#stream(`process ${time.nowMs}`), {
      wallOffsetMs: this.#wallOffsetMs,
      place: this.name,
    });
  }

  /** Chance of this host's own: what others draw does not change it. */
  #stream(purpose: string): Chance {
    return this.#world.chance.stream(this.index === 0 ? purpose : `${purpose} of ${this.name}`);
  }

  /** No actor fails unless we make it do so. */
  #onFailure(path: string, { message, code }: ErrorEnvelope): void {
    this.record('actor-failed', undefined, `${path}: ${message}`);
    // Of one that stands still on its way out, all limits have passed when it wakes.
    const isLate = code === 'ACTOR_STOP_TIMEOUT' && this.#stoodStill === this.process;
    const isMade = message === DEFECT || message === VM_ACTOR_DEFECT || code === 'SHARD_LOST' || isLate;
    if (!isMade) this.checks.violated(`the actor ${path} has failed: ${message}`);
  }

  #onEvent(event: FleetEvent): void {
    const { recorder } = this.#world;
    const { kind, vm, rule, text, figures, spare } = event;
    this.#world.onEvent(this.name, event);
    this.#relays.onEvent(event);
    const by = rule === undefined ? '' : `${rule} `;
    this.record(kind, vm, `${by}${text}${figures === undefined ? '' : ` ${JSON.stringify(figures)}`}`);
    if (rule !== undefined) recorder.rule(rule, kind);
    if (figures?.['refused'] !== undefined) recorder.count(`a relayed command is refused as ${figures['refused']}`);
    switch (kind) {
      case 'deploy':
        if (text.includes('is rolled back')) recorder.count('a deploy is rolled back');
        if (text.includes('is deployed: ')) recorder.count('a deploy ends');
        return;
      case 'vm-ready':
        return recorder.vmReady(`${this.name}/${vm ?? 0}`);
      case 'vm-start':
        if (rule === 'R3' && figures?.['waiting'] !== undefined) recorder.coldStart();
        return spare === true ? this.checks.preparesSpare(vm ?? 0) : this.checks.wants(vm ?? 0);
      case 'vm-adopted':
        return this.checks.adopts(vm ?? 0);
      case 'vm-booting':
        return this.checks.letsRun(vm ?? 0);
      case 'host-down':
        return this.checks.losesHost();
      case 'vm-stop':
        if (rule === 'R6') this.checks.endsSilent(vm ?? 0);
    }
  }
}

/** No two hosts have an address in common. */
function poolOf(addresses: number, index: number): ReturnType<typeof parsePool> {
  const first = 0x10000 + index * addresses;
  const ip = (at: number): string => `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
  return parsePool(`${ip(first)}-${ip(first + addresses - 1)}:9000`);
}
