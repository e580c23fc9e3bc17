import { RequestStrategy } from 'nats';
import { describe, expect, test } from 'vitest';
import { processed, type ServedFleet, servedFleet } from './kit/mod.ts';
import { subjectsOf } from './subjects.ts';

async function ask(fleet: ServedFleet, subject: string): Promise<unknown[]> {
  const options = { maxWait: 5_000, maxMessages: 1, strategy: RequestStrategy.Count };
  const answers: unknown[] = [];
  for await (const message of await fleet.nc.requestMany(subject, '', options)) answers.push(message.json());
  return answers;
}

async function idOf(fleet: ServedFleet): Promise<string> {
  const [answer] = await ask(fleet, '$SRV.PING');
  // The first test below checks the shape.
  return (answer as { id: string }).id;
}

describe('$SRV', () => {
  test('PING, to all, by name, and by name and id', async () => {
    await using fleet = await servedFleet(() => undefined, { version: '1.2.3' });
    const id = await idOf(fleet);
    const expected = {
      type: 'io.nats.micro.v1.ping_response',
      name: 'shoal',
      id,
      version: '1.2.3',
      metadata: { fleet: 'test' },
    };
    for (const subject of ['$SRV.PING', '$SRV.PING.shoal', `$SRV.PING.shoal.${id}`]) {
      expect(await ask(fleet, subject)).toEqual([expected]);
    }
  });

  test('INFO names the endpoint', async () => {
    await using fleet = await servedFleet(() => undefined);
    const id = await idOf(fleet);
    for (const subject of ['$SRV.INFO', '$SRV.INFO.shoal', `$SRV.INFO.shoal.${id}`]) {
      expect(await ask(fleet, subject)).toEqual([
        {
          type: 'io.nats.micro.v1.info_response',
          name: 'shoal',
          id,
          version: '0.1.0',
          metadata: { fleet: 'test' },
          description: expect.any(String),
          endpoints: [{ name: 'process', subject: 'shoal.test.process', queue_group: 'shoal', metadata: {} }],
        },
      ]);
    }
  });

  test('STATS counts requests, errors and time', async () => {
    await using fleet = await servedFleet((request) => {
      if (request.payload.length > 0) request.replyTo.tell(processed(request.payload));
      else request.replyTo.tell({ ok: false, status: 404, reason: 'operation-unknown', message: 'no such operation' });
    });
    const { process } = subjectsOf(fleet.fleet);
    for (const payload of ['a', 'b', '']) await fleet.nc.request(process, payload, { timeout: 5_000 });
    const id = await idOf(fleet);
    for (const subject of ['$SRV.STATS', '$SRV.STATS.shoal', `$SRV.STATS.shoal.${id}`]) {
      const [stats] = await ask(fleet, subject);
      expect(stats).toMatchObject({
        type: 'io.nats.micro.v1.stats_response',
        started: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        endpoints: [
          {
            name: 'process',
            subject: process,
            queue_group: 'shoal',
            num_requests: 3,
            num_errors: 1,
            last_error: '404:no such operation',
            processing_time: expect.any(Number),
            average_processing_time: expect.any(Number),
          },
        ],
      });
    }
  });

  test('the client of nats.js for services finds it', async () => {
    await using fleet = await servedFleet(() => undefined);
    const found: string[] = [];
    const client = fleet.nc.services.client({ maxWait: 5_000, maxMessages: 1, strategy: RequestStrategy.Count });
    for await (const { name, version } of await client.ping('shoal')) found.push(`${name} ${version}`);
    expect(found).toEqual(['shoal 0.1.0']);
  });

  test('nobody answers once it has stopped', async () => {
    await using fleet = await servedFleet(() => undefined);
    await fleet.system.stop(fleet.endpoint);
    await expect(fleet.nc.request('$SRV.PING', '', { timeout: 5_000 })).rejects.toMatchObject({ code: '503' });
  });
});
