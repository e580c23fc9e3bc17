import { expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

it('a request that waited has its VM before another spare is made', async () => {
  await using fleet = new FakeFleet({ params: { spare_vm_count: 1 }, obeys: ['prepare', 'stop'] });
  await fleet.settle();
  expect(fleet.told('prepare')).toEqual([1]);
  fleet.send();
  await fleet.settle();
  expect(fleet.told('start')).toEqual([1]);
  fleet.event({ kind: 'vm-booting', vm: 1 });
  fleet.answering(1);
  await fleet.settle();
  fleet.report(1);
  fleet.linkReady(1);
  await fleet.settle();
  expect(fleet.links.of(1).open).toHaveLength(1);
  expect(fleet.told('prepare')).toEqual([1]);
  await fleet.advance(50);
  expect(fleet.told('prepare')).toEqual([1, 2]);
});
