/** The parameters of a fleet in a cluster of three nats-servers, of which most go and come back. */
import { expect, onTestFinished, test } from 'vitest';
import { askFleet } from '../src/app/mod.ts';
import { natsCluster } from '../src/transport/kit/mod.ts';
import { connect } from '../src/transport/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';

test('without most of the servers a change is refused and the hosts go on; with them back it is made on all', async () => {
  const cluster = await natsCluster();
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const start = async (host: string): Promise<TestFleet> => {
    const fleet = await TestFleet.start({ addresses: 2, flags: ['--nats', cluster.urls, '--host', host] });
    onTestFinished(() => fleet.stop().then(() => undefined));
    return fleet;
  };
  const [a] = [await start('a'), await start('b')];
  const where = { servers: cluster.urls, fleet: 'default' };
  const set = (value: number): Promise<unknown> =>
    askFleet(where, 'params-set', { values: { deadline_ms: value } }, 'a');
  const deadline = async (host: string): Promise<unknown> => {
    const values = await askFleet<Record<string, number>>(where, 'params', {}, host).catch(() => undefined);
    return values?.['deadline_ms'];
  };
  const everywhere = async (value: number): Promise<void> => {
    for (const host of ['a', 'b']) {
      await eventually(`host ${host} has ${value}`, async () => ((await deadline(host)) === value ? true : undefined));
    }
  };
  await eventually('the cluster takes a change', () => set(4_000).catch(() => undefined));
  await everywhere(4_000);
  const { nc, close } = await connect({ servers: cluster.urls, name: 'look' });
  const info = await (await nc.jetstreamManager()).streams.info('KV_shoal-default');
  expect(info.config.num_replicas).toBe(3);
  await close();

  const [, second, third] = cluster.servers;
  await Promise.all([second?.kill(), third?.kill()]);
  await eventually('both hosts answer over the server that is left', async () =>
    (await deadline('a')) === 4_000 && (await deadline('b')) === 4_000 ? true : undefined,
  );
  await expect(set(5_000)).rejects.toMatchObject({ code: expect.stringMatching(/^PARAMS_(UNAVAILABLE|UNCERTAIN)$/) });
  expect(await deadline('a')).toBe(4_000);
  expect((await a.run('send', ['goes on'])).stdout).toBe('GOES ON\n');
  await eventually('both hosts say that the bucket is away', async () => {
    const texts = await Promise.all(
      ['a', 'b'].map((host) => askFleet<{ text: string }[]>(where, 'events', { count: 1_000 }, host)),
    );
    return texts.every((events) => events.some(({ text }) => text.includes('the bucket is away'))) ? true : undefined;
  });

  await Promise.all([second?.start(), third?.start()]);
  await eventually('the cluster takes a change again', () => set(6_000).catch(() => undefined));
  await everywhere(6_000);
});
