import fc from 'fast-check';
import { expect } from 'vitest';
import { makeParams } from '../values/params.ts';
import { FaultyFleet, type Pending } from './faulty-fleet.ts';
import { RouterModel } from './router-model.ts';

type Run = (fleet: FaultyFleet, model: RouterModel) => void | Promise<void>;

/** One thing that happens, as fast-check runs and shrinks it; `told` says in a counterexample what it was. */
class Incident implements fc.AsyncCommand<RouterModel, FaultyFleet> {
  readonly #told: string;
  readonly #run: Run;
  /** What must be there for it to make sense. */
  readonly #needs: keyof Pending | undefined;

  constructor(told: string, run: Run, needs?: keyof Pending) {
    this.#told = told;
    this.#run = run;
    this.#needs = needs;
  }

  check({ pending }: Readonly<RouterModel>): boolean {
    return this.#needs === undefined || pending[this.#needs] > 0;
  }

  async run(model: RouterModel, faulty: FaultyFleet): Promise<void> {
    const { fleet } = faulty;
    const beforeMs = fleet.kit.clock.now();
    await this.#run(faulty, model);
    await fleet.settle();
    model.look(faulty);
    // The wall clock goes on only as far as timers fire. A router that a stall caught at rest looks within a second of that.
    const hasLooked = fleet.kit.clock.now() - beforeMs >= 1_200;
    expect(faulty.violations).toEqual([]);
    expect(model.wrongClients(fleet.kit.clock.monotonic(), hasLooked)).toEqual([]);
    expect(model.wrongFleet(await fleet.snapshot())).toEqual([]);
  }

  toString(): string {
    return this.#told;
  }
}

/** A request comes: one whose id is known joins, gets the stored reply, or is refused, as the model says. */
async function send(faulty: FaultyFleet, model: RouterModel, { withinMs, id, text, retry }: Sending): Promise<void> {
  const { fleet } = faulty;
  const nowMs = fleet.kit.clock.monotonic();
  const expected = id === null ? undefined : model.expects(id, text, nowMs);
  const client = faulty.send(withinMs, id ?? undefined, text, retry);
  await fleet.settle();
  model.sent(client, text);
  if (expected?.kind === 'refused') expect(client.outcomes).toMatchObject([{ ok: false, status: 400 }]);
  if (expected?.kind === 'joins') expect(client.outcomes).toEqual([]);
  // Nobody has answered it yet: it can only be refused for an overload.
  if (expected?.kind === 'new')
    expect(client.outcomes.filter((outcome) => outcome.ok || outcome.status !== 503)).toEqual([]);
  if (expected?.kind === 'stored') expect(client.outcomes).toEqual([expected.outcome]);
}

interface Sending {
  readonly withinMs: number;
  readonly id: string | null;
  readonly text: string;
  readonly retry: boolean;
}

function setParams({ fleet }: FaultyFleet, model: RouterModel, params: Readonly<Record<string, number>>): void {
  model.params = { ...model.params, ...params };
  fleet.router.tell({ kind: 'params', params: makeParams(model.params) });
}

function addAddress({ fleet }: FaultyFleet, model: RouterModel): void {
  const id = ++model.addresses;
  fleet.router.tell({ kind: 'add-addresses', addresses: [{ id, ip: `10.0.0.${id}`, port: 9_000 }] });
}

function scale({ fleet }: FaultyFleet, model: RouterModel, vmCount: number): void {
  model.params = { ...model.params, min_vm_count: vmCount };
  fleet.router.tell({ kind: 'scale', vmCount, replyTo: ADMIN });
}

/** Another image than the last, under a number of its own. */
function deploy({ fleet }: FaultyFleet, model: RouterModel, canary: number): void {
  const id = ++model.deploys;
  const phase = canary === 0 ? 'rolling' : 'canary';
  const state = { id, image: `image ${id}`, before: 'old', canary, canaryMs: 1_000, phase, why: null } as const;
  fleet.router.tell({ kind: 'deploy', deploy: state, replyTo: ADMIN });
}

const ADMIN = { path: 'admin', tell: () => true };
const which = fc.nat(7);
const often = fc.boolean();
const seldom = fc.nat(9).map((n) => n === 0);
const anyVm = fc.integer({ min: 1, max: 9 });

const deliver = fc
  .tuple(which, seldom)
  .map(([n, twice]) => new Incident(`deliver(${n}, ${twice})`, (fleet) => fleet.deliver(n, twice), 'messages'));

const incidents = [
  fc
    .record({
      withinMs: fc.integer({ min: 1, max: 8_000 }),
      id: fc.option(fc.constantFrom('x', 'y')),
      text: fc.constantFrom('one', 'one', 'one', 'two'),
      retry: often,
    })
    .map((sending) => new Incident(`send(${JSON.stringify(sending)})`, (fleet, model) => send(fleet, model, sending))),
  seldom.map((fails) => new Incident(`settleWrite(${fails})`, (fleet) => fleet.settleWrite(fails), 'writes')),
  fc
    .constantFrom('well', 'well', 'well', 'badly', 'never')
    .map((how) => new Incident(`obey('${how}')`, (fleet) => fleet.obey(how), 'commands')),
  deliver,
  deliver,
  fc
    .tuple(which, fc.constantFrom('replies', 'replies', 'fails'))
    .map(([n, how]) => new Incident(`guest(${n}, '${how}')`, (fleet) => fleet.guest(n, how), 'working')),
  which.map((n) => new Incident(`guest(${n}, 'repeats')`, (fleet) => fleet.guest(n, 'repeats'), 'answered')),
  which.map((n) => new Incident(`connect(${n})`, (fleet) => fleet.connect(n), 'down')),
  fc
    .tuple(which, fc.nat(2))
    .map(([n, unsent]) => new Incident(`dropLink(${n}, ${unsent})`, (fleet) => fleet.dropLink(n, unsent), 'up')),
  which.map((n) => new Incident(`crash(${n})`, (fleet) => fleet.crash(n), 'processes')),
  fc
    .tuple(which, often)
    .map(([n, answers]) => new Incident(`pong(${n}, ${answers})`, (fleet) => fleet.pong(n, answers), 'processes')),
  fc
    .tuple(which, often, seldom)
    .map(
      ([n, busy, again]) =>
        new Incident(`report(${n}, ${busy}, ${again})`, (fleet) => fleet.report(n, busy, again), 'running'),
    ),
  often.map((isUp) => new Incident(`reach(${isUp})`, (fleet) => fleet.reach(isUp))),
  fc.oneof(fc.nat(400), fc.nat(6_000)).map((ms) => new Incident(`advance(${ms})`, (fleet) => fleet.fleet.advance(ms))),
  fc.nat(200_000).map((ms) => new Incident(`stall(${ms})`, (fleet) => fleet.fleet.stall(ms))),
  fc.constant(new Incident('soundRound()', (fleet) => fleet.soundRound())),
  fc
    .tuple(fc.constantFrom('drain-vm', 'remove-vm'), anyVm)
    .map(
      ([kind, vm]) =>
        new Incident(
          `${kind}(${vm})`,
          ({ fleet }) => void fleet.router.tell({ kind, vm, replyTo: ADMIN }),
          'processes',
        ),
    ),
  fc.oneof(fc.constant('all' as const), fc.tuple(anyVm)).map((vms) => {
    const run: Run = ({ fleet }) => void fleet.router.tell({ kind: 'restart-vms', vms, replyTo: ADMIN });
    return new Incident(`restart(${vms})`, run, 'processes');
  }),
  fc.nat(2).map((canary) => new Incident(`deploy(${canary})`, (fleet, model) => deploy(fleet, model, canary))),
  fc.constant(
    new Incident(
      'rollBack()',
      ({ fleet }) => void fleet.router.tell({ kind: 'roll-back', why: 'asked', replyTo: ADMIN }),
    ),
  ),
  fc.nat(3).map((count) => new Incident(`scale(${count})`, (fleet, model) => scale(fleet, model, count))),
  fc
    .record({
      vm_requests_max: fc.integer({ min: 1, max: 3 }),
      router_queue_max: fc.integer({ min: 1, max: 5 }),
      dedup_ms: fc.constantFrom(0, 60_000),
      stuck_ms: fc.constantFrom(0, 2_000),
    })
    .map(
      (params) => new Incident(`params(${JSON.stringify(params)})`, (fleet, model) => setParams(fleet, model, params)),
    ),
  fc.constant(new Incident('addAddress()', addAddress)),
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
 * A router whose host crashes, whose messages come late, twice and out of turn, and which is asked for this and that meanwhile: it ends each
 * request once, holds each address once, and finds back to its minimum.
 */
export function routerProperty() {
  const happenings = fc.commands(incidents, { maxCommands: 60, size: '+1' });
  return fc.asyncProperty(setup, happenings, async (given, commands) => {
    await using faulty = new FaultyFleet(given.params, given.addresses);
    const model = new RouterModel(given.params, given.addresses, faulty.pending);
    await fc.asyncModelRun(() => ({ model, real: faulty }), commands);
    const { aim } = model;
    faulty.reach(true);
    // What was on its way when it all went well again is through after the second round.
    for (let round = 0; round < ROUNDS_MAX && (round < 2 || !(await isSound(faulty, aim))); round++) {
      await faulty.soundRound();
    }
    expect(faulty.violations).toEqual([]);
    expect(faulty.fleet.kit.failures).toEqual([]);
    expect(faulty.clients.map((client) => client.outcomes.length)).toEqual(faulty.clients.map(() => 1));
    const { vms, waiting, deploy } = await faulty.fleet.snapshot();
    expect(deploy).toBe(null);
    // Of one image, whichever: where nothing was ever deployed, that is the first one.
    expect(new Set(vms.map(({ image_digest }) => image_digest)).size).toBeLessThanOrEqual(1);
    expect([waiting, vms.filter((vm) => vm.in_flight > 0)]).toEqual([0, []]);
    expect(vms.filter((vm) => vm.state === 'ready').length).toBeGreaterThanOrEqual(aim);
    expect([...faulty.held].sort()).toEqual(vms.map((vm) => [vm.id_ip, vm.id_vmachine]).sort());
  });
}

/** Nothing is under way any more, and the minimum is ready. */
async function isSound(faulty: FaultyFleet, aim: number): Promise<boolean> {
  const { vms, waiting, deploy } = await faulty.fleet.snapshot();
  const ready = vms.filter((vm) => vm.state === 'ready').length;
  const settled = vms.every((vm) => (vm.state === 'ready' || vm.state === 'prepared') && vm.in_flight === 0);
  const told = faulty.clients.every((client) => client.outcomes.length === 1);
  return waiting === 0 && deploy === null && told && settled && ready >= aim && faulty.held.size === vms.length;
}
