import type { FleetEvent } from '../fleet/mod.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What the checks look at, from outside of Shoal. */
export interface RelayingHost {
  readonly time: VirtualTime;
  violated(what: string): void;
  /** Whom the durable tables give an address to. */
  holderOf(place: string): number | null | undefined;
  isAlive(vm: number): boolean;
  /** Its Shoal ends, and all VMs with it: they are told to stop by no command of a router. */
  isClosing(): boolean;
}

/** What happens to relayed commands where the machines are. */
export interface RelayWatch {
  /** A guest is given a command to relay. */
  received(vm: number, line: string): void;
  /** Shoal hears that a guest relays a line. */
  heard(vm: number, line: string): void;
  /** The CPU of a VM is let run, or its guest told to stop. */
  acted(kind: 'start' | 'stop', vm: number): void;
}

interface Given {
  readonly kind: string;
  readonly vm: number;
  readonly through: number;
  readonly atMs: number;
  heard: boolean;
}

/** What is told, and within what time after the line was heard. */
const TOLD_MS = 5_000;
/** A VM's refused lines are told at once, unless one was told before it within this time. */
const QUIET_MS = 10_000;
/** A command is good for 200 ms from when it was made, some moments before its guest had it. */
const SURELY_IN_TIME_MS = 150;
const SURELY_LATE_MS = 200;
const GIVEN_MAX = 1_000;

/**
 * R10: a relayed command acts only if the guest that it was given to has relayed it as it was signed and in time. All other lines are
 * refused, and told.
 */
export class RelayChecks implements RelayWatch {
  readonly #host: RelayingHost;
  /** By their lines. */
  readonly #given = new Map<string, Given>();
  /** Commands that are neither relayed nor sent another way, by the VM that they are for. */
  readonly #open = new Map<number, Given>();
  /** Commands that were relayed as they should be, by the VM that they are for. */
  readonly #relayed = new Map<number, Given>();
  /** Lines of which nobody can say here whether they are still good. */
  readonly #unknown = new Set<string>();
  /** Kept whatever begins anew: the controller that keeps quiet may be the same. */
  readonly #toldMs = new Map<number, number>();
  /** Lines that have to be refused, or may be, since the last that was told of a VM. */
  readonly #refusable = new Map<number, number>();
  /** Spares that are told, by no command of a router, to boot ahead of their use. */
  readonly #ahead = new Set<number>();
  #epoch = 0;

  constructor(host: RelayingHost) {
    this.#host = host;
  }

  received(vm: number, line: string): void {
    const [, kind = '', about = '', place = '', through = ''] =
      /^(start|stop) vm=(\d+) addr=(\S+) through=(\d+) router=[0-9a-f]{16} number=\d+ mac=[0-9a-f]{32}$/.exec(line) ??
      [];
    const { time, violated, holderOf } = this.#host;
    if (kind === '') return violated(`VM ${vm} is given a command to relay that is none: ${line}`);
    if (Number(through) !== vm) violated(`VM ${vm} is given a command that VM ${through} is to relay`);
    if (holderOf(place) !== Number(about)) {
      violated(
        `the ${kind} command for VM ${about} is relayed, and ${place} is ${holderOf(place) ?? 'nobody'}'s in the tables`,
      );
    }
    if (this.#given.has(line)) violated(`a command is given to VM ${vm} twice: ${line}`);
    const given = { kind, vm: Number(about), through: vm, atMs: time.nowMs, heard: false };
    this.#given.set(line, given);
    this.#open.set(given.vm, given);
    this.#relayed.delete(given.vm);
    const [oldest] = this.#given.keys();
    if (this.#given.size > GIVEN_MAX && oldest !== undefined) this.#forget(oldest);
  }

  heard(vm: number, line: string): void {
    const given = this.#given.get(line);
    const { nowMs } = this.#host.time;
    if (this.#unknown.has(line)) return this.#refusableOf(vm);
    if (given?.through === vm && !given.heard && nowMs - given.atMs <= SURELY_LATE_MS) {
      given.heard = true;
      this.#close(given);
      // Whether it is obeyed depends on when it was made.
      if (nowMs - given.atMs > SURELY_IN_TIME_MS) this.#refusableOf(vm);
      else this.#relayed.set(given.vm, given);
      return;
    }
    this.#refusableOf(vm);
    this.#expectToldOf(vm, line);
  }

  acted(kind: 'start' | 'stop', vm: number): void {
    if (kind === 'start' && this.#ahead.delete(vm)) return;
    if (kind === 'stop' && this.#host.isClosing()) return;
    const open = this.#open.get(vm);
    if (open?.kind === kind) {
      this.#host.violated(
        `the ${kind} command for VM ${vm} acts, and VM ${open.through} has not relayed it as it was signed`,
      );
    }
  }

  onEvent({ kind, vm, rule, figures, text }: FleetEvent): void {
    if (vm === undefined) return;
    const refused = rule === 'R10' && kind === 'warning' ? figures?.['refused'] : undefined;
    if (refused !== undefined) return this.#told(vm, String(refused));
    const relayed = kind === 'vm-relay' && figures?.['limit_ms'] !== undefined ? this.#relayed.get(vm) : undefined;
    // A stop command that never came to its guest says nothing of the start command before it.
    if (relayed !== undefined && text.startsWith(`the ${relayed.kind} command `)) {
      this.#host.violated(
        `the ${relayed.kind} command for VM ${vm} goes direct, and VM ${relayed.through} has relayed it in time`,
      );
    }
    if (kind === 'vm-booting' && text.includes(' boots ahead of its use')) this.#ahead.add(vm);
    // Something else was decided, or the command goes direct.
    if (kind !== 'vm-relay' || text.includes(' goes direct')) this.#open.delete(vm);
  }

  /** A part of Shoal ends, begins anew or stands still: which commands are good is not known from here any more. */
  disturbed(): void {
    this.#epoch += 1;
    for (const line of this.#given.keys()) this.#unknown.add(line);
    this.#given.clear();
    this.#open.clear();
    this.#relayed.clear();
    this.#ahead.clear();
    const excess = this.#unknown.size - GIVEN_MAX;
    for (const line of [...this.#unknown].slice(0, Math.max(0, excess))) this.#unknown.delete(line);
  }

  #expectToldOf(vm: number, line: string): void {
    const { time, violated, isAlive } = this.#host;
    const sinceMs = time.nowMs;
    const toldMs = this.#toldMs.get(vm);
    // The limit of the telling is not measured here, only that something is told where nothing was for long.
    if (toldMs !== undefined && sinceMs - toldMs <= QUIET_MS) return;
    const epoch = this.#epoch;
    time.after(TOLD_MS, () => {
      if (epoch !== this.#epoch || !isAlive(vm)) return;
      const isTold = (this.#toldMs.get(vm) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
      if (!isTold)
        violated(`VM ${vm} relays what it was not given, or not in time or not once, and nobody is told: ${line}`);
    });
  }

  #told(vm: number, refused: string): void {
    this.#toldMs.set(vm, this.#host.time.nowMs);
    const refusable = this.#refusable.get(vm) ?? 0;
    this.#refusable.delete(vm);
    // A good one that comes after its VM was told otherwise is late.
    if (refusable > 0 || refused === 'late') return;
    this.#host.violated(
      `a command that VM ${vm} relays is refused as ${refused}, and it has relayed none but good ones`,
    );
  }

  #refusableOf(vm: number): void {
    this.#refusable.set(vm, (this.#refusable.get(vm) ?? 0) + 1);
  }

  #close(given: Given): void {
    if (this.#open.get(given.vm) === given) this.#open.delete(given.vm);
  }

  #forget(line: string): void {
    this.#given.delete(line);
    this.#unknown.add(line);
  }
}
