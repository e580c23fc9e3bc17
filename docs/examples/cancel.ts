import { connect, ShoalError } from 'shoal/client';

await using client = await connect({ servers: process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222' });

/** Resolves with the code of the error that ends a request. */
async function codeOf(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return 'none';
  } catch (error) {
    if (error instanceof ShoalError) return error.code;
    throw error;
  }
}

// `spin` computes for the given milliseconds. The caller cancels the first request; the second passes its deadline.
const user = new AbortController();
const left = codeOf(client.request('60', { op: 'spin', signal: user.signal }));
user.abort();
console.log(await left);
console.log(await codeOf(client.request('600', { op: 'spin', deadlineMs: 50 })));

// prints: REQUEST_CANCELLED
// prints: REQUEST_DEADLINE
