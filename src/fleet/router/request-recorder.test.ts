import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';
import { FAILED_A_SECOND, RECORDED_A_SECOND } from './request-recorder.ts';

describe('the records of requests', () => {
  it('say where a request went, by which rule, on which figures, and what was considered', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1, vm_backlog_max: 1 } });
    await fleet.settle();
    for (let n = 0; n < 3; n++) fleet.send();
    await fleet.settle();
    expect(fleet.records).toMatchObject([
      {
        requestId: 'r1',
        kind: 'routed',
        rule: 'R2',
        vm: 1,
        figures: { in_flight: 0 },
        considered: [{ what: 'another free VM' }],
      },
      {
        requestId: 'r2',
        rule: 'R4',
        vm: 1,
        figures: { in_flight: 1 },
        considered: [{ what: 'a free VM' }, { what: 'waiting for another VM', rule: 'R3' }],
      },
      {
        requestId: 'r3',
        rule: 'R3',
        text: 'it waits for a VM (R3)',
        considered: [
          { what: 'a free VM' },
          { what: 'the queue of a busy VM', why: expect.stringContaining('has room') },
        ],
      },
    ]);
  });

  it('go on with what becomes of the request, up to its end', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { vm_backlog_max: 0 } });
    fleet.send();
    fleet.send();
    await fleet.advance(300);
    fleet.reply(1);
    await fleet.advance(100);
    fleet.reply(1);
    await fleet.settle();
    const steps = fleet.records.filter(({ requestId }) => requestId === 'r2');
    expect(steps).toMatchObject([
      { kind: 'routed', text: 'it waits for a VM (R3)' },
      { kind: 'routed', rule: 'R2', vm: 1, figures: { waited_ms: 300 } },
      { kind: 'ended', vm: 1, reason: 'replied', figures: { took_ms: 400, tries: 1 } },
    ]);
  });

  it.each([
    ['its VM obeys the cancel', (fleet: FakeFleet) => fleet.fail(1, 499)],
    ['its VM replies too late', (fleet: FakeFleet) => fleet.reply(1)],
  ])('say once how a request ended that expired on a VM: %s', async (_, end) => {
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.send({ requestId: 'late', withinMs: 1_000 });
    await fleet.advance(1_500);
    end(fleet);
    await fleet.settle();
    const ends = fleet.records.filter(({ requestId, kind }) => requestId === 'late' && kind === 'ended');
    expect(ends).toMatchObject([{ reason: 'expired-on-vm', rule: 'R4' }]);
  });

  it('are a sample: under load most requests leave none', async () => {
    await using fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1 } });
    await fleet.settle();
    for (let n = 0; n < 500; n++) {
      fleet.send();
      await fleet.settle();
      fleet.reply(1);
    }
    await fleet.settle();
    expect(fleet.records.filter(({ kind }) => kind === 'routed')).toHaveLength(RECORDED_A_SECOND);
    expect(fleet.records.filter(({ kind }) => kind === 'ended')).toHaveLength(RECORDED_A_SECOND);
    await fleet.advance(1_000);
    fleet.send();
    await fleet.settle();
    expect(fleet.records.at(-1)).toMatchObject({ requestId: 'r501', kind: 'routed' });
  });

  it('of requests that fail are more, and are bounded, too', async () => {
    await using fleet = new FakeFleet({
      addresses: 1,
      params: { router_queue_max: 0, vm_backlog_max: 0, min_vm_count: 1 },
    });
    await fleet.settle();
    for (let n = 0; n < 500; n++) fleet.send();
    await fleet.settle();
    const failed = fleet.records.filter(({ reason }) => reason === 'queue-full');
    // Those that are traced anyway come on top of them: all of the sample but the one that has the VM.
    expect(failed).toHaveLength(RECORDED_A_SECOND - 1 + FAILED_A_SECOND);
    expect(failed[0]).toMatchObject({ kind: 'ended', rule: 'R4', considered: [{ what: 'a free VM' }, {}] });
  });
});

describe('where a request is', () => {
  it('is told while it waits, with what it waits for, while a VM has it, and while its reply is kept', async () => {
    await using fleet = new FakeFleet({ addresses: 1, obeys: ['prepare'] });
    fleet.send({ requestId: 'mine' });
    await fleet.advance(200);
    expect(await fleet.explain('mine')).toMatchObject({
      state: 'waiting',
      reason: 'vm-starting',
      rule: 'R3',
      figures: { since_ms: 200, waiting: 1, starting: 1 },
      text: 'it waits for 200 ms: a VM starts for them (R3)',
    });
    fleet.answering(1);
    await fleet.settle();
    expect(await fleet.explain('mine')).toMatchObject({ state: 'on-vm', vm: 1, rule: 'R2', figures: { tries: 1 } });
    fleet.reply(1);
    await fleet.settle();
    expect(await fleet.explain('mine')).toMatchObject({ state: 'ended', vm: 1, reason: 'replied' });
    expect(await fleet.explain('another')).toBeNull();
  });
});
