import { ShoalError } from '../../errors.ts';
import { SHARD_FAULTS } from '../../shards/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { Arguments } from './arguments.ts';
import type { AdminDeps } from './deps.ts';

const SHARD_INDEX_MAX = 1_000;

/** Verbs about the threads that VMs are watched from. */
export function shardHandlers({ shards }: AdminDeps): Readonly<Record<string, AdminHandler>> {
  const stats: Readonly<Record<string, AdminHandler>> = { shards: async () => (await shards?.stats()) ?? [] };
  if (process.env['SHOAL_TEST_FAULTS'] !== '1') return stats;
  return {
    ...stats,
    // For tests alone: harms a thread as only a defect would.
    'shard-fault': async (args) => {
      const named = new Arguments(args);
      const fault = named.text('fault');
      if (shards === undefined)
        throw new ShoalError('CONFIG_VALUE', `There are no shards that could ${SHARD_FAULTS.join(' or ')}`);
      await shards.injectFault(named.whole('shard', { min: 0, max: SHARD_INDEX_MAX }), fault);
      return {};
    },
  };
}
