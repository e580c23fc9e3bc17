import { expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

it.each([
  ['bytes', true],
  [undefined, false],
] as const)(
  'the link is told whether its guest takes content types: one that takes %s',
  async (payload, takesTypes) => {
    await using fleet = new FakeFleet({ obeys: ['prepare'], params: { min_vm_count: 1 } });
    await fleet.settle();
    fleet.event({ kind: 'vm-booting', vm: 1 });
    fleet.event({ kind: 'vm-answering', vm: 1, guest: { ...fleet.guest, ...(payload && { payload }) } });
    await fleet.settle();
    fleet.send({ contentType: 'image/png' });
    await fleet.settle();
    expect(fleet.links.of(1).open).toMatchObject([{ contentType: 'image/png', takesTypes }]);
  },
);
