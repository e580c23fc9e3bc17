import type { Behaviour, Context, Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { type ChildOptions, child, markSupervisor } from './child-spec.ts';
import { Children } from './children.ts';
import { checkChildSpecs, checkedFlags, type SupervisorFlags } from './flags.ts';
import type { ChildNews, ChildReply, DynamicSupervisorMessage } from './messages.ts';
import { replyDone, replyStarted } from './reply.ts';

/** What all children are made from; each has its own arguments. */
export interface ChildTemplate<A, M> extends Omit<ChildOptions<M>, 'id' | 'start' | 'onRef'> {
  readonly start: (args: A) => Behaviour<M>;
}

export interface DynamicSupervisorSpec<A, M> extends SupervisorFlags {
  readonly template: ChildTemplate<A, M>;
}

type Input<A, M> = DynamicSupervisorMessage<A, M> | ChildNews;

/**
 * OTP's `simple_one_for_one`: all children are instances of one template, started by message, each restarted by itself. It starts with
 * none. A child that has ended and is not restarted is forgotten. They have no order, and are stopped all at once.
 */
export function dynamicSupervisor<A, M>(spec: DynamicSupervisorSpec<A, M>): Behaviour<DynamicSupervisorMessage<A, M>> {
  return markSupervisor((context) => {
    const flags = checkedFlags(spec);
    const { start, ...options } = spec.template;
    checkChildSpecs([child({ ...options, id: 'template', start: () => () => undefined })], flags.autoShutdown);
    // The actor sends itself more than others may.
    const own = context as Context<Input<A, M>>;
    const children = new Children(own, { ...flags, strategy: 'one_for_one', keepsSpecs: false });
    context.onStop(() => children.stopAtOnce(), 'before-children');
    let started = 0;
    const add = async (args: A): Promise<Ref<never> | undefined> => {
      started += 1;
      return children.add(child({ ...options, id: String(started), start: startOf(start, args) }));
    };
    return (message: Input<A, M>) => receive(context.self.path, children, add, message);
  });
}

/** A template that throws has failed to start its child; one that makes supervisors is known by what it makes. */
function startOf<A, M>(start: (args: A) => Behaviour<M>, args: A): Behaviour<M> {
  try {
    return start(args);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function receive<A, M>(
  path: string,
  children: Children,
  add: (args: A) => Promise<Ref<never> | undefined>,
  message: Input<A, M>,
): Promise<void> | void {
  switch (message.kind) {
    case 'start-child':
      // The template makes actors that understand M.
      return replyStarted(message.replyTo as Ref<ChildReply> | undefined, () => add(message.args));
    case 'terminate-child':
      return replyDone(message.replyTo, () => children.terminate(idOf(path, children, message.ref)));
    case 'which-children':
      message.replyTo.tell(children.which());
      return;
    case 'count-children':
      // One spec, however many children.
      message.replyTo.tell({ ...children.count(), specs: 1 });
      return;
    case 'exited':
    case 'due':
      return children.hear(message);
  }
}

/** A child's id is the last part of its path. */
function idOf(path: string, children: Children, ref: Ref<never>): string {
  const id = ref.path.slice(path.length + 1);
  if (children.refOf(id) !== ref)
    throw new ShoalError('SUPERVISOR_CHILD_UNKNOWN', `${ref.path} is no child of ${path}, or has ended`);
  return id;
}
