import { expect, test } from 'vitest';
import { processed, servedFleet } from '../transport/kit/mod.ts';
import { connect } from './mod.ts';

test('text in, processed text out', async () => {
  await using fleet = await servedFleet(({ payload, replyTo }) => {
    const text = new TextDecoder().decode(payload).toUpperCase();
    replyTo.tell(processed(new TextEncoder().encode(text), 4, 'alpha'));
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  expect(await client.request('gr\u00fc\u00df dich')).toEqual({ text: 'GR\u00dcSS DICH', vm: 4, host: 'alpha' });
});

test('operation, id and retry reach the router', async () => {
  await using fleet = await servedFleet(({ op, requestId, retry, replyTo }) => {
    replyTo.tell(processed(new TextEncoder().encode(`${op} ${requestId} ${retry}`)));
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet, deadlineMs: 10_000 });
  const reply = await client.request('', { op: 'count', id: 'a-1', retry: false });
  expect(reply.text).toBe('count a-1 false');
});

test('errors are ShoalErrors with a code', async () => {
  await using fleet = await servedFleet(({ replyTo }) => {
    replyTo.tell({ ok: false, status: 404, message: 'no operation "nope"' });
  });
  await using client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  await expect(client.request('', { op: 'nope' })).rejects.toMatchObject({
    name: 'ShoalError',
    code: 'REQUEST_OPERATION_UNKNOWN',
    message: 'no operation "nope"',
  });
});

test('closing ends what is in flight', async () => {
  await using fleet = await servedFleet(() => undefined, { drainLimitMs: 1 });
  const client = await connect({ servers: fleet.nats.url, fleet: fleet.fleet });
  const ended = expect(client.request('text')).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
  await client.close();
  await ended;
  await expect(client.request('text')).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
});

test('a fleet name, a deadline or an address that is none is refused', async () => {
  await using fleet = await servedFleet(() => undefined);
  const servers = fleet.nats.url;
  await expect(connect({ servers, fleet: 'a.b' })).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  await expect(connect({ servers, deadlineMs: 0 })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  await expect(connect({ servers: 'ftp://h' })).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
});
