import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { connect } from 'shoal/client';

await using client = await connect({ servers: process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222' });

// Any source of lines will do: an array, a generator, a file of many gigabytes, a socket that never ends.
const lines = createInterface({ input: createReadStream(import.meta.filename), crlfDelay: Number.POSITIVE_INFINITY });

let words = 0;
let failed = 0;
for await (const outcome of client.lines(lines, { op: 'count', concurrency: 32 })) {
  if (outcome.ok) words += JSON.parse(outcome.text).words;
  else failed += 1;
}
console.log(`${words} words in this file, ${failed} lines failed`);

// prints: 108 words in this file, 0 lines failed
