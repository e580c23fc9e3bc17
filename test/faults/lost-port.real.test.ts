import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/mod.ts';
import { isAlive, signalProcess } from '../../src/process/mod.ts';
import { eventually, TestFleet } from '../driver/fleet.ts';
import { processesOf, qemusOf } from '../driver/processes.ts';
import { ShoalProcess } from '../driver/shoal-process.ts';

/** How long another program has the port: longer than Shoal tries to get it back before it may choose another. */
const HELD_MS = 3_000;
const BETWEEN_TRIES_MS = 100;

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

test("another fleet's nats-server at the port of ours serves neither our clients nor our VMs", async () => {
  await using fleet = await TestFleet.start({ flags: ['--fleet', 'mine'] });
  await whileServerIsAway(fleet, async (port) => {
    const stranger = new ShoalProcess(['-p', String(port), '-a', '127.0.0.1'], { command: 'nats-server' });
    onTestFinished(() => stranger.signal('SIGKILL'));
    await stranger.stderrHas(/Server is ready/);
  });
  const client = await connect({ servers: fleet.ready.nats, fleet: 'mine', deadlineMs: 5_000 });
  onTestFinished(() => client.close());
  // Shoal reconnects within two seconds, and would then serve the fleet there.
  for (let leftMs = HELD_MS; leftMs > 0; leftMs -= BETWEEN_TRIES_MS) {
    await expect(client.request('x')).rejects.toMatchObject({ code: 'REQUEST_NO_RESPONDERS' });
    // pause: until the next try
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
  expect(fleet.up.child.exitCode).toBeNull();
  expect(qemusOf(fleet)).toHaveLength(1);
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
