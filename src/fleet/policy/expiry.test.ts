import { expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

it('a request whose deadline passes while no VM can be started says why', async () => {
  await using fleet = new FakeFleet({ pool: [] });
  const { outcomes } = fleet.send({ deadlineMs: 1_000 });
  await fleet.advance(2_000);
  expect(outcomes).toMatchObject([
    { status: 504, message: expect.stringMatching(/no VM can be started: the address pool is empty/) },
  ]);
});
