import { describe, expect, it } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { FakeFleet } from '../kit/mod.ts';
import { SPARE_BOOTED } from '../values/params.ts';
import { Links } from './links.ts';
import type { RouterMessage } from './router-messages.ts';

/** How often the actor of VM 1's link has been started. */
const starts = (fleet: FakeFleet): number => fleet.links.started.length;

async function linked(): Promise<FakeFleet> {
  const fleet = new FakeFleet({ addresses: 1, params: { min_vm_count: 1, last_connect_ms: 60_000 } });
  await fleet.settle();
  fleet.report(1);
  await fleet.settle();
  return fleet;
}

describe('the actor of a link', () => {
  it('that keeps failing is started less and less often, and at once again after the link was up', async () => {
    await using fleet = await linked();
    fleet.links.failing = 1;
    fleet.links.failLink(1);
    await fleet.advance(10_000);
    const failed = starts(fleet);
    expect(failed).toBeGreaterThan(4);
    expect(failed).toBeLessThan(10);
    fleet.links.failing = undefined;
    await fleet.advance(10_000);
    expect([starts(fleet), await fleet.inState('ready')]).toEqual([failed + 1, [1]]);
    fleet.links.failLink(1);
    await fleet.advance(150);
    expect(starts(fleet)).toBe(failed + 2);
  });

  it('is started again each time that it fails', async () => {
    await using fleet = await linked();
    // With a third loss in a row R2 would eject the VM.
    for (let times = 2; times < 4; times++) {
      fleet.links.failLink(1);
      await fleet.advance(200);
      expect(starts(fleet)).toBe(times);
    }
  });

  it('is not started again once its VM is gone', async () => {
    await using fleet = await linked();
    fleet.obeys.clear();
    fleet.links.failLink(1);
    await fleet.settle();
    fleet.gone(1);
    await fleet.advance(10_000);
    expect(starts(fleet)).toBe(1);
  });

  it('is one, however often its guest says that it is ready', async () => {
    await using fleet = await linked();
    fleet.answering(1);
    await fleet.advance(100);
    fleet.send();
    await fleet.settle();
    expect([starts(fleet), fleet.kit.failures, fleet.links.of(1).open.length]).toEqual([1, [], 1]);
  });
});

describe('the link of a spare that has booted', () => {
  /** A request has taken the spare, whose host has not said yet that it answers. */
  async function taken(): Promise<FakeFleet> {
    const fleet = new FakeFleet({
      addresses: 2,
      params: { min_vm_count: 0, spare_vm_count: 1, spare_state: SPARE_BOOTED, last_connect_ms: 60_000 },
    });
    fleet.obeys.delete('start');
    await fleet.settle();
    fleet.event({ kind: 'vm-paused', vm: 1 });
    await fleet.settle();
    fleet.send();
    await fleet.settle();
    expect([fleet.told('start'), fleet.links.started]).toEqual([[1], [1]]);
    return fleet;
  }

  it('is opened as it is started, and gets requests once the VM answers', async () => {
    await using fleet = await taken();
    expect([fleet.links.of(1).open, await fleet.inState('ready')]).toEqual([[], []]);
    for (let times = 0; times < 2; times++) fleet.answering(1);
    await fleet.settle();
    expect([fleet.links.of(1).open.length, await fleet.inState('ready'), starts(fleet)]).toEqual([1, [1], 1]);
    expect(fleet.kit.failures).toEqual([]);
  });

  it.each([
    ['is lost', (fleet: FakeFleet) => fleet.dropLink(1)],
    ['fails', (fleet: FakeFleet) => fleet.links.failLink(1)],
  ])('gets none while it is not connected, if it %s before', async (_what, end) => {
    await using fleet = await taken();
    fleet.links.autoReady = false;
    end(fleet);
    await fleet.settle();
    fleet.answering(1);
    await fleet.advance(200);
    expect([fleet.links.of(1).open, await fleet.inState('ready')]).toEqual([[], []]);
    expect(fleet.eventsOf('link-lost')).toEqual([]);
    fleet.linkReady(1);
    await fleet.settle();
    expect([fleet.links.of(1).open.length, await fleet.inState('ready')]).toEqual([1, [1]]);
  });

  it('is closed if the VM ends before it answers', async () => {
    await using fleet = await taken();
    fleet.gone(1);
    await fleet.settle();
    expect(fleet.links.ended).toEqual([1]);
    expect(fleet.kit.failures).toEqual([]);
  });
});

describe('a link that takes no message', () => {
  it('is tried again a moment later', async () => {
    const kit = testKit();
    const taken: boolean[] = [];
    const heard: RouterMessage[] = [];
    kit.system.spawn<RouterMessage>(
      (context) => {
        const links = new Links(context, () => () => () => undefined);
        taken.push(links.tell(1, { kind: 'ping' }));
        links.open({ vm: 2, address: { id: 2, ip: '10.0.0.2', port: 9_000 } });
        taken.push(links.tell(2, { kind: 'ping' }));
        return (message) => void heard.push(message);
      },
      { name: 'router' },
    );
    await kit.advance(100);
    expect([taken, heard]).toEqual([[false, true], [{ kind: 'link-room', vm: 1 }]]);
    await kit.shutdown();
  });
});
