import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createSystem, type Exit, type Ref, silentLogger } from '../actors/mod.ts';
import { type HostEvent, type Hosts, joinHosts, natsPort } from '../remote/mod.ts';
import { createShards } from '../shards/mod.ts';
import { connect } from './connection.ts';
import { type RealNatsServer, realNatsServer, securedNatsServer } from './kit/mod.ts';
import type { FarMessage } from './testing/host-process.ts';
import type { behaviours, PlacedMessage } from './testing/placed-behaviours.ts';

const PROGRAM = fileURLToPath(new URL('testing/host-process.ts', import.meta.url));
const ASK_MS = 30_000;

test('an actor of another process is told, asked and watched; when that is killed, all are told once, and a new one is another', async () => {
  await using nats = await realNatsServer();
  const near = await host(nats, 'near');
  const far = await farProcess(nats);
  await near.event('host-up');
  const ref = near.hosts.ref<FarMessage>('far', 'actor');
  for (let n = 0; n < 10_000; n++) {
    // The outbox has a limit: whoever sends faster than the network takes waits.
    await near.system.offer(ref, { kind: 'note', n });
  }
  expect(await notesOf(near, ref)).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
  expect(near.hosts.stats()).toMatchObject({ doubled: 0, early: 0 });

  const other = near.hosts.ref<FarMessage>('far', 'other');
  const failed = near.watch(other);
  other.tell({ kind: 'fail' });
  expect(await failed).toMatchObject({ path: /^far:/, reason: { kind: 'error', error: { message: 'as told' } } });

  const ended = near.watch(ref);
  const asked = near.system
    .ask<FarMessage, never>(ref, (replyTo) => ({ kind: 'keep', replyTo }), ASK_MS)
    .catch((error: Error) => error);
  await notesOf(near, ref);
  far.kill('SIGKILL');
  expect(await ended).toMatchObject({
    path: 'far:actor',
    reason: { error: { code: 'HOST_LOST', message: expect.stringContaining(`far (process ${far.pid}) is lost`) } },
  });
  expect(await asked).toMatchObject({ code: 'ACTOR_STOPPED', cause: { code: 'HOST_LOST' } });
  expect(ref.tell({ kind: 'note', n: 0 })).toBe(false);

  await farProcess(nats);
  await near.event('host-up');
  expect(ref.tell({ kind: 'note', n: 0 })).toBe(false);
  expect(await notesOf(near, near.hosts.ref('far', 'actor'))).toEqual([]);
  await near.leave();
});

test('a process that stands still past the limit is lost, and comes back in a new epoch', async () => {
  await using nats = await realNatsServer();
  const near = await host(nats, 'near', { beatMs: 200, lostMs: 600 });
  const far = await farProcess(nats);
  await near.event('host-up');
  const [{ epoch = 0, incarnation = '' } = {}] = near.hosts.peers();
  const ended = near.watch(near.hosts.ref('far', 'actor'));
  far.kill('SIGSTOP');
  expect(await ended).toMatchObject({ reason: { error: { code: 'HOST_LOST' } } });
  far.kill('SIGCONT');
  await near.event('host-up');
  const [again] = near.hosts.peers();
  expect(again?.incarnation).toBe(incarnation);
  expect(again?.epoch).toBeGreaterThan(epoch);
  expect(await notesOf(near, near.hosts.ref('far', 'actor'))).toEqual([]);
  await near.leave();
});

test('a server that stands still for longer than that loses no host and no message', async () => {
  await using nats = await realNatsServer();
  const [one, two] = [await host(nats, 'one'), await host(nats, 'two')];
  await Promise.all([one.event('host-up'), two.event('host-up')]);
  const notes: number[] = [];
  const done = Promise.withResolvers<void>();
  const actor = two.system.spawn<number>(() => (n) => {
    notes.push(n);
    if (n === 2_999) done.resolve();
  });
  two.hosts.expose('actor', actor);
  const ref = one.hosts.ref<number>('two', 'actor');
  for (let n = 0; n < 1_000; n++) ref.tell(n);
  nats.signal('SIGSTOP');
  for (let n = 1_000; n < 2_000; n++) ref.tell(n);
  // pause: longer than the silence that makes a host lost
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  nats.signal('SIGCONT');
  for (let n = 2_000; n < 3_000; n++) ref.tell(n);
  await done.promise;
  expect(notes).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  expect([one.kinds(), two.kinds()]).toEqual([['host-up'], ['host-up']]);
  await one.leave();
  await two.leave();
});

test('an actor on a shard and one of another host ask and watch each other', async () => {
  await using nats = await realNatsServer();
  const [one, two] = [await host(nats, 'one'), await host(nats, 'two')];
  const shards = createShards<typeof behaviours>({
    system: one.system,
    count: 1,
    module: new URL('testing/placed-behaviours.ts', import.meta.url),
    options: undefined,
  });
  const { start, ...options } = shards.actor('placed', undefined);
  one.hosts.expose('placed', await one.system.start(start, options));
  await Promise.all([one.event('host-up'), two.event('host-up')]);
  const placed = two.hosts.ref<PlacedMessage>('one', 'placed');
  expect(await two.system.ask<PlacedMessage, string>(placed, (replyTo) => ({ kind: 'ask', replyTo }), ASK_MS)).toBe(
    'from a shard',
  );
  const told: string[] = [];
  const wake = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const listener = one.system.spawn<string>(() => (how) => {
    wake[told.push(how) - 1]?.resolve();
  });
  one.hosts.expose('listener', listener);
  const [ended, lost] = [two.system.spawn(() => () => undefined), two.system.spawn(() => () => undefined)];
  const far = two.hosts.ref<string>('one', 'listener');
  placed.tell({ kind: 'watch', of: ended, told: far });
  placed.tell({ kind: 'watch', of: lost, told: far });
  await two.system.ask<PlacedMessage, string>(placed, (replyTo) => ({ kind: 'ask', replyTo }), ASK_MS);
  await two.system.stop(ended);
  await wake[0]?.promise;
  two.hosts.leave();
  await wake[1]?.promise;
  expect(told).toEqual(['shutdown', 'HOST_LOST']);
  await shards.stop();
  await one.leave();
  await two.leave();
});

test.each([
  ['subscribe', /does not take test\.hosts\.beat: .*publish and subscribe to test\.hosts\.>/i],
  ['publish', /does not take test\.hosts\.beat: permissions violation for publish/i],
])('a host that has no right to %s is told so', async (right, message) => {
  const rights = `{ ${right}: { deny: ["test.hosts.beat"] } }`;
  const user = `{ user: "one", password: "x", permissions: ${rights} }`;
  await using nats = await securedNatsServer([`authorization { users: [ ${user} ] }`]);
  const { nc, close } = await connect({ servers: nats.url, name: 'one', credentials: { user: 'one', password: 'x' } });
  const system = createSystem({ logger: silentLogger });
  const told = new Promise<HostEvent>((resolve) => {
    joinHosts({ system, port: natsPort(nc), group: 'test.hosts', host: 'one', onEvent: resolve });
  });
  expect(await told).toMatchObject({
    kind: 'port-refused',
    subject: 'test.hosts.beat',
    error: { code: 'HOST_PORT_REFUSED', message: expect.stringMatching(message) },
  });
  await system.shutdown();
  await close();
});

async function host(nats: RealNatsServer, name: string, limits = {}) {
  const { nc, close } = await connect({ servers: nats.url, name });
  const system = createSystem({ logger: silentLogger });
  const events: HostEvent[] = [];
  let read = 0;
  let wake = (): void => undefined;
  const hosts: Hosts = joinHosts({
    system,
    port: natsPort(nc),
    group: 'test.hosts',
    host: name,
    ...limits,
    onEvent: (event) => {
      events.push(event);
      wake();
    },
  });
  return {
    hosts,
    system,
    kinds: () => events.map(({ kind }) => kind),
    /** Waits for the next event of a kind that was not waited for yet. */
    async event(kind: HostEvent['kind']): Promise<void> {
      for (;;) {
        const next = events[read];
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else {
          read += 1;
          if (next.kind === kind) return;
        }
      }
    },
    watch(ref: Ref<never>): Promise<Exit> {
      return new Promise((resolve) => {
        system.spawn<Exit>((context) => {
          context.watch(ref, (exit) => exit);
          return (exit) => resolve(exit);
        });
      });
    },
    async leave(): Promise<void> {
      await system.shutdown();
      await close();
    },
  };
}

function notesOf({ system }: { readonly system: ReturnType<typeof createSystem> }, ref: Ref<FarMessage>) {
  return system.ask<FarMessage, readonly number[]>(ref, (replyTo) => ({ kind: 'notes', replyTo }), ASK_MS);
}

async function farProcess(nats: RealNatsServer): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--no-warnings', PROGRAM, nats.url], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    // It handles no other signal while it is stopped.
    child.kill('SIGKILL');
  });
  await once(child.stdout, 'data');
  return child;
}
