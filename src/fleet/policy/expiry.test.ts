import { expect, it } from 'vitest';
import { FakeFleet } from '../kit/mod.ts';

it('a request whose deadline passes while no VM can be started says why', async () => {
  await using fleet = new FakeFleet({ pool: [] });
  const { outcomes } = fleet.send({ deadlineMs: 1_000 });
  await fleet.advance(2_000);
  expect(outcomes).toMatchObject([
    {
      status: 504,
      message: expect.stringMatching(/no VM can be started: the address pool is empty .*no other host has room/),
    },
  ]);
});

it('the end by a deadline is counted for each client that it ends', async () => {
  await using fleet = new FakeFleet({ pool: [] });
  for (const withinMs of [1_000, 1_000, 60_000]) fleet.send({ requestId: 'x', withinMs });
  await fleet.advance(2_000);
  expect((await fleet.snapshot()).requests).toMatchObject({ accepted: 3, ok: 0, failed: { 504: 2 } });
});

it('a request is not refused because of one that waits past its deadline', async () => {
  const params = { min_vm_count: 1, vm_backlog_max: 0, router_queue_max: 1 };
  await using fleet = new FakeFleet({ addresses: 1, params });
  await fleet.settle();
  fleet.send();
  const late = fleet.send({ deadlineMs: fleet.kit.clock.monotonic() + 10 });
  // Sooner than the router looks at deadlines by itself.
  await fleet.kit.advance(11);
  expect(late.outcomes).toEqual([]);
  const next = fleet.send();
  await fleet.settle();
  expect(late.outcomes).toMatchObject([{ ok: false, status: 504 }]);
  expect(next.outcomes).toEqual([]);
});
