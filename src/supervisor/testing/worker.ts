import type { TestKit } from '../../actors/kit/mod.ts';
import type { Behaviour, Context, Ref } from '../../actors/mod.ts';
import {
  type ChildOptions,
  type ChildQuery,
  type ChildSpec,
  child,
  type SupervisorMessage,
  type SupervisorSpec,
  supervisor,
  whichChildren,
} from '../mod.ts';

export type Order = 'crash' | 'exit' | 'hang';

export interface Worker {
  readonly spec: ChildSpec;
  /** Its ref, once it has started. */
  readonly ref: Ref<Order>;
  tell(order: Order): boolean;
}

const never = new Promise<never>(() => undefined);

/** A child that obeys orders, and logs its starts (`+a`) and ends (`-a`). */
export function worker(log: string[], id: string, more: Partial<ChildOptions<Order>> = {}): Worker {
  let ref: Ref<Order> = { path: `${id}, not started`, tell: () => false };
  const spec = child<Order>({ id, start: obedient(log, id), onRef: (own) => (ref = own), ...more });
  return {
    spec,
    get ref() {
      return ref;
    },
    tell: (order) => ref.tell(order),
  };
}

export function obedient(log: string[], id: string): Behaviour<Order> {
  return (context: Context<Order>) => {
    log.push(`+${id}`);
    context.onStop(() => void log.push(`-${id}`));
    return (order) => {
      if (order === 'crash') throw new Error(`${id} crashed`);
      if (order === 'hang') return never;
      context.exit();
      return undefined;
    };
  };
}

/** A child whose start fails whenever `fails` says so. */
export function faulty(
  log: string[],
  id: string,
  fails: () => boolean,
  more: Partial<ChildOptions<Order>> = {},
): Worker {
  const start = obedient(log, id);
  return worker(log, id, {
    ...more,
    start: (context) => {
      if (!fails()) return start(context);
      log.push(`!${id}`);
      throw new Error(`${id} cannot start`);
    },
  });
}

/** A child whose start takes `ms`. */
export function slow(kit: TestKit, log: string[], id: string, ms: number): ChildSpec {
  const start = obedient(log, id);
  return child<Order>({
    id,
    start: async (context) => {
      await new Promise<void>((resolve) => kit.clock.timer(ms, resolve));
      return start(context);
    },
  });
}

/** Starts a supervisor, which allows many restarts unless `spec` says otherwise. */
export function start(kit: TestKit, spec: SupervisorSpec): Promise<Ref<SupervisorMessage>> {
  return kit.system.start(supervisor({ intensity: 100, ...spec }), { stopTimeoutMs: Number.POSITIVE_INFINITY });
}

/** Each child with its state, such as `a running`. */
export async function childrenOf(kit: TestKit, ref: Ref<ChildQuery>): Promise<string[]> {
  return (await whichChildren(kit.system, ref)).map(({ id, state }) => `${id} ${state}`);
}

/** What was logged since the last call. */
export function taken(log: string[]): string {
  return log.splice(0).join(' ');
}
