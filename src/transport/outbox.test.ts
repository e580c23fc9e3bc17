import type { NatsConnection } from 'nats';
import { expect, test } from 'vitest';
import { Outbox } from './outbox.ts';
import { ReplyHeaders } from './reply-headers.ts';

const headers = new ReplyHeaders().of(1, 'here');
const NO_BYTES = new Uint8Array(0);

/** A connection that notes what it is given to publish. */
function connection(publish: (subject: string) => void): NatsConnection {
  // Nothing else of a connection is asked for.
  return { publish } as unknown as NatsConnection;
}

function endOfRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('what is added in one round of the event loop leaves together at its end, in order', async () => {
  const published: string[] = [];
  const outbox = new Outbox(
    connection((subject) => published.push(subject)),
    () => undefined,
  );
  for (const subject of ['a', 'b', 'c']) {
    outbox.add(subject, NO_BYTES, headers);
    await Promise.resolve();
  }
  expect(published).toEqual([]);
  await endOfRound();
  expect(published).toEqual(['a', 'b', 'c']);
  outbox.add('d', NO_BYTES, headers);
  await endOfRound();
  expect(published).toEqual(['a', 'b', 'c', 'd']);
});

test('what cannot wait leaves at once, and only once', async () => {
  const published: string[] = [];
  const outbox = new Outbox(
    connection((subject) => published.push(subject)),
    () => undefined,
  );
  outbox.add('a', NO_BYTES, headers);
  outbox.flush();
  expect(published).toEqual(['a']);
  outbox.add('b', NO_BYTES, headers);
  await endOfRound();
  expect(published).toEqual(['a', 'b']);
});

test('a message that the connection refuses is counted, and holds up no other', () => {
  const published: string[] = [];
  let unsent = 0;
  const outbox = new Outbox(
    connection((subject) => {
      if (subject === 'bad') throw new Error('closed');
      published.push(subject);
    }),
    () => {
      unsent += 1;
    },
  );
  for (const subject of ['a', 'bad', 'b']) outbox.add(subject, NO_BYTES, headers);
  outbox.flush();
  expect({ published, unsent }).toEqual({ published: ['a', 'b'], unsent: 1 });
});
