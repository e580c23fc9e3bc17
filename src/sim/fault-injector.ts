import { digestOf, IMAGE_KINDS } from './images.ts';
import type { Qemu } from './machine-room.ts';
import type { SimulatedNats } from './nats-server.ts';
import type { Chance } from './random.ts';
import { FAULT_NAMES, type FaultName, type Scenario } from './scenario.ts';
import type { SimulatedHost } from './simulated-host.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What can be broken. */
export interface BreakableWorld {
  readonly time: VirtualTime;
  readonly scenario: Scenario;
  readonly hosts: readonly SimulatedHost[];
  readonly nats: SimulatedNats;
  readonly recorder: { count(what: string): void };
  /** The names of hosts and clients, as the network knows them. */
  readonly places: readonly string[];
  record(host: string, what: string, vm?: number, text?: string): void;
}

const MINUTE_S = 60;
/** Of the faults, those that come again at once: what recovers from one must bear the next. */
const COMPANY = 0.3;
const COMPANY_MS = 300;
const PAUSE_MS_MAX = 12_000;
const SPELL_MS_MAX = 8_000;
/** Long enough that hosts count each other as lost. */
const SPLIT_MS_MAX = 15_000;
const CONSOLE_CUT_MS_MIN = 4_000;
const CLOCK_STEP_MS = 3_600_000;
/** What a parameter may be changed to. */
const CHANGES: Readonly<Record<string, readonly number[]>> = {
  min_vm_count: [0, 1, 2, 3],
  spare_vm_count: [0, 1, 2],
  free_count: [1, 2, 5],
};

/** Of the commands about images, those that roll back. */
const ROLL_BACKS = 0.15;
const CANARY_MS_MAX = 8_000;

function someDeploy(chance: Chance, number: number): { image: string; canary: number; canaryMs: number } {
  const kind = chance.happens(0.5) ? 'sound' : (chance.oneOf(IMAGE_KINDS) ?? 'sound');
  // An image that is to be tried on nothing is taken as it is.
  const canary = kind === 'mute' ? 1 + chance.below(3) : chance.below(4);
  return { image: digestOf(kind, number), canary, canaryMs: chance.below(CANARY_MS_MAX) };
}

/** Makes things go wrong at random moments, and whole again. */
export class FaultInjector {
  readonly #world: BreakableWorld;
  readonly #chance: Chance;
  #isOn = false;
  #deploys = 0;

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
    const { scenario, nats, hosts } = this.#world;
    nats.faults = { ...nats.faults, lost: 0, doubled: 0, late: 0 };
    nats.unsplit();
    for (const host of hosts) {
      const { name, room, conditions } = host;
      room.behaviour = { ...scenario.guest, brokenBoots: 0 };
      conditions.host = { ...scenario.host, failedStarts: 0 };
      conditions.disk = { ...scenario.disk, failedWrites: 0 };
      for (const qemu of room.qemus.values()) qemu.mendConsole();
      nats.mend(name);
      host.heal();
    }
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
    const { hosts, recorder } = this.#world;
    // With one host there is nothing to choose, and nothing is drawn.
    const host = hosts.length === 1 ? hosts[0] : chance.oneOf(hosts);
    if (host !== undefined && this.#inject(name, host, chance)) recorder.count(`fault ${name}`);
  }

  /** @returns whether there was anything to break */
  #inject(name: FaultName, host: SimulatedHost, chance: Chance): boolean {
    const { nats, scenario } = this.#world;
    switch (name) {
      case 'vmCrash': {
        const qemu = this.#liveQemu(host, chance);
        if (qemu === undefined) return false;
        host.record('fault', qemu.spec.vm, 'its QEMU is killed');
        qemu.end({ exitCode: null, signal: 'SIGKILL', stderr: '' });
        return true;
      }
      case 'vmHang': {
        const qemu = this.#runningQemu(host, chance);
        if (qemu === undefined) return false;
        host.record('fault', qemu.spec.vm, 'its guest hangs');
        qemu.guest.hang();
        return true;
      }
      case 'linkCut': {
        const qemu = this.#liveQemu(host, chance);
        if (qemu === undefined) return false;
        host.record('fault', qemu.spec.vm, 'its link is cut');
        qemu.guest.cut();
        return true;
      }
      case 'consoleCut': {
        const qemu = this.#liveQemu(host, chance);
        if (qemu === undefined) return false;
        this.#spell(
          host.name,
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
        host.crashShoal();
        return true;
      case 'routerCrash':
        return host.crashActor('router');
      case 'controllerCrash':
        return host.crashActor('controller');
      case 'vmActorCrash':
        return host.crashVmActor(chance);
      case 'shardCrash':
        return host.loseShard(chance);
      case 'launcherCrash':
        return host.loseLauncher();
      case 'shoalPause':
        this.#spell(host.name, 'Shoal stands still', chance.below(PAUSE_MS_MAX), () => host.pause());
        return true;
      case 'partition':
        this.#spell(host.name, 'NATS is cut off', chance.below(SPELL_MS_MAX), () => host.presence.cutOff(host.process));
        return true;
      case 'clockStep':
        host.record('fault', undefined, 'the wall clock is set');
        host.stepWallClock(Math.round((chance.fraction() - 0.5) * 2 * CLOCK_STEP_MS));
        return true;
      case 'diskFull':
        this.#spell(host.name, 'the disk takes no writes', chance.below(SPELL_MS_MAX), () => {
          host.conditions.disk = { ...scenario.disk, failedWrites: 1 };
          return () => {
            host.conditions.disk = scenario.disk;
          };
        });
        return true;
      case 'slowBoots':
        this.#spell(host.name, 'boots are slow', chance.below(SPELL_MS_MAX), () => {
          const { boot } = scenario.guest;
          const slow = { kind: 'uniform', fromMs: 500, toMs: 5_000 } as const;
          host.room.behaviour = { ...host.room.behaviour, boot: slow };
          return () => {
            host.room.behaviour = { ...host.room.behaviour, boot };
          };
        });
        return true;
      case 'brokenImage':
        this.#spell(host.name, 'guests do not boot', chance.below(SPELL_MS_MAX), () => {
          host.room.behaviour = { ...host.room.behaviour, brokenBoots: 1 };
          return () => {
            host.room.behaviour = { ...host.room.behaviour, brokenBoots: scenario.guest.brokenBoots };
          };
        });
        return true;
      case 'command': {
        const qemu = this.#runningQemu(host, chance);
        const vm = qemu?.spec.vm;
        if (vm === undefined) return false;
        const kind = chance.oneOf(['drain-vm', 'restart-vms', 'scale'] as const) ?? 'scale';
        if (kind === 'drain-vm') return host.command({ kind, vm });
        if (kind === 'restart-vms') return host.command({ kind, vms: chance.happens(0.5) ? 'all' : [vm] });
        return host.command({ kind, vmCount: chance.below(4) });
      }
      case 'deploy':
        return host.deploy(chance.happens(ROLL_BACKS) ? 'roll-back' : someDeploy(chance, ++this.#deploys));
      case 'parameterChange': {
        const key = chance.oneOf(Object.keys(CHANGES)) ?? '';
        const value = chance.oneOf(CHANGES[key] ?? []) ?? 0;
        return host.setParameter(key, value);
      }
      case 'hostCrash':
        host.losePower();
        return true;
      case 'hostLeave':
        return host.leave(chance.happens(0.5));
      case 'hostMute':
        this.#spell(host.name, 'nothing that it sends arrives', chance.below(SPELL_MS_MAX), () => {
          nats.silence(host.name);
          return host.presence.loses(() => nats.mend(host.name));
        });
        return true;
      case 'hostDeaf':
        this.#spell(host.name, 'nothing arrives at it', chance.below(SPELL_MS_MAX), () => {
          nats.deafen(host.name);
          return host.presence.loses(() => nats.mend(host.name));
        });
        return true;
      case 'hostStall':
        this.#spell(host.name, 'its way to NATS is gone', chance.below(SPELL_MS_MAX), () =>
          host.presence.stall(host.process),
        );
        return true;
      case 'split': {
        const { hosts, places } = this.#world;
        if (hosts.length === 1) return false;
        const far = new Set(places.filter(() => chance.happens(0.5)));
        this.#spell('', `NATS falls apart, ${[...far].join(' ')} on one side`, chance.below(SPLIT_MS_MAX), () => {
          nats.split(far);
          const ends = hosts.map(({ presence }) => presence.loses(() => nats.unsplit()));
          return () => {
            for (const end of ends) end();
          };
        });
        return true;
      }
    }
  }

  #liveQemu({ room }: SimulatedHost, chance: Chance): Qemu | undefined {
    return chance.oneOf([...room.qemus.values()].filter(({ isAlive }) => isAlive));
  }

  #runningQemu({ room }: SimulatedHost, chance: Chance): Qemu | undefined {
    return chance.oneOf([...room.qemus.values()].filter((one) => one.isAlive && one.isCpuRunning));
  }

  /** Something that is wrong for a while. */
  #spell(host: string, what: string, forMs: number, begin: () => () => void): void {
    this.#world.record(host, 'fault', undefined, `${what} for ${forMs} ms`);
    const end = begin();
    this.#world.time.after(forMs, () => {
      if (this.#isOn) end();
    });
  }
}
