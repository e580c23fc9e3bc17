import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import { waitOrRefuse } from '../policy/route.ts';

const QUIET = { min_vm_count: 1, free_count: 1_000 };
const ADDRESS = { id: 1, ip: '10.0.0.1', port: 9_000 };
const admin = { path: 'admin', tell: () => true };
const figures = (fleet: FakeFleet) => fleet.event({ kind: 'host-stats', availableBytes: 1e10, vmBytes: 1e6 });

async function running(options: ConstructorParameters<typeof FakeFleet>[0] = {}): Promise<FakeFleet> {
  const fleet = new FakeFleet({ ...options, params: { ...QUIET, ...options.params } });
  await fleet.settle();
  fleet.report(1);
  await fleet.settle();
  return fleet;
}

describe('R8', () => {
  it('keeps the address of a VM that is found again while its release is being written', async () => {
    const releases: (() => void)[] = [];
    const release = (): Promise<void> => new Promise((resolve) => releases.push(resolve));
    await using fleet = await running({ addresses: 1, params: { min_vm_count: 2 }, release });
    fleet.gone(1);
    await fleet.settle();
    fleet.event({
      kind: 'vm-adopted',
      vm: 1,
      address: ADDRESS,
      pid: 7,
      startedMs: 0,
      state: 'answering',
    });
    for (const durable of releases) durable();
    await fleet.advance(500);
    expect((await fleet.snapshot()).vms.map(({ id_vmachine, id_ip }) => [id_vmachine, id_ip])).toEqual([[1, 1]]);
  });
});

describe('R11, an orphaned reply', () => {
  const port = () => {
    const published: unknown[] = [];
    const orphanedReplies = {
      open: () => ({ requestId: 'x' }),
      publish: (_: unknown, one: unknown) => void published.push(one),
    };
    return { published, orphanedReplies };
  };
  const orphan = {
    kind: 'link-orphaned-reply',
    vm: 1,
    token: Uint8Array.of(1),
    ok: true,
    payload: new Uint8Array(1),
  } as const;

  it('is not the reply to another text that has its id by now', async () => {
    await using fleet = await running({ addresses: 1, ...port() });
    fleet.send({ requestId: 'x', payload: Uint8Array.of(1), withinMs: 1_000 });
    await fleet.advance(1_100);
    fleet.dropLink(1);
    await fleet.settle();
    const other = fleet.send({ requestId: 'x', payload: Uint8Array.of(2) });
    fleet.linkReady(1);
    fleet.router.tell(orphan);
    await fleet.settle();
    expect(other.outcomes).toEqual([]);
  });

  it('is no second outcome, also if its VM was being ended and nobody had named the request', async () => {
    const { published, orphanedReplies } = port();
    await using fleet = await running({ addresses: 1, orphanedReplies, obeys: ['prepare', 'start'] });
    const client = fleet.send({ requestId: 'x', isIdGenerated: true });
    await fleet.settle();
    fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: admin });
    await fleet.settle();
    fleet.dropLink(1);
    fleet.linkReady(1);
    fleet.router.tell(orphan);
    fleet.gone(1);
    await fleet.advance(500);
    expect([published.length, client.outcomes.length]).toEqual([0, 1]);
  });
});

describe('R6 and R7, a host that fell silent', () => {
  it('costs a VM that boots none of its time', async () => {
    await using fleet = new FakeFleet({ params: QUIET, obeys: ['prepare'] });
    await fleet.advance(5_500);
    figures(fleet);
    await fleet.advance(60_000);
    figures(fleet);
    await fleet.advance(4_000);
    expect(fleet.told('stop')).toEqual([]);
  });

  it('costs a VM that is ready none of its time', async () => {
    await using fleet = await running();
    figures(fleet);
    await fleet.advance(4_000);
    fleet.dropLink(1);
    await fleet.advance(60_000);
    figures(fleet);
    await fleet.advance(500);
    expect(fleet.told('stop')).toEqual([]);
  });

  it('costs a reservation none of its time', async () => {
    await using fleet = new FakeFleet({ params: { ...QUIET, last_connect_ms: 10_000 }, obeys: [] });
    await fleet.advance(11_500);
    figures(fleet);
    await fleet.advance(4_000);
    expect(fleet.told('stop')).toEqual([]);
  });

  it('is told to start a VM when it is back, whose reservation became durable meanwhile', async () => {
    let durable: () => void = () => undefined;
    const reserve = (): Promise<void> => new Promise((resolve) => (durable = resolve));
    await using fleet = new FakeFleet({ params: QUIET, reserve });
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'silent' });
    await fleet.settle();
    durable();
    await fleet.settle();
    expect(fleet.told('start')).toEqual([]);
    fleet.event({ kind: 'host-up', vms: [1] });
    await fleet.settle();
    expect(fleet.told('start')).toEqual([1]);
  });
});

describe('R6', () => {
  it('takes a link that comes up for a sign of life', async () => {
    await using fleet = await running();
    await fleet.advance(4_100);
    fleet.dropLink(1);
    fleet.linkReady(1);
    await fleet.advance(2_000);
    expect(fleet.told('stop')).toEqual([]);
  });

  it('does not take work for overdue because our own process stood still', async () => {
    await using fleet = await running({ params: { stuck_ms: 5_000 } });
    fleet.send();
    await fleet.advance(20_000);
    fleet.stall(40_000);
    await fleet.advance(5_000);
    expect(fleet.told('stop')).toEqual([]);
  });
});

describe('R4', () => {
  it('lets as many wait as router_queue_max says, beside those that the VMs to come will take', () => {
    const bare = new BareFleet({ addresses: 1, params: { router_queue_max: 2 } }).booting(1).wait(2);
    expect(waitOrRefuse(bare.fleet, 0).kind).toBe('wait');
    expect(waitOrRefuse(bare.wait(1).fleet, 0).kind).toBe('refuse');
  });
});

describe('a restart', () => {
  it('goes on although a VM failed long ago and none can be started', async () => {
    await using fleet = await running({ params: { host_memory_reserve_bytes: 2 ** 30 } });
    fleet.gone(1);
    await fleet.settle();
    fleet.event({ kind: 'host-stats', availableBytes: 0, vmBytes: 1 });
    fleet.router.tell({ kind: 'restart-vms', vms: 'all', replyTo: admin });
    for (let second = 0; second < 70; second++) {
      fleet.report(2);
      figures(fleet);
      fleet.event({ kind: 'host-stats', availableBytes: 0, vmBytes: 1 });
      await fleet.advance(1_000);
    }
    expect(fleet.eventsOf('vm-drain').map(({ vm }) => vm)).toContain(2);
  });
});

describe('a sizing policy', () => {
  it('may fail while its list is read, and is told of each time that it begins to fail', async () => {
    let fails = true;
    const start = {
      [Symbol.iterator]() {
        if (fails) throw new Error('a defect');
        return [].values();
      },
    };
    const lazy = { name: 'lazy', decide: () => ({ start, drain: [], spares: 0 }) };
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, sizing: lazy });
    await fleet.advance(500);
    fails = false;
    await fleet.advance(500);
    fails = true;
    await fleet.advance(500);
    expect(fleet.eventsOf('failed')).toHaveLength(2);
    expect(fleet.kit.failures).toEqual([]);
  });
});
