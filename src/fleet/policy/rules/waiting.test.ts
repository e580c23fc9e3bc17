import { describe, expect, it } from 'vitest';
import { BareFleet } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';
import { WAIT_REASONS, type WaitReason } from '../../values/end-reason.ts';
import { Plan } from '../plan.ts';
import { waitOf } from './waiting.ts';

const GIB = 1024 ** 3;
const NO_MEMORY = { kind: 'host-memory', memory: { availableBytes: GIB, vmBytes: GIB / 4 }, nowMs: 0 } as const;

function waitIn(bare: BareFleet) {
  return waitOf(new Plan(bare.fleet, bare.nowMs));
}

/** Each of them with a request that waits for that reason, and for no other. */
const WAITS: Readonly<Record<WaitReason, { readonly rule: string; readonly why: RegExp; of(): BareFleet }>> = {
  'host-away': {
    rule: 'R6',
    why: /out of reach/,
    of: () => new BareFleet().ready(1).apply({ kind: 'host-away', nowMs: 0 }).wait(1),
  },
  'vm-starting': { rule: 'R3', why: /a VM starts for them/, of: () => new BareFleet().booting(1).wait(1) },
  'no-address': {
    rule: 'R3',
    why: /no address is free/,
    of: () => new BareFleet({ addresses: 1, params: { vm_backlog_max: 0 } }).ready(1).busy(1).wait(1),
  },
  'no-memory': {
    rule: 'R3',
    why: /host_memory_reserve_bytes/,
    of: () => new BareFleet({ params: { host_memory_reserve_bytes: GIB } }).apply(NO_MEMORY).wait(1),
  },
  'crash-loop': {
    rule: 'R1',
    why: /2 VMs failed in a row; the next is started in 250 ms/,
    of: () => new BareFleet().booting(1).crash(1).booting(2).crash(2).wait(1),
  },
  'no-vm-id': {
    rule: 'R3',
    why: /the store gives no id/,
    of: () => new BareFleet().apply({ kind: 'no-id', untilMs: 1_000 }).wait(1),
  },
  'all-busy': {
    rule: 'R2',
    why: /the one VM that takes requests is busy/,
    of: () => new BareFleet().ready(1).busy(1).wait(1),
  },
};

describe('requests that wait', () => {
  it.each(WAIT_REASONS)('are told that it is for: %s', (reason) => {
    const { rule, why, of } = WAITS[reason];
    const wait = waitIn(of());
    expect(wait).toMatchObject({ rule, reason, why: expect.stringMatching(why), figures: { waiting: 1 } });
    expect(wait?.considered.map(({ what }) => what)).toEqual(expect.arrayContaining(['a free VM', 'a VM that starts']));
  });

  it('are told by the rule that keeps them from each VM that could serve them', () => {
    const bare = WAITS['no-address'].of();
    expect(waitIn(bare)?.considered).toEqual([
      { what: 'a free VM', rule: 'R2', why: expect.stringContaining('each of the 1 VMs that take requests has') },
      {
        what: 'the queue of a busy VM',
        rule: 'R4',
        why: expect.stringContaining('no VM that takes requests has room'),
      },
      { what: 'a VM that starts', rule: 'R3', why: 'none starts' },
      { what: 'another VM', rule: 'R3', why: expect.stringContaining('no address is free: of 1 VMs hold 1') },
    ]);
  });

  it('are told nothing if a VM is free for the first of them', () => {
    expect(waitIn(new BareFleet().ready(1).wait(1))).toBeUndefined();
  });

  it('are told after half a second, all by one event, and then by about one a second', async () => {
    await using fleet = new FakeFleet({ obeys: [] });
    for (let n = 0; n < 40; n++) fleet.send();
    await fleet.advance(450);
    expect(fleet.eventsOf('waiting')).toEqual([]);
    await fleet.advance(100);
    expect(fleet.eventsOf('waiting')).toMatchObject([
      {
        reason: 'no-address',
        rule: 'R3',
        figures: { waiting: 40 },
        text: expect.stringMatching(/^40 requests wait, the oldest for 5\d\d ms: /),
      },
    ]);
    for (let s = 0; s < 10; s++) await fleet.advance(1_000);
    expect(fleet.eventsOf('waiting').length).toBeGreaterThanOrEqual(10);
    expect(fleet.eventsOf('waiting').length).toBeLessThanOrEqual(12);
  });

  it('are each told within a second, whenever they came', async () => {
    await using fleet = new FakeFleet({ obeys: [], params: { boot_timeout_ms: 60_000, ip_reserve_ms: 90_000 } });
    const cameMs: number[] = [];
    for (let n = 0; n < 60; n++) {
      cameMs.push(fleet.kit.clock.now());
      fleet.send();
      await fleet.advance(137);
    }
    await fleet.advance(1_000);
    const toldMs = fleet.eventsOf('waiting').map(({ atMs }) => atMs);
    const untold = cameMs.filter((came) => !toldMs.some((told) => told >= came && told <= came + 1_000));
    expect(untold).toEqual([]);
  });

  it('are told of the back-off while the image keeps crashing, and of the VM while it boots', async () => {
    await using fleet = new FakeFleet({ obeys: ['prepare'] });
    fleet.send();
    await fleet.advance(600);
    expect(fleet.eventsOf('waiting')).toMatchObject([{ reason: 'vm-starting', figures: { starting: 1 } }]);
    for (let vm = 1; vm <= 6; vm++) {
      fleet.gone(vm);
      await fleet.advance(8_000);
    }
    expect(fleet.eventsOf('waiting').map(({ reason }) => reason)).toContain('crash-loop');
  });
});
