import { describe, expect, test } from 'vitest';
import { askFleet } from '../src/app/mod.ts';
import { connect } from '../src/client/mod.ts';
import type { VmRow } from '../src/fleet/mod.ts';
import type { ShardStats } from '../src/shards/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';
import { shoal } from './driver/shoal-process.ts';

interface Shown {
  readonly vms: readonly (VmRow & { readonly shard: number | null })[];
}

async function shardsOf(fleet: TestFleet): Promise<(number | null)[]> {
  // `shoal ps -o json` prints this type.
  const { vms } = (await fleet.json('ps')) as Shown;
  return vms.map(({ shard }) => shard).toSorted();
}

function where({ ready }: TestFleet): { servers: string; fleet: string } {
  return { servers: ready.nats, fleet: ready.fleet };
}

describe('the threads that VMs are watched from', () => {
  test('are as many as --shards says; ps and inspect show which VM is on which', async () => {
    await using fleet = await TestFleet.start({ flags: ['--shards', '2', '--min', '2'] });
    expect(await shardsOf(fleet)).toEqual([0, 1]);
    expect(await fleet.json('inspect', ['1'])).toMatchObject({ shard: expect.any(Number) });
    const stats = await askFleet<readonly ShardStats[]>(where(fleet), 'shards', {});
    expect(stats).toMatchObject([
      { shard: 0, state: 'up', lost: 0, worker: { actors: 1 } },
      { shard: 1, state: 'up', lost: 0, worker: { actors: 1 } },
    ]);
  });

  test('are none with --shards 0, whatever the environment says', async () => {
    await using fleet = await TestFleet.start({ flags: ['--shards', '0'], env: { SHOAL_SHARDS: '2' } });
    expect(await shardsOf(fleet)).toEqual([null]);
    expect(await askFleet(where(fleet), 'shards', {})).toEqual([]);
  });

  test('are those of SHOAL_SHARDS without the flag', async () => {
    await using fleet = await TestFleet.start({ env: { SHOAL_SHARDS: '1' } });
    expect(await shardsOf(fleet)).toEqual([0]);
  });

  test.each([
    [['--shards', 'many'], {}, /--shards to be a whole number from 0 to 64, got "many"/],
    [[], { SHOAL_SHARDS: '-1' }, /SHOAL_SHARDS to be a whole number from 0 to 64, got "-1"/],
  ])('cannot be %j with %j', async (args, env, message) => {
    expect(await shoal(['up', ...args], { env })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(message),
    });
  });

  test('may be lost, and no request notices', async () => {
    await using fleet = await TestFleet.start({
      // None is surplus: those that go would go because of their shard.
      flags: ['--shards', '2', '--min', '2', '--set', 'free_count=100000'],
      env: { SHOAL_TEST_FAULTS: '1' },
    });
    const client = await connect({ servers: fleet.ready.nats });
    try {
      const before = (await fleet.snapshot()).vms.map(({ id_vmachine }) => id_vmachine);
      for (const [shard, fault] of [
        [0, 'exit'],
        [1, 'loop'],
      ] as const) {
        const working = Array.from({ length: 4 }, () => client.request('300', { op: 'spin' }));
        await askFleet(where(fleet), 'shard-fault', { shard, fault });
        expect(await Promise.all(working)).toHaveLength(4);
        await eventually('a fresh thread is in its place', async () => {
          const stats = await askFleet<readonly ShardStats[]>(where(fleet), 'shards', {});
          return stats[shard]?.lost === 1 && stats[shard]?.state === 'up' ? true : undefined;
        });
      }
      await fleet.until('all report', ({ vms }) => vms.every(({ cpu, state }) => cpu !== null && state === 'ready'));
      const after = (await fleet.snapshot()).vms.map(({ id_vmachine }) => id_vmachine);
      expect(after).toEqual(expect.arrayContaining(before));
      const texts = (await fleet.events()).filter(({ kind }) => kind === 'shard-lost').map(({ text }) => text);
      expect(texts).toEqual([
        expect.stringMatching(/^shard 0 is lost: .*exit code 7; its VMs go on/),
        expect.stringMatching(/^shard 1 is lost: it hung.*; its VMs go on/),
      ]);
    } finally {
      await client.close();
    }
  });

  test("are not harmed on anybody's word", async () => {
    await using fleet = await TestFleet.start({ flags: ['--shards', '1'] });
    await expect(askFleet(where(fleet), 'shard-fault', { shard: 0, fault: 'exit' })).rejects.toThrow();
  });
});
