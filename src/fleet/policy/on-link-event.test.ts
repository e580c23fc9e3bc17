import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { FakeFleet } from '../kit/mod.ts';
import { onLinkReady } from './on-link-event.ts';
import { NOTHING } from './reaction.ts';

const ok = { ok: true };

/** VM 1 has a request and was told to stop, which it has not done yet; VM 2 is free. */
async function ending(idempotent = true) {
  const fleet = new FakeFleet({ params: { min_vm_count: 2, free_count: 1_000 }, idempotent });
  await fleet.settle();
  const client = fleet.send();
  await fleet.settle();
  fleet.obeys.delete('stop');
  fleet.router.tell({ kind: 'remove-vm', vm: 1, replyTo: { path: 'admin', tell: () => true } });
  await fleet.settle();
  return { fleet, client };
}

describe('a link', () => {
  it('that is up is no news', () => {
    const bare = new BareFleet().ready(1);
    expect(onLinkReady(bare.fleet, 1, 0)).toEqual(NOTHING);
    expect(onLinkReady(bare.link(1, false).fleet, 1, 0).transitions).toHaveLength(1);
  });

  it('that comes up tells how long its VM booted, without the time in which QEMU was prepared', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 }, obeys: [] });
    await fleet.advance(500);
    fleet.event({ kind: 'vm-prepared', host: 'here', vm: 1, pid: 5 });
    await fleet.advance(300);
    fleet.answering(1);
    await fleet.settle();
    expect(fleet.eventsOf('vm-ready')).toMatchObject([{ figures: { boot_ms: 300, since_decision_ms: 800 } }]);
  });

  it('is lost once, whatever else it says while it is down', async () => {
    await using fleet = new FakeFleet({ params: { min_vm_count: 1 } });
    await fleet.settle();
    for (let n = 0; n < 2; n++) fleet.dropLink(1);
    await fleet.settle();
    expect(fleet.eventsOf('link-lost')).toHaveLength(1);
  });
});

describe('the link of a VM that is being ended', () => {
  it('has what it did not send tried elsewhere at once when it is lost, and that is no news', async () => {
    const { fleet, client } = await ending(false);
    await using _ = fleet;
    fleet.dropLink(1, 1);
    await fleet.settle();
    fleet.reply(2);
    await fleet.settle();
    expect(client.outcomes).toMatchObject([{ ...ok, vm: 2 }]);
    expect(fleet.eventsOf('link-lost')).toEqual([]);
  });

  it.each([
    ['stuck', [{ ok: false, status: 502 }]],
    ['dead', []],
  ] as const)('leaves what was on it to the verdict when its actor fails: %s', async (verdict, outcomes) => {
    const { fleet, client } = await ending();
    await using _ = fleet;
    fleet.links.failLink(1);
    await fleet.settle();
    expect([client.outcomes, fleet.links.of(2).open]).toEqual([[], []]);
    fleet.gone(1, 'killed', undefined, verdict);
    await fleet.settle();
    expect(client.outcomes).toMatchObject(outcomes);
    expect(fleet.links.of(2).open).toHaveLength(1 - outcomes.length);
  });
});
