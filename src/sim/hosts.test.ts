import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HostWorld, type Life } from './testing/host-world.ts';

const RUNS = 100;
const LIMIT_MS = 40_000;
/** Time to find each other again after anything, and for all asks and retries to end. */
const REST_MS = 20_000;
const TIMERS_MAX = 10;
const NAMES = ['a', 'b', 'c', 'd'];

type Act =
  | { readonly kind: 'tell'; readonly from: number; readonly to: number; readonly count: number }
  | { readonly kind: 'ask'; readonly from: number; readonly to: number; readonly isAnswered: boolean }
  | { readonly kind: 'watch' | 'end' | 'cut-way' | 'join-way'; readonly from: number; readonly to: number }
  | { readonly kind: 'pause' | 'resume' | 'cut-off' | 'join' | 'restart'; readonly from: number }
  | { readonly kind: 'faults'; readonly lost: number; readonly doubled: number; readonly late: number };

const host = fc.nat(NAMES.length - 1);
const probability = fc.double({ min: 0, max: 0.4, noNaN: true });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tell' as const),
      from: host,
      to: host,
      count: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), from: host, to: host, isAnswered: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'watch' as const,
        'watch' as const,
        'end' as const,
        'cut-way' as const,
        'join-way' as const,
      ),
      from: host,
      to: host,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'pause' as const,
        'resume' as const,
        'cut-off' as const,
        'join' as const,
        'restart' as const,
      ),
      from: host,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('faults' as const),
      lost: probability,
      doubled: probability,
      late: probability,
    }),
  },
);
const step = fc.record({ afterMs: fc.oneof(fc.constant(0), fc.nat(300), fc.nat(6_000)), act });

/**
 * A failure prints its seed and what happened, shrunk. Run again with `FC_SEED=<seed>`; deeper with
 * `FC_NUM_RUNS=10000` and `--testTimeout 1000000`.
 */
it('hosts that die, stand still and are cut off, on a network that loses, doubles and delays, keep what they promise', async () => {
  const { numRuns } = fc.readConfigureGlobal();
  // On a busy machine fewer histories must do.
  const limits = numRuns === undefined ? { numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS } : { numRuns };
  const seen = { up: 0, lost: 0, replied: 0, failed: 0, told: 0, resent: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 4 }),
      fc.nat(),
      fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
      async (count, seed, steps) => {
        const world = new HostWorld(seed);
        const now = NAMES.slice(0, count).map((name) => world.start(name));
        await world.run(1_500);
        for (const { afterMs, act: what } of steps) {
          await world.run(afterMs);
          perform(world, now, what);
        }
        world.heal();
        await world.run(REST_MS);
        expect(world.findings()).toEqual([]);
        await world.run(REST_MS);
        expect(world.findings()).toEqual([]);
        // Beats go on, and nothing else: a timer for each host, and what is on its way.
        expect(world.time.pending).toBeLessThan(TIMERS_MAX * count);
        for (const { kind } of world.lives.flatMap(({ events }) => events)) {
          if (kind === 'host-up') seen.up += 1;
          if (kind === 'host-lost') seen.lost += 1;
        }
        seen.replied += world.asks.replied;
        seen.failed += world.asks.failed;
        seen.told += world.watches.filter(({ told }) => told.length === 1).length;
        seen.resent += now.reduce((sum, { hosts }) => sum + hosts.stats().resent, 0);
      },
    ),
    limits,
  );
  // Histories in which nothing happens would prove nothing.
  expect(Object.entries(seen).filter(([, times]) => times === 0)).toEqual([]);
});

function perform(world: HostWorld, now: Life[], what: Act): void {
  const at = (index: number): number => index % now.length;
  const from = what.kind === 'faults' ? undefined : now[at(what.from)];
  const to = 'to' in what ? now[at(what.to)] : undefined;
  if (what.kind === 'faults') {
    const { lost, doubled, late } = what;
    world.nats.faults = { lost, doubled, late, lateMs: { kind: 'uniform', fromMs: 1, toMs: 400 } };
  }
  if (from === undefined) return;
  if (to !== undefined && to !== from) performOnPair(world, from, to, what);
  if (what.kind === 'pause') from.process.pause();
  if (what.kind === 'resume') from.process.resume();
  if (what.kind === 'cut-off') world.nats.cutOff(from.process);
  if (what.kind === 'join') world.nats.join(from.process);
  if (what.kind !== 'restart') return;
  world.kill(from);
  now[now.indexOf(from)] = world.start(from.name);
}

function performOnPair(world: HostWorld, from: Life, to: Life, what: Act): void {
  if (what.kind === 'tell') world.tell(from, to, what.count);
  if (what.kind === 'ask') world.ask(from, to, what.isAnswered);
  if (what.kind === 'watch') world.watch(from, to);
  if (what.kind === 'end') world.refOf(from, to)?.tell({ kind: 'end' });
  if (what.kind === 'cut-way') world.nats.cutWay(from.process, to.process);
  if (what.kind === 'join-way') world.nats.joinWay(from.process, to.process);
}
