import type { RouterMessage } from '../router/router-messages.ts';
import type { Address } from '../values/address.ts';
import type { HostCommand } from '../values/host-messages.ts';
import type { VmId } from '../values/vm-id.ts';
import { type FakeClient, FakeFleet } from './fake-fleet.ts';
import type { FakeLink } from './fake-link.ts';

interface Process {
  readonly address: Address;
  running: boolean;
}

/** A write that the store has not settled yet. */
interface Write {
  readonly succeed: () => void;
  readonly fail: () => void;
}

/** How many of each kind there are. */
export interface Pending {
  readonly writes: number;
  readonly commands: number;
  /** Senders with messages to the router on their way. */
  readonly messages: number;
  readonly answered: number;
  readonly processes: number;
  readonly running: number;
  /** Links with requests on them, links that are up, and links that are down. */
  readonly working: number;
  readonly up: number;
  readonly down: number;
}

const HOST = 'here';

/**
 * A fleet in which everything that can go late, twice, or not at all, does so when a test says. What one sender sends one receiver stays
 * in order; across pairs anything overtakes anything. It notes what must never be, seen from where the processes are.
 */
export class FaultyFleet implements AsyncDisposable {
  readonly fleet: FakeFleet;
  readonly clients: FakeClient[] = [];
  /** What must never be, and was. */
  readonly violations: string[] = [];
  /** By `id_ip`: what is durable. */
  readonly held = new Map<number, VmId>();
  readonly #processes = new Map<VmId, Process>();
  readonly #known = new Set<VmId>();
  readonly #toRouter = new Map<string, RouterMessage[]>();
  readonly #answered: RouterMessage[] = [];
  readonly #seq = new Map<VmId, number>();
  #writes: Write[] = [];
  #obeyed = 0;

  constructor(params: Readonly<Record<string, number>>, addresses: number) {
    this.fleet = new FakeFleet({
      params,
      addresses,
      obeys: [],
      reserve: (vm, address) => this.#write(() => this.#hold(vm, address)),
      image: 'old',
      release: (vm) => {
        const ip = this.#processes.get(vm)?.address.ip;
        if (ip !== undefined) this.violations.push(`${ip} is released while VM ${vm} runs on it`);
        return this.#write(() => {
          for (const [id, holder] of this.held) if (holder === vm) this.held.delete(id);
        });
      },
    });
    this.fleet.links.autoReady = false;
    this.fleet.links.tell = (link, event) => this.#queue(`link-${link.vm}`, event);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.fleet[Symbol.asyncDispose]();
  }

  /** How much there is of all that a test may let go on. */
  get pending(): Pending {
    const links = this.#links();
    return {
      writes: this.#writes.length,
      commands: this.fleet.commands.length - this.#obeyed,
      messages: [...this.#toRouter.values()].filter((messages) => messages.length > 0).length,
      answered: this.#answered.length,
      processes: this.#processes.size,
      running: [...this.#processes.values()].filter((process) => process.running).length,
      working: links.filter((link) => link.open.length > 0).length,
      up: links.filter((link) => link.connected).length,
      down: links.filter((link) => !link.connected).length,
    };
  }

  send(withinMs: number, requestId: string | undefined, text: string, retry: boolean): FakeClient {
    const fields = { withinMs, retry, payload: new TextEncoder().encode(text) };
    const client = this.fleet.send(requestId === undefined ? fields : { ...fields, requestId });
    this.clients.push(client);
    return client;
  }

  /** From now on the guest of a VM answers over its link when it is asked whether it lives, or does so no more. */
  pong(which: number, answers: boolean): void {
    const vm = pick([...this.#processes.keys()], which);
    if (vm === undefined) return;
    if (answers) this.fleet.links.ponging.add(vm);
    else this.fleet.links.ponging.delete(vm);
  }

  /** The store settles its oldest write. */
  settleWrite(fails: boolean): void {
    const write = this.#writes.shift();
    if (fails) write?.fail();
    else write?.succeed();
  }

  /** The host takes its next command: obeys it, fails at it, or never gets it. */
  obey(how: 'well' | 'badly' | 'never'): void {
    const command = this.fleet.commands[this.#obeyed];
    if (command === undefined) return;
    this.#obeyed += 1;
    if (how === 'never') return;
    if (command.kind === 'prepare') this.#prepare(command, how === 'badly');
    else if (command.kind === 'start') this.#start(command.vm);
    else this.#end(command.vm, 'stopped');
  }

  /** The process of a VM dies. */
  crash(which: number): void {
    const vm = pick([...this.#processes.keys()], which);
    if (vm !== undefined) this.#end(vm, 'crashed');
  }

  /** The next message of some sender reaches the router, or reaches it twice. */
  deliver(which: number, twice: boolean): void {
    const queue = pick(
      [...this.#toRouter.values()].filter((messages) => messages.length > 0),
      which,
    );
    const message = queue?.shift();
    if (message === undefined) return;
    this.fleet.router.tell(message);
    if (twice) this.fleet.router.tell(message);
  }

  /** A guest ends its oldest request, with its text as the reply, or says once more what it has said. */
  guest(which: number, how: 'replies' | 'fails' | 'repeats'): void {
    if (how === 'repeats') {
      const again = pick(this.#answered, which);
      if (again !== undefined) this.#queue('again', again);
      return;
    }
    const link = pick(
      this.#links().filter((link) => link.open.length > 0),
      which,
    );
    const request = link?.open.shift();
    if (link === undefined || request === undefined) return;
    const { vm } = link;
    const { id, payload } = request;
    const message: RouterMessage =
      how === 'replies' && !link.cancelled.includes(id)
        ? { kind: 'link-reply', vm, id, payload }
        : { kind: 'link-error', vm, id, status: link.cancelled.includes(id) ? 499 : 502, message: 'no' };
    this.#answered.push(message);
    this.#queue(`link-${vm}`, message);
  }

  dropLink(which: number, unsent: number): void {
    const link = pick(
      this.#links().filter((link) => link.connected),
      which,
    );
    if (link !== undefined) this.fleet.links.drop(link, unsent);
  }

  connect(which: number): void {
    const link = pick(
      this.#links().filter(({ connected }) => !connected),
      which,
    );
    if (link !== undefined) this.fleet.links.connect(link);
  }

  report(which: number, busy: boolean, isRepeat: boolean): void {
    const running = [...this.#processes].filter(([, process]) => process.running).map(([vm]) => vm);
    const vm = pick(running, which);
    if (vm === undefined) return;
    const seq = (this.#seq.get(vm) ?? 0) + (isRepeat ? 0 : 1);
    this.#seq.set(vm, seq);
    const inFlight = this.fleet.links.byVm.get(vm)?.open.length ?? 0;
    const report = { seq, cpuPercent: busy ? 90 : 0, ramBytes: 1, inFlight, served: 0 };
    this.#queue(HOST, { kind: 'vm-report', vm, report, atMs: this.fleet.kit.clock.now() });
  }

  reach(isUp: boolean): void {
    if (isUp) this.#queue(HOST, { kind: 'host-up', vms: [...this.#processes.keys()] });
    else this.#queue(HOST, { kind: 'host-down', why: 'link lost' });
  }

  /** From now on everything works: one round of it. */
  async soundRound(): Promise<void> {
    for (let n = 0; n < 4; n++) {
      while (this.#writes.length > 0) this.settleWrite(false);
      while (this.#obeyed < this.fleet.commands.length) this.obey('well');
      for (const link of this.#links()) {
        if (!link.connected) this.fleet.links.connect(link);
        for (let left = link.open.length; left > 0; left--) this.#answer(link);
      }
      this.#deliverAll();
      await this.fleet.settle();
    }
    const running = [...this.#processes.values()].filter((process) => process.running).length;
    for (let which = 0; which < running; which++) this.report(which, true, false);
    this.#deliverAll();
    await this.fleet.advance(1_000);
  }

  #answer(link: FakeLink): void {
    const request = link.open.shift();
    if (request === undefined) return;
    const { id, payload } = request;
    this.#queue(`link-${link.vm}`, { kind: 'link-reply', vm: link.vm, id, payload });
  }

  #deliverAll(): void {
    for (const queue of this.#toRouter.values()) for (const message of queue.splice(0)) this.fleet.router.tell(message);
  }

  #prepare({ vm, address }: Extract<HostCommand, { kind: 'prepare' }>, fails: boolean): void {
    if (this.#known.has(vm)) return;
    this.#known.add(vm);
    const other = [...this.#processes].find(([, process]) => process.address.id === address.id);
    if (other !== undefined) this.violations.push(`VM ${vm} is prepared at ${address.ip}, where VM ${other[0]} is`);
    if (fails) return this.#gone(vm, 'PORT_TAKEN');
    this.#processes.set(vm, { address, running: false });
    this.#queue(HOST, { kind: 'vm-prepared', vm, pid: 1_000 + vm });
  }

  #start(vm: VmId): void {
    const process = this.#processes.get(vm);
    if (process === undefined || process.running) return;
    if (this.held.get(process.address.id) !== vm)
      this.violations.push(`VM ${vm} runs and its reservation is not durable`);
    process.running = true;
    this.#queue(HOST, { kind: 'vm-booting', vm });
    this.#queue(HOST, { kind: 'vm-answering', vm, guest: this.fleet.guest });
  }

  #end(vm: VmId, why: string): void {
    this.#known.add(vm);
    this.#processes.delete(vm);
    const end = { clean: false, reason: 'qemu-exited', why, exitCode: 1 } as const;
    this.#queue(HOST, { kind: 'vm-gone', vm, end });
  }

  #gone(vm: VmId, code: string): void {
    const error = { name: 'ShoalError', code, message: 'taken', details: {} };
    const end = { clean: false, reason: 'address-taken', why: 'taken', exitCode: 1 } as const;
    this.#queue(HOST, { kind: 'vm-gone', vm, end, error });
  }

  /** Links to VMs whose process runs. */
  #links(): FakeLink[] {
    return [...this.fleet.links.byVm.values()].filter((link) => this.#processes.get(link.vm)?.running === true);
  }

  #queue(sender: string, message: RouterMessage): void {
    const queue = this.#toRouter.get(sender);
    if (queue === undefined) this.#toRouter.set(sender, [message]);
    else queue.push(message);
  }

  #hold(vm: VmId, address: Address): void {
    const other = this.held.get(address.id);
    if (other !== undefined && other !== vm)
      this.violations.push(`${address.ip} is reserved for VM ${vm} and ${other}`);
    this.held.set(address.id, vm);
  }

  #write(change: () => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const succeed = (): void => {
        change();
        resolve();
      };
      this.#writes.push({ succeed, fail: () => reject(new Error('disk full')) });
    });
  }
}

function pick<T>(items: readonly T[], which: number): T | undefined {
  return items[which % Math.max(1, items.length)];
}
