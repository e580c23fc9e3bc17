import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/mod.ts';
import { isAlive, signalProcess } from '../../src/process/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { leftovers } from '../driver/leftovers.ts';
import { processesOf, qemusOf } from '../driver/processes.ts';

/** How long another program has the port: longer than Shoal tries to get it back before it may choose another. */
const HELD_MS = 3_000;

// Issue 9, 17: a part that came back elsewhere is followed, or comes back to its place.

test('a nats-server whose port another program takes is found again by Shoal, by its clients and by commands', async () => {
  await using fleet = await TestFleet.start();
  await using client = await connect({ servers: fleet.ready.nats, deadlineMs: 60_000 });
  expect(await client.request('before')).toMatchObject({ text: 'BEFORE' });
  const vms = qemusOf(fleet).map(({ identity }) => identity.pid);

  const intruder = await whileServerIsAway(fleet, listenOn);
  const sent = client.request('meanwhile');
  // Either Shoal waits for the port, or it has moved and commands find it: none of them hangs, and none ends the fleet.
  const meanwhile = await fleet.run('send', ['--deadline', '2000', 'x']);
  expect(meanwhile.exitCode === 0 || /\[(NATS|REQUEST|FLEET)_\w+\]\n$/.test(meanwhile.stderr)).toBe(true);
  // pause: nothing tells that Shoal has given up the port
  await new Promise((resolve) => setTimeout(resolve, HELD_MS));
  expect(fleet.up.child.exitCode).toBeNull();

  await new Promise((resolve) => intruder.close(resolve));
  expect(await sent).toMatchObject({ text: 'MEANWHILE' });
  await eventually(
    'commands find the fleet',
    async () => {
      const { exitCode } = await fleet.run('send', ['after']);
      return exitCode === 0 ? true : undefined;
    },
    60,
  );
  expect(qemusOf(fleet).map(({ identity }) => identity.pid)).toEqual(vms);
});

test('Ctrl-C ends a fleet whose NATS port another program has', async () => {
  const fleet = await TestFleet.start();
  await whileServerIsAway(fleet, listenOn);
  expect(await fleet.stop()).toMatchObject({ exitCode: 0 });
  expect(leftovers(fleet)).toEqual({ processes: [], runDirectories: [], ports: [] });
});

/** Ends the fleet's nats-server, and lets Shoal notice only once something else has its port. */
async function whileServerIsAway<T>(fleet: TestFleet, take: (port: number) => Promise<T>): Promise<T> {
  const server = processesOf(fleet).find(({ kind }) => kind === 'nats-server')?.identity;
  if (server === undefined) throw new Error('the nats-server runs');
  fleet.up.signal('SIGSTOP');
  try {
    signalProcess(server, 'SIGKILL');
    await eventually('it is gone', () => (isAlive(server) ? undefined : true));
    return await take(Number(new URL(fleet.ready.nats).port));
  } finally {
    fleet.up.signal('SIGCONT');
  }
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.destroy();
  });
  await eventually('the port is ours', async () => {
    const isListening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    return isListening ? true : undefined;
  });
  onTestFinished(() => {
    server.close();
  });
  return server;
}
