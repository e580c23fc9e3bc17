import type { NatsConnection } from 'nats';
import { expect, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import { BatchPublisher } from './batch-publisher.ts';
import { ReplyHeaders } from './reply-headers.ts';

const headers = new ReplyHeaders().of(1, 'here');
const NO_BYTES = new Uint8Array(0);

/** A connection that records published messages. */
function connection(publish: (subject: string) => void): NatsConnection {
  // The publisher uses nothing else of a connection.
  return { publish } as unknown as NatsConnection;
}

function endOfRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('what is added in one round of the event loop leaves together at its end, in order', async () => {
  const published: string[] = [];
  const publisher = new BatchPublisher(
    connection((subject) => published.push(subject)),
    systemClock,
    () => undefined,
  );
  for (const subject of ['a', 'b', 'c']) {
    publisher.publish(subject, NO_BYTES, headers);
    await Promise.resolve();
  }
  expect(published).toEqual([]);
  await endOfRound();
  expect(published).toEqual(['a', 'b', 'c']);
  publisher.publish('d', NO_BYTES, headers);
  await endOfRound();
  expect(published).toEqual(['a', 'b', 'c', 'd']);
});

test('what cannot wait leaves at once, and only once', async () => {
  const published: string[] = [];
  const publisher = new BatchPublisher(
    connection((subject) => published.push(subject)),
    systemClock,
    () => undefined,
  );
  publisher.publish('a', NO_BYTES, headers);
  publisher.flush();
  expect(published).toEqual(['a']);
  publisher.publish('b', NO_BYTES, headers);
  await endOfRound();
  expect(published).toEqual(['a', 'b']);
});

test('a message that the connection refuses is counted, and holds up no other', () => {
  const published: string[] = [];
  let unsent = 0;
  const publisher = new BatchPublisher(
    connection((subject) => {
      if (subject === 'bad') throw new Error('closed');
      published.push(subject);
    }),
    systemClock,
    () => {
      unsent += 1;
    },
  );
  for (const subject of ['a', 'bad', 'b']) publisher.publish(subject, NO_BYTES, headers);
  publisher.flush();
  expect({ published, unsent }).toEqual({ published: ['a', 'b'], unsent: 1 });
});

test('what is forgotten never leaves, and what comes after it does', async () => {
  const published: string[] = [];
  const publisher = new BatchPublisher(
    connection((subject) => published.push(subject)),
    systemClock,
    () => undefined,
  );
  publisher.publish('a', NO_BYTES, headers);
  publisher.discard();
  publisher.publish('b', NO_BYTES, headers);
  await endOfRound();
  expect(published).toEqual(['b']);
});
