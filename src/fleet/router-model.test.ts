import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShakyFleet } from './kit/shaky-fleet.ts';

/** One thing that happens, as fast-check runs and shrinks it; `told` says in a counterexample what it was. */
class Happening implements fc.AsyncCommand<object, ShakyFleet> {
  readonly #told: string;
  readonly #run: (fleet: ShakyFleet) => void | Promise<void>;

  constructor(told: string, run: (fleet: ShakyFleet) => void | Promise<void>) {
    this.#told = told;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, fleet: ShakyFleet): Promise<void> {
    await this.#run(fleet);
    await fleet.fleet.settle();
    expect(fleet.violations).toEqual([]);
    expect(fleet.clients.filter((client) => client.outcomes.length > 1)).toEqual([]);
  }

  toString(): string {
    return this.#told;
  }
}

const which = fc.nat(7);
const often = fc.boolean();
const seldom = fc.nat(9).map((n) => n === 0);

const happenings = [
  fc
    .record({ withinMs: fc.integer({ min: 1, max: 8_000 }), id: fc.option(fc.constantFrom('x', 'y')), retry: often })
    .map(({ withinMs, id, retry }) => {
      const told = `send(${withinMs}, ${id ?? undefined}, ${retry})`;
      return new Happening(told, (it) => it.send(withinMs, id ?? undefined, retry));
    }),
  seldom.map((fails) => new Happening(`settleWrite(${fails})`, (it) => it.settleWrite(fails))),
  fc
    .constantFrom('well', 'well', 'well', 'badly', 'never')
    .map((how) => new Happening(`obey('${how}')`, (it) => it.obey(how))),
  fc.tuple(which, seldom).map(([n, twice]) => new Happening(`deliver(${n}, ${twice})`, (it) => it.deliver(n, twice))),
  fc.tuple(which, seldom).map(([n, twice]) => new Happening(`deliver(${n}, ${twice})`, (it) => it.deliver(n, twice))),
  fc
    .tuple(which, fc.constantFrom('replies', 'replies', 'fails', 'repeats'))
    .map(([n, how]) => new Happening(`guest(${n}, '${how}')`, (it) => it.guest(n, how))),
  which.map((n) => new Happening(`connect(${n})`, (it) => it.connect(n))),
  fc.tuple(which, fc.nat(2)).map(([n, m]) => new Happening(`dropLink(${n}, ${m})`, (it) => it.dropLink(n, m))),
  which.map((n) => new Happening(`crash(${n})`, (it) => it.crash(n))),
  fc
    .tuple(which, often, seldom)
    .map(([n, busy, again]) => new Happening(`report(${n}, ${busy}, ${again})`, (it) => it.report(n, busy, again))),
  often.map((isUp) => new Happening(`reach(${isUp})`, (it) => it.reach(isUp))),
  fc.oneof(fc.nat(400), fc.nat(6_000)).map((ms) => new Happening(`advance(${ms})`, (it) => it.fleet.advance(ms))),
  fc.nat(200_000).map((ms) => new Happening(`stall(${ms})`, (it) => it.fleet.stall(ms))),
  fc.constant(new Happening('soundRound()', (it) => it.soundRound())),
  fc.tuple(fc.constantFrom('drain-vm', 'remove-vm'), fc.integer({ min: 1, max: 9 })).map(([kind, vm]) => {
    const replyTo = { path: 'admin', tell: () => true };
    return new Happening(`${kind}(${vm})`, (it) => void it.fleet.router.tell({ kind, vm, replyTo }));
  }),
];

const setup = fc.record({
  addresses: fc.integer({ min: 1, max: 5 }),
  params: fc.record({
    min_vm_count: fc.nat(2),
    vm_requests_max: fc.integer({ min: 1, max: 2 }),
    vm_backlog_max: fc.nat(2),
    router_queue_max: fc.integer({ min: 1, max: 5 }),
    spare_vm_count: fc.nat(1),
    stuck_ms: fc.constantFrom(0, 2_000),
    dedup_ms: fc.constantFrom(0, 60_000),
  }),
});

/** Rounds of a second in which everything works again: more than any back-off, lease or deadline takes. */
const ROUNDS_MAX = 90;

/**
 * A failure prints its seed and what happened, shrunk. Run again with `FC_SEED=<seed> bin/vitest run --project unit
 * src/fleet/router-model.test.ts`; deeper with `FC_NUM_RUNS=10000` and `--testTimeout 100000`.
 */
describe('a router whose hosts crash, whose messages come late, twice and out of turn', () => {
  it('ends each request once, holds each address once, and finds back to its minimum', async () => {
    await fc.assert(
      fc.asyncProperty(setup, fc.commands(happenings, { maxCommands: 60, size: '+1' }), async (given, commands) => {
        await using shaky = new ShakyFleet(given.params, given.addresses);
        await fc.asyncModelRun(() => ({ model: {}, real: shaky }), commands);
        const aim = Math.min(given.params.min_vm_count, given.addresses);
        shaky.reach(true);
        // What was on its way when it all went well again is through after the second round.
        for (let round = 0; round < ROUNDS_MAX && (round < 2 || !(await isSound(shaky, aim))); round++) {
          await shaky.soundRound();
        }
        expect(shaky.violations).toEqual([]);
        expect(shaky.fleet.kit.failures).toEqual([]);
        expect(shaky.clients.map((client) => client.outcomes.length)).toEqual(shaky.clients.map(() => 1));
        const { vms, waiting } = await shaky.fleet.snapshot();
        expect([waiting, vms.filter((vm) => vm.in_flight > 0)]).toEqual([0, []]);
        expect(vms.filter((vm) => vm.state === 'ready').length).toBeGreaterThanOrEqual(aim);
        expect([...shaky.held].sort()).toEqual(vms.map((vm) => [vm.id_ip, vm.id_vmachine]).sort());
      }),
    );
  });
});

/** Nothing is under way any more, and the minimum is ready. */
async function isSound(shaky: ShakyFleet, aim: number): Promise<boolean> {
  const { vms, waiting } = await shaky.fleet.snapshot();
  const ready = vms.filter((vm) => vm.state === 'ready').length;
  const settled = vms.every((vm) => (vm.state === 'ready' || vm.state === 'prepared') && vm.in_flight === 0);
  const told = shaky.clients.every((client) => client.outcomes.length === 1);
  return waiting === 0 && told && settled && ready >= aim && shaky.held.size === vms.length;
}
