import { describe, expect, test } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

/** How a request for an operation ends that its guest answers with 404. @param operations what the guest has said of itself */
async function reasonOf(op: string, operations: readonly string[]): Promise<unknown> {
  await using fleet = new FakeFleet({ obeys: ['prepare'], params: { min_vm_count: 1 } });
  await fleet.settle();
  fleet.event({ kind: 'vm-booting', vm: 1 });
  fleet.event({ kind: 'vm-answering', vm: 1, guest: { ...fleet.guest, operations } });
  await fleet.settle();
  const { outcomes } = fleet.send({ op });
  await fleet.settle();
  fleet.fail(1, 404);
  await fleet.settle();
  return outcomes;
}

describe('a 404', () => {
  test.each(['get', ''])('of a service that has the operation %j is its own refusal', async (op) => {
    expect(await reasonOf(op, ['get', 'upper'])).toMatchObject([{ status: 404, reason: 'bad-request' }]);
  });

  test.each([
    ['nope', ['get']],
    ['get', []],
    ['', []],
  ])('for %j of one that says it has %j is an operation that there is not', async (op, operations) => {
    expect(await reasonOf(op, operations)).toMatchObject([{ status: 404, reason: 'operation-unknown' }]);
  });
});
