import type { Fleet } from '../state/fleet.ts';
import type { Figures } from '../values/rule.ts';

/** Why no VM can be started. */
export interface Blockage {
  readonly cause: 'host' | 'back-off' | 'no-id' | 'memory' | 'addresses';
  /** For people. */
  readonly text: string;
  readonly figures: Figures;
}

/**
 * Whether the host may start a VM on a free address.
 * @param made VMs that are to be made beside it
 * @param notBeforeMs until when the back-off lasts
 */
export function mayStart(fleet: Fleet, nowMs: number, made = 0, notBeforeMs = fleet.host.notBeforeMs): boolean {
  const { host } = fleet;
  return host.reach === 'up' && notBeforeMs <= nowMs && host.noIdBeforeMs <= nowMs && hasMemory(fleet, made);
}

/** How many VMs R3 could start now: the spares, then as many as there are addresses and memory. */
export function startableVms(fleet: Fleet, nowMs: number): number {
  const { host, spares } = fleet;
  if (host.reach !== 'up' || host.notBeforeMs > nowMs) return 0;
  if (host.noIdBeforeMs > nowMs) return spares;
  return spares + Math.min(fleet.freeAddressCount(nowMs), vmsInMemory(fleet));
}

/** The first thing that keeps a VM from being started; undefined if nothing does. */
export function blockageOf(fleet: Fleet, nowMs: number): Blockage | undefined {
  const { host, params } = fleet;
  if (host.reach === 'unseen') return blocked('host', `host ${host.name} has not told what it adopted yet`);
  if (host.reach === 'away') return blocked('host', `host ${host.name} is out of reach`);
  if (fleet.spares > 0) return undefined;
  if (host.noIdBeforeMs > nowMs) return blocked('no-id', 'the store gives no id; see the event before');
  if (host.memory !== undefined && !hasMemory(fleet, 0)) {
    const figures = {
      available_bytes: host.memory.availableBytes,
      vm_bytes: host.memory.vmBytes,
      host_memory_reserve_bytes: params.hostMemoryReserveBytes,
    };
    const text =
      `the host has ${host.memory.availableBytes} bytes left and a VM takes ${host.memory.vmBytes}, ` +
      `but ${params.hostMemoryReserveBytes} are to stay free (host_memory_reserve_bytes)`;
    return { cause: 'memory', text, figures };
  }
  if (fleet.freeAddresses(nowMs).next().done === true) return noAddress(fleet);
  if (host.notBeforeMs <= nowMs) return undefined;
  const waitMs = Math.ceil(host.notBeforeMs - nowMs);
  const text = `${host.failures} VMs failed in a row; the next is started in ${waitMs} ms`;
  return { cause: 'back-off', text, figures: { failures: host.failures, wait_ms: waitMs } };
}

function noAddress(fleet: Fleet): Blockage {
  const held = fleet.pool.filter((entry) => entry.vm !== undefined).length;
  const aside = fleet.pool.length - held;
  const figures = { addresses: fleet.pool.length, held, set_aside: aside };
  if (fleet.pool.length === 0) return { cause: 'addresses', text: 'the address pool is empty (shoal ip add)', figures };
  const asideText = aside === 0 ? '' : `, ${aside} are taken by other programs`;
  const text = `no address is free: of ${fleet.pool.length} VMs hold ${held}${asideText} (shoal ip add)`;
  return { cause: 'addresses', text, figures };
}

function hasMemory(fleet: Fleet, made: number): boolean {
  return vmsInMemory(fleet) > made;
}

/** How many more VMs the host has memory for. A VM shows in the host's figure once it has booted; until then it counts in full. */
function vmsInMemory({ host, unmeasured, params }: Fleet): number {
  if (host.memory === undefined) return Number.POSITIVE_INFINITY;
  const { availableBytes, vmBytes } = host.memory;
  const leftBytes = availableBytes - unmeasured * vmBytes - params.hostMemoryReserveBytes;
  if (leftBytes < 0) return 0;
  return vmBytes === 0 ? Number.POSITIVE_INFINITY : Math.floor(leftBytes / vmBytes);
}

function blocked(cause: Blockage['cause'], text: string): Blockage {
  return { cause, text, figures: {} };
}
