import type { Behaviour, Context } from '../actors/mod.ts';
import { type ChildSpec, markSupervisor } from './child-spec.ts';
import { Children } from './children.ts';
import { checkChildSpecs, checkedFlags, type SupervisorFlags } from './flags.ts';
import type { ChildNews, SupervisorMessage } from './messages.ts';
import { replyDone, replyStarted } from './reply.ts';
import type { Strategy } from './strategy.ts';

export interface SupervisorSpec extends SupervisorFlags {
  /** Default `one_for_one`. */
  readonly strategy?: Strategy;
  /** Started left to right, stopped right to left. */
  readonly children: readonly ChildSpec[];
}

type Input = SupervisorMessage | ChildNews;

/**
 * An actor that starts, restarts and stops its children by the contract of OTP's supervisor (`docs/supervision.md`). As there it does one
 * thing at a time: while a child starts or stops, the others' crashes wait their turn; while one waits for its back-off they do not.
 * A stop of the supervisor cuts either wait short.
 *
 * It differs from OTP in one point: a supervisor that gives up has failed (SUPERVISOR_INTENSITY), it has not shut down in order; so
 * that a supervisor above restarts it when it is transient too.
 *
 * Its start fails with SUPERVISOR_SPEC_INVALID before any child is started, or with SUPERVISOR_START_FAILED after those before have stopped.
 */
export function supervisor(spec: SupervisorSpec): Behaviour<SupervisorMessage> {
  return markSupervisor(async (context) => {
    const flags = checkedFlags(spec);
    checkChildSpecs(spec.children, flags.autoShutdown);
    // The actor sends itself more than others may.
    const own = context as Context<Input>;
    const children = new Children(own, { ...flags, strategy: spec.strategy ?? 'one_for_one', keepsSpecs: true });
    context.onStop(() => children.stopInOrder(), 'before-children');
    for (const childSpec of spec.children) await children.add(childSpec);
    return (message: Input) => receive(children, flags, message);
  });
}

function receive(
  children: Children,
  { autoShutdown }: Pick<SupervisorFlags, 'autoShutdown'>,
  message: Input,
): Promise<void> | void {
  switch (message.kind) {
    case 'start-child':
      return replyStarted(message.replyTo, async () => {
        checkChildSpecs([message.spec], autoShutdown);
        return children.add(message.spec);
      });
    case 'restart-child':
      return replyStarted(message.replyTo, () => children.restart(message.id));
    case 'terminate-child':
      return replyDone(message.replyTo, () => children.terminate(message.id));
    case 'delete-child':
      return replyDone(message.replyTo, () => children.delete(message.id));
    case 'child-spec':
      message.replyTo.tell(children.specOf(message.id));
      return;
    case 'which-children':
      message.replyTo.tell(children.which());
      return;
    case 'count-children':
      message.replyTo.tell(children.count());
      return;
    case 'exited':
    case 'due':
      return children.hear(message);
  }
}
