import {
  addresseeOf,
  type Behaviour,
  type Context,
  passOn,
  type Ref,
  shown,
  tolerant,
  unknownKind,
} from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { checkChildSpecs } from './check-child-specs.ts';
import { CHILD_NAMES, type ChildOptions, child, markSupervisor } from './child-spec.ts';
import { checkedFlags, type SupervisorFlags } from './flags.ts';
import type { ChildEvent, ChildReply, DynamicSupervisorMessage } from './messages.ts';
import { checkReplyTo, replyDone, replyStarted } from './reply.ts';
import { checkKeys, checkObject, invalid } from './spec-checks.ts';
import { SupervisedChildren } from './supervised-children.ts';

/** All children are made from one template, each with arguments of its own. */
export interface ChildTemplate<A, M> extends Omit<ChildOptions<M>, 'id' | 'start' | 'onRef'> {
  readonly start: (args: A) => Behaviour<M>;
}

export interface DynamicSupervisorSpec<A, M> extends SupervisorFlags {
  readonly template: ChildTemplate<A, M>;
}

type Incoming<A, M> = DynamicSupervisorMessage<A, M> | ChildEvent;

/** Types leave them out of a template, but programs in JavaScript may not. */
const OF_EACH_CHILD = ['id', 'onRef'];
const TEMPLATE_NAMES = CHILD_NAMES.filter((name) => !OF_EACH_CHILD.includes(name));

/**
 * OTP's `simple_one_for_one`: all children are instances of one template. It starts without children; messages start
 * them, and each is restarted by itself. A child that ends and is not restarted is forgotten. The children have no
 * order and are stopped all at once.
 */
export function dynamicSupervisor<A, M>(spec: DynamicSupervisorSpec<A, M>): Behaviour<DynamicSupervisorMessage<A, M>> {
  return markSupervisor((context) => {
    const flags = checkedFlags(spec, ['template']);
    checkDynamic(spec);
    const { start, ...options } = spec.template;
    checkChildSpecs([child({ ...options, id: 'template', start: () => () => undefined })], flags.autoShutdown);
    // The actor also takes messages that it sends to itself.
    const own = context as Context<Incoming<A, M>>;
    const children = new SupervisedChildren(own, { ...flags, strategy: 'one_for_one', keepsSpecs: false });
    context.onStop(() => children.stopAtOnce(), 'before-children');
    let started = 0;
    const add = async (args: A): Promise<Ref<never> | undefined> => {
      started += 1;
      return children.add(child({ ...options, id: String(started), start: startOf(start, args) }));
    };
    return tolerant(own, (message: Incoming<A, M>) => receive(own, children, add, message));
  });
}

/** @throws SUPERVISOR_SPEC_INVALID */
function checkDynamic<A, M>({ autoShutdown = 'never', template }: DynamicSupervisorSpec<A, M>): void {
  checkObject('`template` of a dynamic supervisor', template);
  const { start, significant } = template;
  if (typeof start !== 'function')
    throw invalid(`Expected \`start\` of the template to be a function that returns a behaviour, got ${shown(start)}`);
  const own = OF_EACH_CHILD.find((name) => name in template);
  if (own !== undefined) throw invalid(`A template is for many children, so it has no \`${own}\`; leave it out`);
  checkKeys('the template of a dynamic supervisor', template, TEMPLATE_NAMES);
  // As in OTP: children that come and go do not end their supervisor.
  if (autoShutdown === 'never' && significant !== true) return;
  throw invalid('A dynamic supervisor has no `autoShutdown` and no significant children; use `supervisor` for these');
}

/**
 * A template that throws, or makes no behaviour, fails to start its child. The behaviour is returned as it is, because
 * `child` must recognise a supervisor's.
 */
function startOf<A, M>(start: (args: A) => Behaviour<M>, args: A): Behaviour<M> {
  try {
    const made = start(args);
    if (typeof made === 'function') return made;
    throw invalid(`Expected \`start\` of the template to return a behaviour, which is a function, got ${shown(made)}`);
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function receive<A, M>(
  context: Context<Incoming<A, M>>,
  children: SupervisedChildren,
  add: (args: A) => Promise<Ref<never> | undefined>,
  message: Incoming<A, M>,
): Promise<void> | void {
  if ('replyTo' in message) checkReplyTo(message.replyTo);
  switch (message.kind) {
    case 'start-child':
      // The template makes actors that take M.
      return replyStarted(context, message.replyTo as Ref<ChildReply> | undefined, () => add(message.args));
    case 'terminate-child':
      return replyDone(context, message.replyTo, () => {
        const id = idOf(context.self.path, children, message.ref);
        return id === undefined ? undefined : children.terminate(id);
      });
    case 'which-children':
      passOn(context, message.replyTo, children.which());
      return;
    case 'count-children':
      // All children share one spec.
      passOn(context, message.replyTo, { ...children.count(), specs: 1 });
      return;
    case 'exited':
    case 'due':
      return children.handle(message);
    default:
      throw unknownKind(message, 'start-child', 'terminate-child', 'which-children', 'count-children');
  }
}

/** A child's id is the last part of its path. @returns undefined for one that has ended and is forgotten */
function idOf(path: string, children: SupervisedChildren, ref: Ref<never>): string | undefined {
  const id = ref.path.slice(path.length + 1);
  if (children.refOf(id) === ref) return id;
  // As in OTP, it is no error to end a child that has ended already.
  if (addresseeOf(ref).state === 'stopped') return undefined;
  throw new ShoalError('SUPERVISOR_CHILD_UNKNOWN', `${ref.path} is no child of ${path}`);
}
