import { ShoalError } from '../../errors.ts';
import { asCell } from '../as-cell.ts';
import type { Behaviour, Context, SpawnOptions } from '../behaviour.ts';
import type { Cell } from '../cell.ts';
import {
  ANYTHING,
  checked,
  checkOptions,
  FUNCTION,
  MS_FROM_0,
  numberRule,
  type Rules,
  required,
  shown,
  WHOLE_FROM_1,
} from '../checks.ts';
import type { CancelTimer } from '../clock.ts';
import { type ExponentialDelay, exponentialDelayMs } from '../exponential-delay.ts';
import { checkSpawnOptions } from '../options.ts';
import { passOn, tolerant } from '../pass-on.ts';
import type { Ref } from '../ref.ts';
import { type PoolMember, type Routing, roundRobin } from './routing.ts';

/** What a pool understands beside the messages for its members. */
export type PoolControl<M> =
  /** Sends a message to every member: the same object to all of them, so none may change it. */
  | { readonly kind: 'pool.broadcast'; readonly message: M }
  /** Sets the number of members, from 1 up. Members beyond it are drained: they handle what they have, then end. */
  | { readonly kind: 'pool.resize'; readonly size: number }
  /** A member has ended. */
  | { readonly kind: 'pool.ended'; readonly member: Ref<never> };

export type PoolMessage<M> = M | PoolControl<M>;

/** How long a pool waits before it starts a member again that ends again and again. */
export interface PoolBackOff extends ExponentialDelay {
  /** A member that has lived so long ends anew: it is started again at once. Default: `maxMs`. */
  readonly resetMs?: number;
}

export interface PoolOptions<M> {
  /** How many members, from 1 up. */
  readonly size: number;
  /** Which member gets a message; default: `roundRobin`. */
  readonly routing?: Routing<M>;
  /** For each member. */
  readonly member?: Omit<SpawnOptions, 'name'>;
  /**
   * A member that ends is started again at once, and after these waits from its second early end in a row; default:
   * from 100 ms up to 10 s.
   */
  readonly backOff?: PoolBackOff;
}

const BACK_OFF_DEFAULT: PoolBackOff = { firstMs: 100, maxMs: 10_000 };

/**
 * An actor that hands each message on to one of several members, which are its children and have one behaviour. It has
 * started when all of its members have; if one fails to start, it fails. A member that ends later, for whatever
 * reason, is started again behind the same ref. A message that a member does not take is a dead letter of that member.
 * So is one that it cannot take (`invalid`), of which the pool does not die; an ask with it gets the error.
 *
 * An ask of a pool is answered by a member, and does not learn of that member's end: it waits for its timeout.
 * @throws CONFIG_VALUE
 */
export function pool<M>(behaviour: Behaviour<M>, options: PoolOptions<M>): Behaviour<PoolMessage<M>> {
  checked('behaviour', behaviour, FUNCTION);
  checkPoolOptions(options);
  return async (context) => {
    const members = new Members<M>(context, behaviour, options);
    await members.start(options.size);
    const route = checked('routing()', (options.routing ?? roundRobin)(), FUNCTION);
    return tolerant(context, (message) => {
      const control = controlOf(message);
      // `controlOf` has found no control message.
      if (control === undefined) return members.tell(route(members.list, message as M), message as M);
      switch (control.kind) {
        case 'pool.broadcast':
          return members.broadcast(control.message);
        case 'pool.resize':
          return members.resize(checked('size', control.size, WHOLE_FROM_1));
        case 'pool.ended':
          return members.ended(control.member);
      }
    });
  };
}

class Member<M> implements PoolMember {
  readonly ref: Ref<M>;
  readonly #cell: Cell<M>;
  startedMs: number;
  /** How often in a row it has ended early. */
  earlyEnds = 0;
  cancelRestart: CancelTimer | undefined;

  constructor(ref: Ref<M>, startedMs: number) {
    this.ref = ref;
    this.#cell = asCell(ref);
    this.startedMs = startedMs;
  }

  get isUp(): boolean {
    const { state } = this.#cell;
    return state === 'running' || state === 'starting';
  }

  get load(): number {
    return this.#cell.depth + (this.#cell.busy ? 1 : 0);
  }
}

const RULES: Rules<PoolOptions<never>> = {
  size: required(WHOLE_FROM_1),
  routing: FUNCTION,
  member: ANYTHING,
  backOff: ANYTHING,
};

const BACK_OFF_RULES: Rules<PoolBackOff> = {
  firstMs: required(MS_FROM_0),
  maxMs: required(MS_FROM_0),
  factor: numberRule('a number from 1 up', (times) => times >= 1 && Number.isFinite(times)),
  resetMs: MS_FROM_0,
};

/** @throws CONFIG_VALUE */
function checkPoolOptions<M>(options: PoolOptions<M>): void {
  checkOptions('a pool', options, RULES);
  const { member, backOff } = options;
  if (member !== undefined) checkSpawnOptions(member);
  if (backOff !== undefined) checkOptions('the back-off of a pool', backOff, BACK_OFF_RULES);
}

/** The members of one incarnation of a pool. */
class Members<M> {
  readonly list: Member<M>[] = [];
  readonly #context: Context<PoolMessage<M>>;
  readonly #behaviour: Behaviour<M>;
  readonly #options: PoolOptions<M>;

  constructor(context: Context<PoolMessage<M>>, behaviour: Behaviour<M>, options: PoolOptions<M>) {
    this.#context = context;
    this.#behaviour = behaviour;
    this.#options = options;
    context.onStop(() => {
      for (const member of this.list) member.cancelRestart?.();
    }, 'before-children');
  }

  /** Resolves when all have started. */
  async start(size: number): Promise<void> {
    const starts = Array.from({ length: size }, async () => {
      const ref = await this.#context.start(this.#behaviour, this.#options.member);
      this.#watch(ref);
      return new Member(ref, this.#context.clock.monotonic());
    });
    this.list.push(...(await Promise.all(starts)));
  }

  tell(index: number, message: M): void {
    const member = this.list[index];
    if (member === undefined) throw noMember(index, this.list.length);
    passOn(this.#context, member.ref, message);
  }

  broadcast(message: M): void {
    for (const { ref } of this.list) passOn(this.#context, ref, message);
  }

  resize(size: number): void {
    while (this.list.length < size) {
      const ref = this.#context.spawn(this.#behaviour, this.#options.member);
      this.#watch(ref);
      this.list.push(new Member(ref, this.#context.clock.monotonic()));
    }
    for (const member of this.list.splice(size)) {
      member.cancelRestart?.();
      // It stays watched, because a failure that nobody watches would end the pool.
      void this.#context.drain(member.ref);
    }
  }

  ended(ref: Ref<never>): void {
    const member = this.list.find((one) => one.ref === ref);
    // One that was drained is not replaced.
    if (member === undefined) return;
    const { backOff = BACK_OFF_DEFAULT } = this.#options;
    const { clock } = this.#context;
    const livedMs = clock.monotonic() - member.startedMs;
    member.earlyEnds = livedMs < (backOff.resetMs ?? backOff.maxMs) ? member.earlyEnds + 1 : 0;
    // After the first early end this is 0.
    const delayMs = exponentialDelayMs(backOff, member.earlyEnds - 2);
    if (delayMs === 0) this.#restart(member);
    // A timer of the context would have to find room in the mailbox.
    else member.cancelRestart = clock.timer(delayMs, () => this.#restart(member));
  }

  #restart(member: Member<M>): void {
    member.startedMs = this.#context.clock.monotonic();
    // Whether it starts or not is told to the watch.
    this.#context.restart(member.ref).catch(() => undefined);
    this.#watch(member.ref);
  }

  #watch(member: Ref<M>): void {
    this.#context.watch(member, () => ({ kind: 'pool.ended', member }));
  }
}

function noMember(index: unknown, members: number): ShoalError {
  const expected = `the index of a member, from 0 to ${members - 1}`;
  return new ShoalError('CONFIG_VALUE', `Expected the routing of a pool to return ${expected}, got ${shown(index)}`);
}

function controlOf<M>(message: PoolMessage<M>): PoolControl<M> | undefined {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return undefined;
  const { kind } = message;
  if (kind !== 'pool.broadcast' && kind !== 'pool.resize' && kind !== 'pool.ended') return undefined;
  // No other messages have these kinds.
  return message as PoolControl<M>;
}
