// Without the Shoal library: any NATS client, in any language, can speak to a fleet like this.
import { connect, headers } from 'nats';

const nats = await connect({ servers: process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222' });

/** Sends one request to the fleet `default`. An error is in the headers, as in every NATS service. */
async function request(op: string, text: string): Promise<string> {
  const asked = headers();
  asked.set('Shoal-Op', op);
  asked.set('Shoal-Deadline-Ms', '5000');
  const reply = await nats.request('shoal.default.process', text, { headers: asked, timeout: 5_000 });
  const code = reply.headers?.get('Nats-Service-Error-Code') ?? '';
  return code === '' ? reply.string() : `error ${code}`;
}

console.log(await request('reverse', 'stressed'));
console.log(await request('no-such-thing', ''));

await nats.close();

// prints: desserts
// prints: error 404
