/** R1 holds on a host whatever else is away. */
import { expect, test } from 'vitest';
import { isAlive, signalProcess } from '../src/process/mod.ts';
import { realNatsServer } from '../src/transport/kit/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';
import { type FleetProcess, qemusOf, sharedAddresses } from './driver/processes.ts';

test('a VM that ends while there is no NATS server is replaced, and the new one serves', async () => {
  await using nats = await realNatsServer();
  await using fleet = await TestFleet.start({ addresses: 3, flags: ['--min', '2', '--nats', nats.url] });
  const [first, second] = qemusOf(fleet);
  if (first === undefined || second === undefined) throw new Error('two VMs run');
  await nats.kill();
  signalProcess(first.identity, 'SIGKILL');
  const replaced = await eventually('a new VM answers', async () => {
    expect(sharedAddresses(fleet)).toEqual([]);
    const other = qemusOf(fleet).find(({ vm }) => vm !== first.vm && vm !== second.vm);
    return other !== undefined && (await answers(other)) ? other : undefined;
  });
  expect([isAlive(nats.process), isAlive(first.identity)]).toEqual([false, false]);
  expect(qemusOf(fleet).map(({ vm }) => vm)).toEqual([second.vm, replaced.vm]);
});

/** Whether the guest does its service over HTTP, which needs nothing of Shoal. */
async function answers({ address }: FleetProcess): Promise<boolean> {
  try {
    const reply = await fetch(`http://${address}/`, { method: 'POST', body: 'text' });
    return (await reply.text()) === 'TEXT';
  } catch {
    return false;
  }
}
