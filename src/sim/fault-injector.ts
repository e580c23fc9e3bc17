import type { MachineRoom, Qemu } from './machine-room.ts';
import type { SimulatedNats } from './nats-server.ts';
import type { SimulatedProcess } from './process.ts';
import type { Chance } from './random.ts';
import { FAULT_NAMES, type FaultName, type Scenario } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What an administrator may ask for in the middle of it all. */
export type SimulatedCommand =
  | { readonly kind: 'drain-vm'; readonly vm: number }
  | { readonly kind: 'restart-vms'; readonly vms: 'all' | readonly number[] }
  | { readonly kind: 'scale'; readonly vmCount: number };

/** What can be broken. */
export interface BreakableWorld {
  readonly time: VirtualTime;
  readonly scenario: Scenario;
  readonly room: MachineRoom;
  readonly nats: SimulatedNats;
  readonly recorder: { count(what: string): void };
  /** The present life of Shoal. */
  readonly process: SimulatedProcess;
  conditions: Pick<Scenario, 'host' | 'disk'>;
  crashShoal(): void;
  /** These say whether there was one. */
  crashActor(which: 'router' | 'controller'): boolean;
  crashVmActor(chance: Chance): boolean;
  loseShard(chance: Chance): boolean;
  loseLauncher(): boolean;
  setParameter(key: string, value: number): boolean;
  command(command: SimulatedCommand): boolean;
  stepWallClock(ms: number): void;
  record(what: string, vm?: number, text?: string): void;
}

const MINUTE_S = 60;
/** Of the faults, those that come again at once: what recovers from one must bear the next. */
const COMPANY = 0.3;
const COMPANY_MS = 300;
const PAUSE_MS_MAX = 12_000;
const SPELL_MS_MAX = 8_000;
const CONSOLE_CUT_MS_MIN = 4_000;
const CLOCK_STEP_MS = 3_600_000;
/** What a parameter may be changed to. */
const CHANGES: Readonly<Record<string, readonly number[]>> = {
  min_vm_count: [0, 1, 2, 3],
  spare_vm_count: [0, 1, 2],
  free_count: [1, 2, 5],
};

/** Makes things go wrong at random moments, and whole again. */
export class FaultInjector {
  readonly #world: BreakableWorld;
  readonly #chance: Chance;
  #isOn = false;

  constructor(world: BreakableWorld, chance: Chance) {
    this.#world = world;
    this.#chance = chance;
  }

  start(): void {
    this.#isOn = true;
    for (const name of FAULT_NAMES) this.#next(name, this.#chance.stream(name));
  }

  /** From now on nothing goes wrong, and what is broken works. */
  heal(): void {
    this.#isOn = false;
    const world = this.#world;
    world.room.behaviour = { ...world.scenario.guest, brokenBoots: 0 };
    world.conditions = {
      host: { ...world.scenario.host, failedStarts: 0 },
      disk: { ...world.scenario.disk, failedWrites: 0 },
    };
    world.nats.faults = { ...world.nats.faults, lost: 0, doubled: 0, late: 0 };
    for (const qemu of world.room.qemus.values()) qemu.mendConsole();
    world.nats.join(world.process);
    world.process.resume();
  }

  #next(name: FaultName, chance: Chance): void {
    const perMinute = this.#world.scenario.faults[name];
    if (perMinute <= 0) return;
    this.#world.time.after(chance.msToNext(perMinute / MINUTE_S), () => {
      if (!this.#isOn) return;
      this.#cause(name, chance);
      if (chance.happens(COMPANY)) {
        this.#world.time.after(chance.below(COMPANY_MS), () => {
          if (this.#isOn) this.#cause(name, chance);
        });
      }
      this.#next(name, chance);
    });
  }

  /** Counts it by its name, if it met anything. */
  #cause(name: FaultName, chance: Chance): void {
    if (this.#inject(name, chance)) this.#world.recorder.count(`fault ${name}`);
  }

  /** @returns whether there was anything to break */
  #inject(name: FaultName, chance: Chance): boolean {
    const world = this.#world;
    switch (name) {
      case 'vmCrash': {
        const qemu = this.#liveQemu(chance);
        if (qemu === undefined) return false;
        world.record('fault', qemu.spec.vm, 'its QEMU is killed');
        qemu.end({ exitCode: null, signal: 'SIGKILL', stderr: '' });
        return true;
      }
      case 'vmHang': {
        const qemu = this.#runningQemu(chance);
        if (qemu === undefined) return false;
        world.record('fault', qemu.spec.vm, 'its guest hangs');
        qemu.guest.hang();
        return true;
      }
      case 'linkCut': {
        const qemu = this.#liveQemu(chance);
        if (qemu === undefined) return false;
        world.record('fault', qemu.spec.vm, 'its link is cut');
        qemu.guest.cut();
        return true;
      }
      case 'consoleCut': {
        const qemu = this.#liveQemu(chance);
        if (qemu === undefined) return false;
        this.#spell(
          `the console of VM ${qemu.spec.vm} is lost`,
          CONSOLE_CUT_MS_MIN + chance.below(SPELL_MS_MAX),
          () => {
            qemu.cutConsole();
            return () => qemu.mendConsole();
          },
        );
        return true;
      }
      case 'shoalCrash':
        world.crashShoal();
        return true;
      case 'routerCrash':
        return world.crashActor('router');
      case 'controllerCrash':
        return world.crashActor('controller');
      case 'vmActorCrash':
        return world.crashVmActor(chance);
      case 'shardCrash':
        return world.loseShard(chance);
      case 'launcherCrash':
        return world.loseLauncher();
      case 'shoalPause':
        this.#spell('Shoal stands still', chance.below(PAUSE_MS_MAX), () => {
          const { process } = world;
          process.pause();
          return () => process.resume();
        });
        return true;
      case 'partition':
        this.#spell('NATS is cut off', chance.below(SPELL_MS_MAX), () => {
          const { process } = world;
          world.nats.cutOff(process);
          return () => world.nats.join(process);
        });
        return true;
      case 'clockStep':
        world.record('fault', undefined, 'the wall clock is set');
        world.stepWallClock(Math.round((chance.fraction() - 0.5) * 2 * CLOCK_STEP_MS));
        return true;
      case 'diskFull':
        this.#spell('the disk takes no writes', chance.below(SPELL_MS_MAX), () => {
          world.conditions = { ...world.conditions, disk: { ...world.scenario.disk, failedWrites: 1 } };
          return () => {
            world.conditions = { ...world.conditions, disk: world.scenario.disk };
          };
        });
        return true;
      case 'slowBoots':
        this.#spell('boots are slow', chance.below(SPELL_MS_MAX), () => {
          const { boot } = world.scenario.guest;
          const slow = { kind: 'uniform', fromMs: 500, toMs: 5_000 } as const;
          world.room.behaviour = { ...world.room.behaviour, boot: slow };
          return () => {
            world.room.behaviour = { ...world.room.behaviour, boot };
          };
        });
        return true;
      case 'brokenImage':
        this.#spell('guests do not boot', chance.below(SPELL_MS_MAX), () => {
          world.room.behaviour = { ...world.room.behaviour, brokenBoots: 1 };
          return () => {
            world.room.behaviour = { ...world.room.behaviour, brokenBoots: world.scenario.guest.brokenBoots };
          };
        });
        return true;
      case 'command': {
        const qemu = this.#runningQemu(chance);
        const vm = qemu?.spec.vm;
        if (vm === undefined) return false;
        const kind = chance.oneOf(['drain-vm', 'restart-vms', 'scale'] as const) ?? 'scale';
        if (kind === 'drain-vm') return world.command({ kind, vm });
        if (kind === 'restart-vms') return world.command({ kind, vms: chance.happens(0.5) ? 'all' : [vm] });
        return world.command({ kind, vmCount: chance.below(4) });
      }
      case 'parameterChange': {
        const key = chance.oneOf(Object.keys(CHANGES)) ?? '';
        const value = chance.oneOf(CHANGES[key] ?? []) ?? 0;
        return world.setParameter(key, value);
      }
    }
  }

  #liveQemu(chance: Chance): Qemu | undefined {
    return chance.oneOf([...this.#world.room.qemus.values()].filter(({ isAlive }) => isAlive));
  }

  #runningQemu(chance: Chance): Qemu | undefined {
    return chance.oneOf([...this.#world.room.qemus.values()].filter((one) => one.isAlive && one.isCpuRunning));
  }

  /** Something that is wrong for a while. */
  #spell(what: string, forMs: number, begin: () => () => void): void {
    this.#world.record('fault', undefined, `${what} for ${forMs} ms`);
    const end = begin();
    this.#world.time.after(forMs, () => {
      if (this.#isOn) end();
    });
  }
}
