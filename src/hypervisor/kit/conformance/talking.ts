import assert from 'node:assert/strict';
import type { GuestConnection } from '../../port.ts';
import type { HypervisorPoint } from './place.ts';
import { killed, linked, pings, started } from './watching.ts';

/** Console input, and the connections of links. */
export const TALKING: readonly HypervisorPoint[] = [
  {
    name: 'writeConsole: the guest is told to stop, and its last words are heard before its exit',
    async holds(place) {
      const watch = await started(place);
      watch.machine.writeConsole('stop\n');
      await watch.ends();
      assert.match(watch.atExit[0]?.said ?? '', /\nshoal1 bye reason=stop\n$/);
      assert.deepEqual(watch.exits, [{ exitCode: 67, signal: null, stderr: '' }]);
    },
  },
  {
    name: 'connect: bytes go both ways, whole and in order',
    async holds(place) {
      const spec = await place.spec();
      await started(place, spec);
      const client = await linked(place, spec);
      const order: number[] = [];
      const numbers = Array.from({ length: 50 }, (_, at) => at);
      await Promise.all(numbers.map((at) => pings(client).then(() => order.push(at))));
      assert.deepEqual(order, numbers);
    },
  },
  {
    name: 'connect: each VM has its own connection, which ends with it, and is told of it once',
    async holds(place) {
      const [spec, other] = [await place.spec(), await place.spec()];
      const watch = await started(place, spec);
      await started(place, other);
      const client = await linked(place, other);
      const connection = place.hypervisor.connect(spec);
      const closing = closesOf(connection);
      await new Promise<void>((resolve) => connection.onOpen(resolve));
      await killed(watch);
      await closing.first;
      await pings(client);
      assert.equal(closing.count(), 1);
    },
  },
  {
    name: 'connect: where no VM is, it closes, once',
    async holds(place) {
      const closing = closesOf(place.hypervisor.connect(await place.spec()));
      await closing.first;
      await place.hypervisor.list();
      assert.equal(closing.count(), 1);
    },
  },
  {
    name: 'connect: one that we close is told as closed, once, and another can be opened',
    async holds(place) {
      const spec = await place.spec();
      await started(place, spec);
      const connection = place.hypervisor.connect(spec);
      const closing = closesOf(connection);
      await new Promise<void>((resolve) => connection.onOpen(resolve));
      connection.close();
      connection.close();
      await closing.first;
      await pings(await linked(place, spec));
      assert.equal(closing.count(), 1);
    },
  },
];

function closesOf(connection: GuestConnection): { readonly first: Promise<void>; readonly count: () => number } {
  let count = 0;
  const first = new Promise<void>((resolve) => {
    connection.onClose(() => {
      count += 1;
      resolve();
    });
  });
  return { first, count: () => count };
}
