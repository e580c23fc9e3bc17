import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultyFleet } from '../kit/faulty-fleet.ts';

/** One thing that happens, as fast-check runs and shrinks it; `told` says in a counterexample what it was. */
class Incident implements fc.AsyncCommand<object, FaultyFleet> {
  readonly #told: string;
  readonly #run: (fleet: FaultyFleet) => void | Promise<void>;

  constructor(told: string, run: (fleet: FaultyFleet) => void | Promise<void>) {
    this.#told = told;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, fleet: FaultyFleet): Promise<void> {
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

const incidents = [
  fc
    .record({ withinMs: fc.integer({ min: 1, max: 8_000 }), id: fc.option(fc.constantFrom('x', 'y')), retry: often })
    .map(({ withinMs, id, retry }) => {
      const told = `send(${withinMs}, ${id ?? undefined}, ${retry})`;
      return new Incident(told, (fleet) => fleet.send(withinMs, id ?? undefined, retry));
    }),
  seldom.map((fails) => new Incident(`settleWrite(${fails})`, (fleet) => fleet.settleWrite(fails))),
  fc
    .constantFrom('well', 'well', 'well', 'badly', 'never')
    .map((how) => new Incident(`obey('${how}')`, (fleet) => fleet.obey(how))),
  fc
    .tuple(which, seldom)
    .map(([n, twice]) => new Incident(`deliver(${n}, ${twice})`, (fleet) => fleet.deliver(n, twice))),
  fc
    .tuple(which, seldom)
    .map(([n, twice]) => new Incident(`deliver(${n}, ${twice})`, (fleet) => fleet.deliver(n, twice))),
  fc
    .tuple(which, fc.constantFrom('replies', 'replies', 'fails', 'repeats'))
    .map(([n, how]) => new Incident(`guest(${n}, '${how}')`, (fleet) => fleet.guest(n, how))),
  which.map((n) => new Incident(`connect(${n})`, (fleet) => fleet.connect(n))),
  fc.tuple(which, fc.nat(2)).map(([n, m]) => new Incident(`dropLink(${n}, ${m})`, (fleet) => fleet.dropLink(n, m))),
  which.map((n) => new Incident(`crash(${n})`, (fleet) => fleet.crash(n))),
  fc
    .tuple(which, often, seldom)
    .map(
      ([n, busy, again]) => new Incident(`report(${n}, ${busy}, ${again})`, (fleet) => fleet.report(n, busy, again)),
    ),
  often.map((isUp) => new Incident(`reach(${isUp})`, (fleet) => fleet.reach(isUp))),
  fc.oneof(fc.nat(400), fc.nat(6_000)).map((ms) => new Incident(`advance(${ms})`, (fleet) => fleet.fleet.advance(ms))),
  fc.nat(200_000).map((ms) => new Incident(`stall(${ms})`, (fleet) => fleet.fleet.stall(ms))),
  fc.constant(new Incident('soundRound()', (fleet) => fleet.soundRound())),
  fc.tuple(fc.constantFrom('drain-vm', 'remove-vm'), fc.integer({ min: 1, max: 9 })).map(([kind, vm]) => {
    const replyTo = { path: 'admin', tell: () => true };
    return new Incident(`${kind}(${vm})`, (fleet) => void fleet.fleet.router.tell({ kind, vm, replyTo }));
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
      fc.asyncProperty(setup, fc.commands(incidents, { maxCommands: 60, size: '+1' }), async (given, commands) => {
        await using faulty = new FaultyFleet(given.params, given.addresses);
        await fc.asyncModelRun(() => ({ model: {}, real: faulty }), commands);
        const aim = Math.min(given.params.min_vm_count, given.addresses);
        faulty.reach(true);
        // What was on its way when it all went well again is through after the second round.
        for (let round = 0; round < ROUNDS_MAX && (round < 2 || !(await isSound(faulty, aim))); round++) {
          await faulty.soundRound();
        }
        expect(faulty.violations).toEqual([]);
        expect(faulty.fleet.kit.failures).toEqual([]);
        expect(faulty.clients.map((client) => client.outcomes.length)).toEqual(faulty.clients.map(() => 1));
        const { vms, waiting } = await faulty.fleet.snapshot();
        expect([waiting, vms.filter((vm) => vm.in_flight > 0)]).toEqual([0, []]);
        expect(vms.filter((vm) => vm.state === 'ready').length).toBeGreaterThanOrEqual(aim);
        expect([...faulty.held].sort()).toEqual(vms.map((vm) => [vm.id_ip, vm.id_vmachine]).sort());
      }),
    );
  });
});

/** Nothing is under way any more, and the minimum is ready. */
async function isSound(faulty: FaultyFleet, aim: number): Promise<boolean> {
  const { vms, waiting } = await faulty.fleet.snapshot();
  const ready = vms.filter((vm) => vm.state === 'ready').length;
  const settled = vms.every((vm) => (vm.state === 'ready' || vm.state === 'prepared') && vm.in_flight === 0);
  const told = faulty.clients.every((client) => client.outcomes.length === 1);
  return waiting === 0 && told && settled && ready >= aim && faulty.held.size === vms.length;
}
