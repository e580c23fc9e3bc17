import { type Behaviour, type Context, passOn, tolerant, unknownKind } from '../actors/mod.ts';
import { checkChildSpecs } from './check-child-specs.ts';
import { type ChildSpec, markSupervisor } from './child-spec.ts';
import { checkedFlags, type SupervisorFlags } from './flags.ts';
import type { ChildEvent, SupervisorMessage } from './messages.ts';
import { checkReplyTo, replyDone, replyStarted } from './reply.ts';
import { checkOneOf } from './spec-checks.ts';
import type { Strategy } from './strategy.ts';
import { SupervisedChildren } from './supervised-children.ts';

export interface SupervisorSpec extends SupervisorFlags {
  /** Default `one_for_one`. */
  readonly strategy?: Strategy;
  /** Started left to right, stopped right to left. */
  readonly children: readonly ChildSpec[];
}

type Incoming = SupervisorMessage | ChildEvent;

const KINDS = [
  'start-child',
  'terminate-child',
  'restart-child',
  'delete-child',
  'child-spec',
  'which-children',
  'count-children',
];
const STRATEGIES: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one'];

/**
 * An actor that starts, restarts and stops its children by the contract of OTP's supervisor (`docs/supervision.md`).
 * As in OTP it does one thing at a time: while a child starts or stops, the crashes of other children wait. While a
 * child waits for its back-off, they do not. A stop of the supervisor cuts either wait short.
 *
 * It differs from OTP in one point: a supervisor that gives up fails with SUPERVISOR_INTENSITY instead of shutting
 * down in order, so that the supervisor above restarts it even if it is transient.
 *
 * Its start fails with SUPERVISOR_SPEC_INVALID before any child is started, or with SUPERVISOR_START_FAILED after the
 * children that were already started have stopped.
 */
export function supervisor(spec: SupervisorSpec): Behaviour<SupervisorMessage> {
  return markSupervisor(async (context) => {
    const flags = checkedFlags(spec, ['strategy', 'children']);
    const { strategy = 'one_for_one' } = spec;
    checkOneOf('`strategy`', strategy, STRATEGIES);
    checkChildSpecs(spec.children, flags.autoShutdown);
    // The actor also takes messages that it sends to itself.
    const own = context as Context<Incoming>;
    const options = { ...flags, strategy, keepsSpecs: true };
    const children = new SupervisedChildren(own, options);
    context.onStop(() => children.stopInOrder(), 'before-children');
    for (const childSpec of spec.children) await children.add(childSpec);
    return tolerant(own, (message: Incoming) => receive(own, children, options, message));
  });
}

function receive(
  context: Context<Incoming>,
  children: SupervisedChildren,
  { autoShutdown }: Pick<SupervisorFlags, 'autoShutdown'>,
  message: Incoming,
): Promise<void> | void {
  if ('replyTo' in message) checkReplyTo(message.replyTo);
  switch (message.kind) {
    case 'start-child':
      return replyStarted(context, message.replyTo, async () => {
        checkChildSpecs([message.spec], autoShutdown);
        return children.add(message.spec);
      });
    case 'restart-child':
      return replyStarted(context, message.replyTo, () => children.restart(message.id));
    case 'terminate-child':
      return replyDone(context, message.replyTo, () => children.terminate(message.id));
    case 'delete-child':
      return replyDone(context, message.replyTo, () => children.delete(message.id));
    case 'child-spec':
      passOn(context, message.replyTo, children.specOf(message.id));
      return;
    case 'which-children':
      passOn(context, message.replyTo, children.which());
      return;
    case 'count-children':
      passOn(context, message.replyTo, children.count());
      return;
    case 'exited':
    case 'due':
      return children.handle(message);
    default:
      throw unknownKind(message, ...KINDS);
  }
}
