import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import type { IssuedRelay, Relay, RelayPort } from '../values/relay.ts';
import { onRelayOverdue, RELAY_MS, send } from './control.ts';
import type { Reaction } from './reaction.ts';

const ADDRESS = { id: 7, ip: '10.0.0.7', port: 9_000 };
const START = { kind: 'start', vm: 7 } as const;
const STOP = { kind: 'stop', vm: 1, reason: 'idle', why: 'idle' } as const;

function relaying(): BareFleet {
  return new BareFleet({ control: 'relay' });
}

/** The VM that relays the command, or `direct`. */
function wayOf({ effects }: Reaction): unknown {
  const ways = effects.flatMap((effect): (string | number)[] => {
    if (effect.kind === 'command') return ['direct'];
    return effect.kind === 'relay' ? [effect.relay.through] : [];
  });
  expect(ways).toHaveLength(1);
  return ways[0];
}

/** What a router needs, without a signature: a test does not print the lines. */
function deskOf(): RelayPort & { readonly open: Map<number, Relay> } {
  const open = new Map<number, Relay>();
  let last = 0;
  return {
    open,
    issue: (relay): IssuedRelay => {
      open.set(++last, relay);
      return { number: last, line: `${relay.command.kind} vm=${relay.command.vm}` };
    },
    withdraw: (number) => {
      const relay = open.get(number);
      open.delete(number);
      return relay;
    },
    withdrawAllOf: (vm) => {
      for (const [number, { command }] of open) if (command.vm === vm) open.delete(number);
    },
    begin: () => open.clear(),
  };
}

describe('R10: the way of a command', () => {
  it('is direct by default, and nothing is told of it', () => {
    const { fleet } = new BareFleet().ready(1);
    expect(send(fleet, START, { address: ADDRESS, rule: 'R3' }, 0)).toEqual({
      transitions: [],
      effects: [{ kind: 'command', command: START }],
    });
  });

  it('of a start goes through the freest VM: fewest requests, then the lowest load, then the oldest', () => {
    const bare = relaying().ready(1, 2, 3);
    bare.report(2, { cpuPercent: 1 }).report(3, { cpuPercent: 1 });
    expect(wayOf(send(bare.fleet, START, { address: ADDRESS, rule: 'R3' }, bare.nowMs))).toBe(2);
  });

  it('of a start goes by requests before load, and by load before memory', () => {
    const busy = relaying().ready(1, 2).report(1, { cpuPercent: 1 });
    busy.work(1);
    expect(wayOf(send(busy.fleet, START, { address: ADDRESS, rule: 'R3' }, busy.nowMs))).toBe(2);
    const full = relaying().ready(1, 2);
    full.report(1, { cpuPercent: 1, ramBytes: 2_000 }).report(2, { cpuPercent: 1, ramBytes: 1_000 });
    expect(wayOf(send(full.fleet, START, { address: ADDRESS, rule: 'R3' }, full.nowMs))).toBe(2);
  });

  it('of a start goes through no VM that is out of reach of requests, or takes no more of them', () => {
    const cut = relaying().ready(1).link(1, false);
    expect(wayOf(send(cut.fleet, START, { address: ADDRESS, rule: 'R3' }, cut.nowMs))).toBe('direct');
    const congested = relaying().ready(1).apply({ kind: 'vm-congested', vm: 1, congested: true });
    expect(wayOf(send(congested.fleet, START, { address: ADDRESS, rule: 'R3' }, congested.nowMs))).toBe('direct');
  });

  it('of a first VM is direct, whatever runs', () => {
    const { fleet, nowMs } = relaying().ready(1);
    expect(wayOf(send(fleet, START, { address: ADDRESS, rule: 'R1' }, nowMs))).toBe('direct');
  });

  it('is direct while no VM can relay, and that is told', () => {
    const { fleet, nowMs } = relaying().booting(1);
    const sent = send(fleet, START, { address: ADDRESS, rule: 'R3' }, nowMs);
    expect(wayOf(sent)).toBe('direct');
    expect(sent.effects[0]).toMatchObject({ event: { kind: 'vm-relay', rule: 'R10', vm: 7 } });
  });

  it('of a stop goes through the VM that is to stop, unless that does not work', () => {
    const { fleet, nowMs } = relaying().ready(1, 2);
    expect(wayOf(send(fleet, STOP, { address: ADDRESS, rule: 'R5' }, nowMs))).toBe(1);
    expect(wayOf(send(fleet, STOP, { address: ADDRESS, rule: 'R6', isFaulty: true }, nowMs))).toBe('direct');
    expect(wayOf(send(fleet, STOP, { address: ADDRESS, rule: 'R1' }, nowMs))).toBe(1);
  });

  it('of a stop is direct if the VM has no link, or did not relay the command before', () => {
    const grounds = { address: ADDRESS, rule: 'R5' } as const;
    const cut = relaying().ready(1).link(1, false);
    expect(wayOf(send(cut.fleet, STOP, grounds, cut.nowMs))).toBe('direct');
    const missed = relaying().ready(1);
    missed.apply({ kind: 'vm-relay-missed', vm: 1, nowMs: missed.nowMs });
    expect(wayOf(send(missed.fleet, STOP, grounds, missed.nowMs))).toBe('direct');
  });

  it('that was not relayed in time is direct, and its guest is asked no more for a while', () => {
    const bare = relaying().ready(1).booting(7);
    const overdue = onRelayOverdue(bare.fleet, { command: START, address: ADDRESS, through: 1 }, bare.nowMs);
    expect(wayOf(overdue)).toBe('direct');
    bare.apply(...overdue.transitions);
    const next = { address: ADDRESS, rule: 'R3' } as const;
    expect(wayOf(send(bare.fleet, START, next, bare.nowMs))).toBe('direct');
    bare.later(10_000);
    expect(wayOf(send(bare.fleet, START, next, bare.nowMs))).toBe(1);
  });

  it('that is overdue for a VM that is told to stop meanwhile goes nowhere', () => {
    const { fleet } = relaying().ready(1, 7);
    expect(onRelayOverdue(fleet, { command: START, address: ADDRESS, through: 1 }, 0).effects).toEqual([]);
  });

  it('that is overdue goes to a VM that is to stop only while it stops', () => {
    const bare = relaying().ready(1);
    const relay = { command: STOP, address: ADDRESS, through: 1 };
    expect(onRelayOverdue(bare.fleet, relay, 0).effects).toEqual([]);
    bare.apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'idle', nowMs: bare.nowMs });
    expect(wayOf(onRelayOverdue(bare.fleet, relay, bare.nowMs))).toBe('direct');
  });

  it('that is overdue is held against no guest that is gone', () => {
    const { fleet } = relaying().booting(7);
    const overdue = onRelayOverdue(fleet, { command: START, address: ADDRESS, through: 99 }, 0);
    expect([overdue.transitions, wayOf(overdue)]).toEqual([[], 'direct']);
  });
});

describe('R10: the router', () => {
  it('starts a VM through a guest, and directly if that swallows the command', async () => {
    const desk = deskOf();
    await using fleet = new FakeFleet({ addresses: 3, params: { min_vm_count: 1 }, relays: desk });
    await fleet.settle();
    fleet.report(1);
    expect(desk.open.size).toBe(0);
    fleet.send();
    fleet.send();
    await fleet.settle();
    expect(fleet.links.of(1).relayed).toEqual(['start vm=2']);
    expect(fleet.commands.filter(({ kind }) => kind === 'start' || kind === 'listen')).toEqual([
      { kind: 'start', vm: 1 },
      { kind: 'listen', vm: 1 },
    ]);
    await fleet.advance(RELAY_MS);
    expect(fleet.commands.filter(({ kind }) => kind === 'start')).toEqual([
      { kind: 'start', vm: 1 },
      { kind: 'start', vm: 2 },
    ]);
    expect(desk.open.size).toBe(0);
  });

  /** VM 1 has been given the command to start VM 2, and has not relayed it yet. */
  async function underWay(desk: RelayPort): Promise<FakeFleet> {
    const fleet = new FakeFleet({ addresses: 3, params: { min_vm_count: 1 }, relays: desk });
    await fleet.settle();
    fleet.report(1);
    fleet.send();
    fleet.send();
    await fleet.settle();
    return fleet;
  }

  it('gives the guest 200 ms', async () => {
    await using fleet = await underWay(deskOf());
    const starts = (): number => fleet.commands.filter(({ kind, vm }) => kind === 'start' && vm === 2).length;
    await fleet.advance(199);
    expect(starts()).toBe(0);
    await fleet.advance(1);
    expect(starts()).toBe(1);
  });

  it('takes a command back when its VM is gone, or is told otherwise', async () => {
    const [gone, removed] = [deskOf(), deskOf()];
    await using first = await underWay(gone);
    expect([...gone.open.values()].map(({ command }) => command.vm)).toEqual([2]);
    first.gone(2);
    await first.settle();
    await using second = await underWay(removed);
    second.router.tell({ kind: 'remove-vm', vm: 2, replyTo: { path: 'admin', tell: () => true } });
    await second.settle();
    const left = [gone, removed].flatMap(({ open }) => [...open.values()]).filter(({ command }) => command.vm === 2);
    expect(left).toEqual([]);
  });
});
