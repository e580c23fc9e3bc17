import type { Ref } from '../../actors/mod.ts';
import { type ErrorEnvelope, ShoalError, toEnvelope } from '../../errors.ts';
import type { HostEvent, VmEnd, VmId } from '../../fleet/mod.ts';
import type { HostNotice } from '../notices.ts';
import type { Found, Hypervisor, Manifest } from '../port.ts';
import { clearFound, clearRemains } from '../vm/remains.ts';
import type { VmTable } from './vm-table.ts';

export interface ReconciliationOptions {
  readonly host: string;
  readonly hypervisor: Hypervisor;
  readonly vms: VmTable;
  readonly events: Ref<HostEvent>;
  readonly notices: Ref<HostNotice>;
  /** Starts an actor for a VM that was found running. */
  readonly adopt: (manifest: Manifest) => void;
  /** Asks for `lookAgain` a while from now; called once until that was done. */
  readonly onUnknown: () => void;
  /** Tells the figures of the host, so that the first VMs are started by them. Never rejects. */
  readonly measure: () => Promise<void>;
}

/**
 * Brings the fleet's knowledge into line with what runs: VMs that run are adopted, what is gone is cleaned up, what
 * cannot be identified is left alone and reported. `host-up` follows once all that was found has been told of, so
 * that any VM that it does not name is gone.
 */
export class Reconciliation {
  readonly #options: ReconciliationOptions;
  /** VMs that were found and have not been told of yet. */
  readonly #untold = new Set<VmId>();
  /** VMs that Shoal cannot identify: they may run. */
  readonly #unknown = new Set<VmId>();
  /** Those of them that a notice has named. */
  readonly #leftAlone = new Set<VmId>();
  /** VMs without an actor that are being ended. */
  readonly #clearing = new Set<VmId>();
  #looksAgain = false;
  #scanned = false;
  #impaired = false;
  #up = false;
  /** Of the router that last asked for all. */
  #census: number | undefined;

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** Looks for all VMs. @returns false if the host cannot be looked at: then `scan` again later */
  async scan(): Promise<boolean> {
    const { hypervisor, notices, adopt } = this.#options;
    let all: readonly Found[];
    try {
      // A VM that has an actor, from a command before this scan, is in good hands.
      all = (await hypervisor.list()).filter((found) => !this.#hasActor(found));
    } catch (error) {
      const why = `its VMs cannot be listed, so none is adopted yet: ${String(error)}`;
      if (!this.#impaired) notices.tell({ kind: 'host-impaired', why });
      this.#impaired = true;
      return false;
    }
    this.#scanned = true;
    const others = all.filter(({ kind }) => kind !== 'running');
    await Promise.all(others.map((found) => this.#clear(found, (why) => this.#reportUnknown(found, why))));
    const running = all.flatMap((found) => (found.kind === 'running' ? [found.manifest] : []));
    for (const { spec } of running) this.#untold.add(spec.vm);
    for (const manifest of running) adopt(manifest);
    this.#upIfAllTold();
    return true;
  }

  /** Has all VMs told of again, and then `host-up`. */
  announce(census: number): void {
    const { vms } = this.#options;
    this.#census = census;
    this.#up = false;
    for (const vm of vms.ids) {
      this.#untold.add(vm);
      vms.tell(vm, { kind: 'announce' });
    }
    this.#upIfAllTold();
  }

  /** The VM was told of, or Shoal cannot identify it and has said so. */
  told(vm: VmId): void {
    this.#options.vms.announced(vm);
    if (this.#untold.delete(vm)) this.#upIfAllTold();
  }

  /** A VM that has no actor was looked for. @param goOn tells it the command, once it has one */
  settle(vm: VmId, found: Found | undefined, goOn: () => void): void {
    if (found?.kind === 'running') {
      this.#forget(vm);
      this.#untold.add(vm);
      this.#options.adopt(found.manifest);
      goOn();
    } else if (found === undefined) {
      const { host } = this.#options;
      const error = new ShoalError('VM_UNKNOWN', `Host ${host} has no VM ${vm}`, { details: { host, vm } });
      this.#gone(vm, { reason: 'not-on-host', why: 'this host has no such VM' }, toEnvelope(error));
    } else if (found.kind === 'unknown') {
      this.leaveAlone(vm, found.why);
    } else if (!this.#clearing.has(vm)) {
      this.#clearing.add(vm);
      void this.#clear(found, (why) => this.leaveAlone(vm, why)).then(() => this.#clearing.delete(vm));
    }
  }

  /** Looks once more for those that could not be identified, and takes up what can be now. Never rejects. */
  async lookAgain(): Promise<void> {
    await Promise.all([...this.#unknown].map((vm) => this.#lookAgainFor(vm)));
    this.#looksAgain = false;
    if (this.#unknown.size > 0) this.#askToLookAgain();
  }

  /** At the stop of the host: ends those that can be identified by now. Never rejects. */
  async endUnknown(): Promise<void> {
    await Promise.all([...this.#unknown].map((vm) => clearRemains(this.#options.hypervisor, vm, undefined)));
  }

  /** The VM may run: `host-up` names it, so that nobody takes its address for free. */
  leaveAlone(vm: VmId, why: string): void {
    this.#keepUnknown(vm);
    // The fleet repeats its commands; the operator need not be told again.
    if (!this.#leftAlone.has(vm)) this.#options.notices.tell({ kind: 'vm-unidentified', vm, why });
    this.#leftAlone.add(vm);
    this.told(vm);
  }

  #hasActor(found: Found): boolean {
    const vm = vmOf(found);
    return vm !== undefined && this.#options.vms.has(vm);
  }

  #reportUnknown(found: Found, why: string): void {
    const vm = vmOf(found);
    if (vm !== undefined) this.#keepUnknown(vm);
    const directory = found.kind === 'unknown' || found.kind === 'orphan' ? found.directory : String(vm);
    this.#options.notices.tell({ kind: 'unknown-found', directory, why });
  }

  async #lookAgainFor(vm: VmId): Promise<void> {
    const { hypervisor, vms, adopt } = this.#options;
    const found = await hypervisor.find(vm).catch(unreadable);
    // Meanwhile a command may have found it, and it has an actor, or is gone.
    if (found === 'unreadable' || !this.#unknown.has(vm) || vms.has(vm) || this.#clearing.has(vm)) return;
    if (found === undefined) {
      this.#gone(vm, PROCESS_GONE, undefined);
    } else if (found.kind === 'running') {
      this.#unknown.delete(vm);
      this.#untold.add(vm);
      adopt(found.manifest);
    } else if (found.kind !== 'unknown') {
      await this.#clear(found, () => undefined);
    }
  }

  #keepUnknown(vm: VmId): void {
    this.#unknown.add(vm);
    this.#askToLookAgain();
  }

  #askToLookAgain(): void {
    if (this.#looksAgain) return;
    this.#looksAgain = true;
    this.#options.onUnknown();
  }

  async #clear(found: Found, unidentified: (why: string) => void): Promise<void> {
    const { hypervisor, notices } = this.#options;
    const vm = vmOf(found);
    const remains = await clearFound(hypervisor, found);
    if (remains.kind === 'unidentified') return unidentified(remains.why);
    if (vm === undefined) return;
    const { orphaned, left } = remains;
    if (orphaned !== undefined) notices.tell({ kind: 'vm-orphaned', vm, why: orphaned });
    if (left !== undefined) notices.tell({ kind: 'directory-left', vm, why: left });
    if (orphaned !== undefined) return this.#gone(vm, { reason: 'orphaned', why: orphaned }, undefined);
    this.#gone(vm, PROCESS_GONE, undefined);
  }

  #gone(vm: VmId, because: Pick<VmEnd, 'reason' | 'why'>, error: ErrorEnvelope | undefined): void {
    const { events } = this.#options;
    const end = { clean: false, ...because, exitCode: null };
    events.tell({ kind: 'vm-gone', vm, end, ...(error === undefined ? {} : { error }) });
    this.#forget(vm);
    this.told(vm);
  }

  #forget(vm: VmId): void {
    this.#unknown.delete(vm);
    this.#leftAlone.delete(vm);
  }

  #upIfAllTold(): void {
    if (!this.#scanned || this.#up || this.#untold.size > 0) return;
    this.#up = true;
    void this.#tellUp();
  }

  async #tellUp(): Promise<void> {
    const { vms, events, measure } = this.#options;
    await measure();
    // Meanwhile more may have been found, or all may have to be told of again: `host-up` follows the last of them.
    if (this.#untold.size > 0) this.#up = false;
    if (!this.#up) return;
    const there = [...new Set([...vms.ids, ...this.#unknown])];
    events.tell({ kind: 'host-up', vms: there, ...(this.#census === undefined ? {} : { census: this.#census }) });
  }
}

const PROCESS_GONE = { reason: 'process-gone', why: 'its process was gone when Shoal came back' } as const;

const unreadable = (): 'unreadable' => 'unreadable';

function vmOf(found: Found): VmId | undefined {
  return found.kind === 'running' ? found.manifest.spec.vm : found.vm;
}
