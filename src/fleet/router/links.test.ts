import { describe, expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

async function linked(): Promise<FakeFleet> {
  const fleet = new FakeFleet({ params: { min_vm_count: 1, free_count: 1_000, last_connect_ms: 60_000 } });
  await fleet.settle();
  return fleet;
}

describe('the link of a VM', () => {
  it('is one, however often its guest says that it is ready', async () => {
    await using fleet = await linked();
    fleet.answering(1);
    await fleet.settle();
    expect([fleet.links.started, fleet.kit.failures]).toEqual([[1], []]);
  });

  it('whose actor keeps failing is opened again less and less often', async () => {
    await using fleet = await linked();
    fleet.links.failing = 1;
    fleet.links.failLink(1);
    await fleet.advance(7_000);
    expect(fleet.links.started.length).toBeLessThan(9);
    expect(fleet.links.started.length).toBeGreaterThan(5);
  });

  it('that was opened again is watched as before, and its next failure is the first', async () => {
    await using fleet = await linked();
    for (let time = 1; time <= 3; time++) {
      fleet.links.failLink(1);
      await fleet.advance(150);
      expect(fleet.links.started).toHaveLength(time + 1);
    }
  });

  it('is not opened again once its VM is gone', async () => {
    await using fleet = await linked();
    fleet.links.failLink(1);
    await fleet.settle();
    fleet.gone(1);
    await fleet.advance(5_000);
    expect(fleet.links.started.filter((vm) => vm === 1)).toHaveLength(1);
  });
});
