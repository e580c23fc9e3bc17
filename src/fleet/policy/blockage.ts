import type { Fleet } from '../state/fleet.ts';
import type { Figures } from '../values/rule.ts';

/** Why no VM can be started. */
export interface Blockage {
  readonly cause: 'host' | 'back-off' | 'no-id' | 'memory' | 'addresses';
  /** For people. */
  readonly text: string;
  readonly figures: Figures;
}

/** What keeps a VM from being started on a free address, if there is one. */
export type HostBlock = Exclude<Blockage['cause'], 'addresses'>;

/**
 * What keeps the host from starting a VM on a free address; undefined if it may.
 * @param made VMs that are to be made beside it
 * @param notBeforeMs until when the back-off lasts
 */
export function hostBlock(
  fleet: Fleet,
  nowMs: number,
  made = 0,
  notBeforeMs = fleet.host.notBeforeMs,
): HostBlock | undefined {
  const { host } = fleet;
  if (host.reach !== 'up') return 'host';
  if (host.noIdBeforeMs > nowMs) return 'no-id';
  if (!hasMemory(fleet, made)) return 'memory';
  return notBeforeMs > nowMs ? 'back-off' : undefined;
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
  const cause = hostBlock(fleet, nowMs);
  if (fleet.host.reach === 'up' && fleet.spares > 0) return undefined;
  const isAddressWanted = cause === undefined || cause === 'back-off';
  if (isAddressWanted && fleet.freeAddresses(nowMs).next().done === true) return noAddress(fleet, nowMs, 0);
  return cause === undefined ? undefined : blockageBy(fleet, cause, nowMs);
}

/**
 * The cause with its figures.
 * @param made VMs that are to be made beside it
 * @param notBeforeMs until when the back-off lasts
 */
export function blockageBy(
  fleet: Fleet,
  cause: Blockage['cause'],
  nowMs: number,
  made = 0,
  notBeforeMs = fleet.host.notBeforeMs,
): Blockage {
  const { host } = fleet;
  switch (cause) {
    case 'host':
      if (host.reach === 'unseen') return blocked('host', `host ${host.name} has not told what it adopted yet`);
      return blocked('host', `host ${host.name} is out of reach`);
    case 'no-id':
      return blocked('no-id', 'the store gives no id; see the event before');
    case 'memory':
      return noMemory(fleet, made);
    case 'addresses':
      return noAddress(fleet, nowMs, made);
    case 'back-off': {
      const waitMs = Math.ceil(notBeforeMs - nowMs);
      const text = `${host.failures} VMs failed in a row; the next is started in ${waitMs} ms`;
      return { cause: 'back-off', text, figures: { failures: host.failures, wait_ms: waitMs } };
    }
  }
}

function noMemory({ host, params, unmeasured }: Fleet, made: number): Blockage {
  const { availableBytes = 0, vmBytes = 0 } = host.memory ?? {};
  const { hostMemoryReserveBytes } = params;
  const toCome = unmeasured + made;
  const coming = toCome === 0 ? '' : `, ${toCome} VMs are still to take theirs`;
  const text =
    `the host has ${availableBytes} bytes left and a VM takes ${vmBytes}${coming}, ` +
    `but ${hostMemoryReserveBytes} are to stay free (host_memory_reserve_bytes)`;
  const figures = {
    available_bytes: availableBytes,
    vm_bytes: vmBytes,
    host_memory_reserve_bytes: hostMemoryReserveBytes,
  };
  return { cause: 'memory', text, figures };
}

function noAddress(fleet: Fleet, nowMs: number, made: number): Blockage {
  const unheld = fleet.pool.filter((entry) => entry.vm === undefined);
  const held = fleet.pool.length - unheld.length + made;
  const aside = unheld.filter((entry) => entry.trouble.quarantinedUntilMs > nowMs).length;
  const figures = { addresses: fleet.pool.length, held, set_aside: aside };
  if (fleet.pool.length === 0) {
    // As that of a host without VMs always is: it lives by the others.
    const text = 'the address pool is empty (shoal ip add), and no other host has room (shoal hosts)';
    return { cause: 'addresses', text, figures };
  }
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
