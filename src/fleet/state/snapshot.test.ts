import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';
import { makeParams } from '../values/params.ts';
import { Fleet } from './fleet.ts';
import { snapshot } from './snapshot.ts';

describe('a snapshot', () => {
  it('counts requests since the server started, and says how long that is', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    expect(await fleet.snapshot()).toMatchObject({ requests: { accepted: 0, ok: 0, failed: {} }, uptime_ms: 0 });
    for (const status of [undefined, 502] as const) {
      fleet.send({ retry: false });
      await fleet.settle();
      if (status === undefined) fleet.reply(1);
      else fleet.fail(1, status);
      await fleet.settle();
    }
    await fleet.advance(1_500);
    const { requests, uptime_ms } = await fleet.snapshot();
    expect(requests).toMatchObject({ accepted: 2, ok: 1, failed: { 502: 1 } });
    expect(uptime_ms).toBe(1_500);
  });

  it('counts its uptime from the start of its router, which need not be that of the machine', () => {
    const fleet = new Fleet({ host: 'here', params: makeParams(), pool: [], nowMs: 5_000 });
    expect(snapshot(fleet, undefined, 7_000).uptime_ms).toBe(2_000);
  });

  it('leaves the uptime open where the clock that noted the start was wrong', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 0 } });
    await fleet.settle();
    const address = { id: 1, ip: '10.0.0.1', port: 9_000 };
    const startedMs = fleet.kit.clock.now() - 56 * 365 * 86_400_000;
    fleet.event({ kind: 'vm-adopted', vm: 70, address, pid: 5, startedMs, state: 'answering' });
    await fleet.settle();
    expect(await fleet.row(70)).toMatchObject({ uptime_ms: null });
  });

  it('lists VMs by their ids, in whatever order they were adopted', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 0 } });
    await fleet.settle();
    for (const vm of [12, 2, 7]) {
      const address = { id: vm, ip: `10.0.0.${vm}`, port: 9_000 };
      fleet.event({ kind: 'vm-adopted', vm, address, pid: vm, startedMs: fleet.kit.clock.now(), state: 'answering' });
    }
    await fleet.settle();
    expect((await fleet.snapshot()).vms.map(({ id_vmachine }) => id_vmachine)).toEqual([2, 7, 12]);
  });

  it('says that the host is out of reach, and that its VMs are unknown', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.event({ kind: 'host-down', why: 'silent' });
    expect(await fleet.snapshot()).toMatchObject({ hosts: [{ host: 'here', up: false }], vms: [{ state: 'unknown' }] });
  });

  it('says why no VM can be started', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, pool: [] });
    await fleet.settle();
    expect((await fleet.snapshot()).blocked).toMatch(/the address pool is empty/);
  });
});
