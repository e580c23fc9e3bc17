import { expect, it } from 'vitest';
import { natsPort } from './mod.ts';
import type { NatsLike } from './nats-port.ts';
import { type EchoMessage, echo, FakeGroup, type FakeHost } from './testing/fixture.ts';

const refusals = ({ events }: FakeHost) => events.filter(({ kind }) => kind === 'port-refused');

it('a host whose server refuses it a subject is told so, with a code and a remedy, once in ten seconds', async () => {
  const group = new FakeGroup();
  const a = group.host('a');
  // The program uses its connection for other things, too.
  a.port.refused('orders', 'permissions violation');
  for (let n = 0; n < 3; n++) a.port.refused('test.hosts.beat', 'permissions violation');
  expect(refusals(a)).toMatchObject([
    {
      subject: 'test.hosts.beat',
      error: {
        code: 'HOST_PORT_REFUSED',
        message:
          'The NATS server does not take test.hosts.beat: permissions violation. Give this host the right to publish and subscribe to test.hosts.>',
      },
    },
  ]);
  await group.advance(10_000);
  a.port.refused('test.hosts.beat', 'permissions violation');
  expect(refusals(a)).toHaveLength(2);
});

it('a frame that is larger than the server takes any more is told of with both sizes', async () => {
  const group = new FakeGroup();
  const [a, b] = [group.host('a'), group.host('b')];
  b.hosts.expose('echo', b.system.spawn(echo([])));
  await group.settle();
  const far = a.hosts.ref<EchoMessage>('b', 'echo');
  await group.advance(100);
  b.pause();
  far.tell({ kind: 'note', value: 'x'.repeat(10_000) });
  await group.settle();
  group.network.payloadBytesMax = 4_096;
  await group.advance(1_000);
  expect(refusals(a)).toMatchObject([
    {
      subject: `test.hosts.to.${b.hosts.incarnation}`,
      error: { message: expect.stringMatching(/a frame of 10\d\d\d bytes is above 4096 bytes\. .*max_payload/) },
    },
  ]);
});

it.each([undefined, null, {}, 'localhost'])('the port for NATS refuses %o, which is no connection', (value) => {
  // The types forbid this, but not every user has them.
  expect(() => natsPort(value as unknown as NatsLike)).toThrow(
    expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining('`connection`') }),
  );
});

it('the port for NATS tells of refused subscriptions and refused subjects', async () => {
  type Callback = Parameters<NatsLike['subscribe']>[1]['callback'];
  const callbacks: Callback[] = [];
  const nc: NatsLike = {
    isClosed: () => false,
    closed: () => new Promise(() => undefined),
    publish: () => undefined,
    subscribe: (_subject, { callback }) => {
      callbacks.push(callback);
      return { unsubscribe: () => undefined };
    },
    async *status() {
      yield { type: 'error', permissionContext: { operation: 'subscription', subject: 'g.beat' } };
      yield { type: 'error', permissionContext: { operation: 'publish', subject: 'g.to.x' } };
    },
  };
  const port = natsPort(nc);
  const told: string[] = [];
  const end = port.onRefused?.((subject, why) => told.push(`${subject}: ${why}`));
  port.subscribe('g.beat', () => expect.unreachable('there is no message'));
  callbacks[0]?.(new Error('permissions violation'), { data: new Uint8Array() });
  await expect.poll(() => told).toEqual(['g.beat: permissions violation', 'g.to.x: permissions violation for publish']);
  end?.();
  callbacks[0]?.(new Error('again'), { data: new Uint8Array() });
  expect(told).toHaveLength(2);
});
