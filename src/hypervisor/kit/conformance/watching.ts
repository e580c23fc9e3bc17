import assert from 'node:assert/strict';
import type { VmId } from '../../../fleet/mod.ts';
import { GuestClient } from '../../link/guest-client.ts';
import type { Found, Hypervisor, Machine, MachineExit, MachineSpec } from '../../port.ts';
import type { HypervisorPlace } from './place.ts';

/** Generous: it is only reached when something is wrong. */
const ANSWER_MS = 30_000;

/** What a machine's listeners are told. */
export class Watch {
  readonly machine: Machine;
  said = '';
  readonly exits: MachineExit[] = [];
  /** Of each exit: what the console had said when it was told, and whether the process ran. */
  readonly atExit: { readonly said: string; readonly ran: boolean }[] = [];
  readonly #waiting = new Set<{ readonly isThere: () => boolean; readonly resolve: () => void }>();

  constructor(place: HypervisorPlace, machine: Machine) {
    this.machine = machine;
    machine.onConsole((bytes) => {
      this.said += Buffer.from(bytes).toString('latin1');
      this.#look();
    });
    machine.onExit((exit) => {
      this.exits.push(exit);
      this.atExit.push({ said: this.said, ran: place.isAlive(machine.process) });
      this.#look();
    });
  }

  /** Resolves once the console has said the text so many times. */
  hears(text: string, times = 1): Promise<void> {
    return this.#until(() => this.said.split(text).length > times);
  }

  ends(): Promise<void> {
    return this.#until(() => this.exits.length > 0);
  }

  #until(isThere: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add({ isThere, resolve });
      this.#look();
    });
  }

  #look(): void {
    for (const waiting of this.#waiting) {
      if (!waiting.isThere()) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}

/** A machine whose CPU has not run. */
export async function prepared(place: HypervisorPlace, spec?: MachineSpec): Promise<Watch> {
  return new Watch(place, await place.hypervisor.prepare(spec ?? (await place.spec())));
}

/** A machine whose guest has reported. */
export async function started(place: HypervisorPlace, spec?: MachineSpec): Promise<Watch> {
  const watch = await prepared(place, spec);
  await watch.machine.start();
  await watch.hears('shoal1 status');
  return watch;
}

/** A machine that somebody else has made. */
export async function adopted(place: HypervisorPlace, hypervisor: Hypervisor, vm: VmId): Promise<Watch> {
  return new Watch(place, await hypervisor.adopt((await running(hypervisor, vm)).manifest));
}

/** Finds a VM, which must run. */
export async function running(hypervisor: Hypervisor, vm: VmId): Promise<Extract<Found, { kind: 'running' }>> {
  const found = await hypervisor.find(vm);
  assert.ok(found?.kind === 'running', `VM ${vm} runs, and find says ${found?.kind}`);
  return found;
}

/** Ends a machine, so that it is gone and not removed. */
export async function killed(watch: Watch): Promise<void> {
  watch.machine.signal('SIGKILL');
  await watch.ends();
}

/** A client whose ping the guest has answered. */
export function linked({ hypervisor, clock }: HypervisorPlace, spec: MachineSpec): Promise<GuestClient> {
  return GuestClient.open(hypervisor.connect(spec), ANSWER_MS, clock);
}

export async function pings(client: GuestClient): Promise<void> {
  await client.ping(ANSWER_MS);
}

/** @param codes one of which the error has */
export async function refuses(work: Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    assert.ok(codes.includes(String(code)), `expected ${codes.join(' or ')}, got ${String(error)}`);
    return true;
  });
}

/**
 * @param what is said of the VM. `held`: somebody drives it; an adapter whose monitor serves only one may say that it
 * runs, or that it cannot be identified, and never that it is gone
 */
export async function isFound(hypervisor: Hypervisor, vm: VmId, what: 'held' | 'gone' | 'nothing'): Promise<void> {
  const isSuch = (kind: Found['kind'] | undefined): boolean => {
    if (what === 'held') return kind === 'running' || kind === 'unknown';
    return (kind ?? 'nothing') === what;
  };
  const found = (await hypervisor.find(vm))?.kind;
  assert.ok(isSuch(found), `find says ${found}, and VM ${vm} is ${what}`);
  const listed = (await hypervisor.list()).find((one) => vmOf(one) === vm)?.kind;
  assert.ok(isSuch(listed), `list says ${listed}, and VM ${vm} is ${what}`);
}

function vmOf(found: Found): VmId | undefined {
  return found.kind === 'running' ? found.manifest.spec.vm : found.vm;
}
