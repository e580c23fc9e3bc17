import { ShoalError } from '../../errors.ts';
import { MISHAPS } from '../../shards/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { Arguments } from './arguments.ts';
import type { AdminGround } from './ground.ts';

const SHARD_INDEX_MAX = 1_000;

/** Verbs about the threads that VMs are watched from. */
export function shardHandlers({ shards }: AdminGround): Readonly<Record<string, AdminHandler>> {
  const stats: Readonly<Record<string, AdminHandler>> = { shards: async () => (await shards?.stats()) ?? [] };
  if (process.env['SHOAL_TEST_MISHAPS'] !== '1') return stats;
  return {
    ...stats,
    // For tests alone: what only a defect would do to a thread.
    'shard-mishap': async (args) => {
      const named = new Arguments(args);
      const how = named.text('how');
      if (shards === undefined)
        throw new ShoalError('CONFIG_VALUE', `There are no shards that could ${MISHAPS.join(' or ')}`);
      await shards.mishap(named.whole('shard', { min: 0, max: SHARD_INDEX_MAX }), how);
      return {};
    },
  };
}
