import { StringCodec } from 'nats';
import { expect, test } from 'vitest';
import { SimulatedConnection } from './nats-connection.ts';
import { type NetworkFaults, SimulatedNats } from './nats-server.ts';
import { SimulatedProcess } from './process.ts';
import { Chance } from './random.ts';
import { VirtualTime } from './virtual-time.ts';

const codec = StringCodec();

function network() {
  const time = new VirtualTime();
  const server = new SimulatedNats({
    time,
    chance: new Chance(1),
    latency: { kind: 'uniform', fromMs: 0.1, toMs: 1 },
  });
  const connect = (place = '') => {
    const process = new SimulatedProcess(time, new Chance(2), { place });
    const connection = new SimulatedConnection(server, process);
    const received: string[] = [];
    return {
      process,
      connection,
      received,
      hear(pattern: string, queue?: string): void {
        const callback = (_: unknown, { subject, data }: { subject: string; data: Uint8Array }): void =>
          void received.push(`${subject} ${codec.decode(data)}`);
        connection.subscribe(pattern, { callback, ...(queue === undefined ? {} : { queue }) });
      },
    };
  };
  const settle = () => time.run(time.nowMs + 100);
  return { time, server, connect, settle };
}

const FAULTLESS: NetworkFaults = { lost: 0, doubled: 0, late: 0, lateMs: { kind: 'constant', ms: 0 } };

test.each([
  ['a.b', 'a.b', true],
  ['a.b', 'a.b.c', false],
  ['a.*', 'a.b', true],
  ['a.*', 'a.b.c', false],
  ['*.b', 'a.b', true],
  ['a.>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['a.*.c', 'a.b.c', true],
])('%s hears %s: %s', async (pattern, subject, hears) => {
  const { connect, settle } = network();
  const [publisher, subscriber] = [connect(), connect()];
  subscriber.hear(pattern);
  publisher.connection.publish(subject, 'x');
  await settle();
  expect(subscriber.received).toEqual(hears ? [`${subject} x`] : []);
});

test('of a queue group one gets a message, of the others each', async () => {
  const { connect, settle } = network();
  const members = [connect(), connect(), connect()];
  const listener = connect();
  for (const member of members) member.hear('work', 'group');
  listener.hear('work');
  for (let n = 0; n < 30; n++) listener.connection.publish('work', String(n));
  await settle();
  const texts = members.flatMap(({ received }) => received);
  expect(texts.length).toBe(30);
  expect(new Set(texts).size).toBe(30);
  expect(members.every(({ received }) => received.length > 0)).toBe(true);
  expect(listener.received).toEqual(Array.from({ length: 30 }, (_, n) => `work ${n}`));
});

test('messages from one connection to another stay in order, also when some are late', async () => {
  const { server, connect, settle } = network();
  server.faults = { ...FAULTLESS, late: 0.5, lateMs: { kind: 'uniform', fromMs: 1, toMs: 20 } };
  const [publisher, subscriber] = [connect(), connect()];
  subscriber.hear('a');
  for (let n = 0; n < 50; n++) publisher.connection.publish('a', String(n));
  await settle();
  expect(subscriber.received).toEqual(Array.from({ length: 50 }, (_, n) => `a ${n}`));
});

test('a request that nobody takes is told so', async () => {
  const { connect, settle } = network();
  const { connection } = connect();
  const codes: (number | undefined)[] = [];
  connection.subscribe('_INBOX.me.*', { callback: (_, { headers }) => void codes.push(headers?.code) });
  connection.publish('nobody', 'x', { reply: '_INBOX.me.1' });
  await settle();
  expect(codes).toEqual([503]);
});

test('messages are lost and doubled as often as the faults say', async () => {
  const { server, connect, settle } = network();
  const [publisher, subscriber] = [connect(), connect()];
  subscriber.hear('a');
  const received = async (faults: NetworkFaults): Promise<number> => {
    server.faults = faults;
    subscriber.received.length = 0;
    for (let n = 0; n < 1_000; n++) publisher.connection.publish('a', 'x');
    await settle();
    return subscriber.received.length;
  };
  expect(await received(FAULTLESS)).toBe(1_000);
  expect(await received({ ...FAULTLESS, lost: 1 })).toBe(0);
  expect(await received({ ...FAULTLESS, doubled: 1 })).toBe(2_000);
  expect(Math.abs((await received({ ...FAULTLESS, lost: 0.2 })) - 800)).toBeLessThan(60);
});

test('a process that is cut off gets nothing, and sends what it published when it is back', async () => {
  const { server, connect, settle } = network();
  const [one, other] = [connect(), connect()];
  const statuses: string[] = [];
  void (async () => {
    for await (const { type } of one.connection.status()) statuses.push(type);
  })();
  one.hear('to.one');
  other.hear('to.other');
  other.connection.publish('to.one', 'on its way');
  server.cutOff(one.process);
  other.connection.publish('to.one', 'meanwhile');
  one.connection.publish('to.other', 'kept');
  await settle();
  expect([one.received, other.received]).toEqual([[], []]);
  server.join(one.process);
  other.connection.publish('to.one', 'after');
  await settle();
  expect([one.received, other.received]).toEqual([['to.one after'], ['to.other kept']]);
  expect(statuses).toEqual(['disconnect', 'reconnect']);
});

test('a process that stood still when its connection was lost sends into it until it has read so, and then connects', async () => {
  const { server, connect, settle } = network();
  const [one, other] = [connect(), connect()];
  other.hear('to.other');
  const statuses: string[] = [];
  void (async () => {
    for await (const { type } of one.connection.status()) statuses.push(type);
  })();
  one.process.pause();
  let isFlushed: boolean | undefined;
  one.process.gate(() => {
    one.connection.publish('to.other', 'into the lost one');
    one.connection.flush().then(
      () => (isFlushed = true),
      () => (isFlushed = false),
    );
  });
  server.cutOff(one.process);
  server.join(one.process);
  await settle();
  expect([statuses, one.connection.isUp]).toEqual([[], false]);
  one.process.resume();
  one.connection.publish('to.other', 'into the next');
  await settle();
  expect(statuses).toEqual(['disconnect', 'reconnect']);
  expect([isFlushed, other.received]).toEqual([false, ['to.other into the next']]);
});

test('a way that is cut carries nothing in its direction, and the other way goes on', async () => {
  const { server, connect, settle } = network();
  const [one, other] = [connect(), connect()];
  one.hear('to.one');
  other.hear('to.other');
  const send = async (text: string): Promise<void> => {
    one.connection.publish('to.other', text);
    other.connection.publish('to.one', text);
    await settle();
  };
  server.cutWay(one.process, other.process);
  await send('cut');
  server.joinWay(one.process, other.process);
  await send('joined');
  expect([one.received, other.received]).toEqual([['to.one cut', 'to.one joined'], ['to.other joined']]);
});

test('a process that is killed has no subscriptions any more; one that is paused gets its messages later', async () => {
  const { connect, settle } = network();
  const [publisher, subscriber] = [connect(), connect()];
  subscriber.hear('a');
  subscriber.process.pause();
  publisher.connection.publish('a', 'paused');
  await settle();
  expect(subscriber.received).toEqual([]);
  subscriber.process.resume();
  expect(subscriber.received).toEqual(['a paused']);
  publisher.connection.publish('a', 'lost');
  subscriber.process.kill();
  publisher.connection.publish('a', 'dead');
  await settle();
  expect(subscriber.received).toEqual(['a paused']);
  expect(() => subscriber.connection.publish('a', 'x')).toThrow('CONNECTION_CLOSED');
});

test('a flush ends behind what was published before; a connection that closes ends its subscriptions', async () => {
  const { connect, settle } = network();
  const { connection } = connect();
  const subscription = connection.subscribe('a', { callback: () => undefined });
  let isFlushed = false;
  void connection.flush().then(() => {
    isFlushed = true;
  });
  expect(isFlushed).toBe(false);
  await settle();
  expect(isFlushed).toBe(true);
  await connection.close();
  await subscription.closed;
  expect([connection.isClosed(), subscription.isClosed()]).toEqual([true, true]);
});

test('of a place that is mute nothing arrives, and at one that is deaf nothing does, though all are connected', async () => {
  const { server, connect, settle } = network();
  const [mute, deaf, other] = [connect('mute'), connect('deaf'), connect('other')];
  for (const one of [mute, deaf, other]) one.hear('a');
  server.silence('mute');
  server.deafen('deaf');
  const publish = async (text: string): Promise<void> => {
    for (const one of [mute, deaf, other]) one.connection.publish('a', codec.encode(`${one.process.place} ${text}`));
    await settle();
  };
  await publish('1');
  expect([mute, deaf, other].every(({ connection }) => connection.isUp)).toBe(true);
  expect([mute.received, deaf.received]).toEqual([['a deaf 1', 'a other 1'], []]);
  server.mend('mute');
  server.mend('deaf');
  await publish('2');
  expect(deaf.received).toEqual(['a mute 2', 'a deaf 2', 'a other 2']);
});

test('servers that are apart know nothing of the subscriptions at the other one', async () => {
  const { server, connect, settle } = network();
  const [near, far] = [connect('near'), connect('far')];
  for (const one of [near, far]) one.hear('work', 'group');
  near.hear('inbox');
  server.split(new Set(['far']));
  for (let sent = 0; sent < 8; sent++) near.connection.publish('work', 'x');
  far.connection.publish('nobody', 'x', { reply: 'inbox' });
  await settle();
  // A member of the group that is out of reach is given nothing.
  expect([near.received.length, far.received.length]).toEqual([8, 0]);
  near.connection.publish('nobody', 'x', { reply: 'inbox' });
  await settle();
  expect(near.received.at(-1)).toBe('inbox ');
  server.unsplit();
  far.connection.publish('inbox', 'again');
  await settle();
  expect(near.received.at(-1)).toBe('inbox again');
});
