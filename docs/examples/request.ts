import { connect, ShoalError } from 'shoal/client';

const client = await connect({ servers: process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222', fleet: 'default' });

const { text } = await client.request('hello from a program');
console.log(text);

const counted = await client.request('one two\nthree', { op: 'count', deadlineMs: 5_000 });
console.log(JSON.parse(counted.text));

try {
  await client.request('hello', { op: 'no-such-thing' });
} catch (error) {
  if (!(error instanceof ShoalError)) throw error;
  console.log(error.code);
}

await client.close();

// prints: HELLO FROM A PROGRAM
// prints: { lines: 2, words: 3, bytes: 13 }
// prints: REQUEST_OPERATION_UNKNOWN
