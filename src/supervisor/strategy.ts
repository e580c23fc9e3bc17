import type { ExitReason } from '../actors/mod.ts';
import { type BackOff, failuresNow, waitMs } from './back-off.ts';
import type { ChildRules } from './child-rules.ts';
import type { AutoShutdown } from './flags.ts';
import { type PastRestart, type RestartHistory, type RestartLimit, withRestart } from './restart-limit.ts';

/** Which children are restarted when one must be: that child alone, all, or that child and those started after it. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** `restarting`: the child is to run, and waits for its turn or its back-off. */
export type ChildState = 'starting' | 'running' | 'restarting' | 'stopped';

export interface Terms extends RestartLimit {
  readonly strategy: Strategy;
  readonly autoShutdown: AutoShutdown;
  readonly backOff: BackOff | undefined;
  /** False: a child that ends and is not restarted is forgotten, whatever its type. */
  readonly keepsSpecs: boolean;
}

/** What a decision knows about a child. */
export interface ChildView {
  readonly id: string;
  readonly rules: Pick<ChildRules, 'restart' | 'significant' | 'backOff' | 'restartLimit'>;
  readonly state: ChildState;
  readonly trouble: Trouble;
}

/** What is known of the failures of a child and of its restart. */
export interface Trouble {
  /** Failures in a row, counted only where there is a back-off. */
  readonly failures: number;
  /** Those that count against its own limit, if it has one; undefined before the first. */
  readonly restarts?: RestartHistory | undefined;
  /** When it is restarted, on the monotonic clock, while it is `restarting`. */
  readonly dueMs: number;
}

export interface SupervisorState {
  /** In the order of their start. */
  readonly children: { get(id: string): ChildView | undefined; values(): Iterable<ChildView> };
  readonly restarts: RestartHistory;
}

/** Times are milliseconds on the monotonic clock; `chance` is from 0 to 1. */
export type SupervisorEvent =
  /** A running child has ended by itself. */
  | {
      readonly kind: 'exited';
      readonly id: string;
      readonly reason: ExitReason;
      readonly nowMs: number;
      readonly livedMs: number;
      readonly chance: number;
      /** Its decider has said that it is not to be restarted. */
      readonly isHalted?: boolean;
    }
  /** The restart of a child has failed. */
  | {
      readonly kind: 'restart-failed';
      readonly id: string;
      readonly reason: ExitReason;
      readonly nowMs: number;
      readonly chance: number;
    }
  /** The wait of a child is over. */
  | { readonly kind: 'due'; readonly id: string; readonly dueMs: number };

/** Actions are carried out one after the other. */
export type Action =
  /** Keeps the restarts that count against the child's own limit. */
  | { readonly do: 'count'; readonly id: string; readonly restarts: RestartHistory }
  /** Stops a running child, because a sibling has ended. */
  | { readonly do: 'stop'; readonly id: string }
  /** Starts children one after the other, up to the first that fails. That failure is an event. */
  | { readonly do: 'start'; readonly ids: readonly string[] }
  /** Starts children at that time, and after all messages that wait by now. `failures` is the new count of `id`. */
  | {
      readonly do: 'wait';
      readonly id: string;
      readonly failures: number;
      readonly ids: readonly string[];
      readonly untilMs: number;
    }
  /** Leaves a child stopped. Its spec stays, so that it can be restarted by hand. */
  | { readonly do: 'leave'; readonly id: string }
  | { readonly do: 'forget'; readonly id: string }
  /** Ends the supervisor in order. */
  | { readonly do: 'shut-down' }
  /** Ends the supervisor as failed. */
  | { readonly do: 'give-up'; readonly id: string; readonly restarts: number; readonly reason: ExitReason };

export interface Decision {
  readonly restarts: RestartHistory;
  readonly actions: readonly Action[];
}

/** Decides what a supervisor does about an event. The actor carries it out. */
export function decide(terms: Terms, state: SupervisorState, event: SupervisorEvent): Decision {
  if (event.kind === 'due') return { restarts: state.restarts, actions: startDue(terms, state, event) };
  const child = state.children.get(event.id);
  if (child === undefined) return { restarts: state.restarts, actions: [] };
  if (event.kind === 'exited' && (event.isHalted === true || !mustRestart(child, event.reason)))
    return { restarts: state.restarts, actions: letGo(terms, state, child) };
  return restart(terms, state, child, event);
}

type Failure = Exclude<SupervisorEvent, { kind: 'due' }>;

function mustRestart({ rules }: ChildView, reason: ExitReason): boolean {
  if (rules.restart === 'permanent') return true;
  return rules.restart === 'transient' && (reason.kind === 'error' || reason.kind === 'killed');
}

function letGo(terms: Terms, state: SupervisorState, child: ChildView): Action[] {
  const {
    id,
    rules: { restart },
  } = child;
  const forget = restart === 'temporary' || !terms.keepsSpecs;
  const actions: Action[] = [forget ? { do: 'forget', id } : { do: 'leave', id }];
  if (shutsDown(terms.autoShutdown, state, child)) actions.push({ do: 'shut-down' });
  return actions;
}

function shutsDown(autoShutdown: AutoShutdown, { children }: SupervisorState, ended: ChildView): boolean {
  if (!ended.rules.significant || autoShutdown === 'never') return false;
  if (autoShutdown === 'any_significant') return true;
  for (const child of children.values())
    if (child !== ended && child.rules.significant && child.state !== 'stopped') return false;
  return true;
}

function restart(terms: Terms, state: SupervisorState, child: ChildView, failure: Failure): Decision {
  const { id } = child;
  const { reason, nowMs } = failure;
  const lossId = reason.kind === 'error' ? reason.lossId : undefined;
  const { own, restarts } = counted(
    terms,
    state,
    child,
    lossId === undefined ? { atMs: nowMs } : { atMs: nowMs, lossId },
  );
  if (restarts.length > terms.intensity)
    return { restarts, actions: [{ do: 'give-up', id, restarts: restarts.length, reason }] };
  const group = groupOf(terms.strategy, state.children, child);
  const stops = group
    .filter((member) => member !== child && member.state !== 'restarting')
    .reverse()
    .flatMap(stopped);
  const ids = group.filter(({ rules }) => rules.restart !== 'temporary').map(({ id: one }) => one);
  const backOff = child.rules.backOff ?? terms.backOff;
  const failures = failuresNow(backOff, child.trouble.failures, failure.kind === 'exited' ? failure.livedMs : 0);
  const ownMs = backOff === undefined ? 0 : waitMs(backOff, failures, failure.chance);
  // The end of another child does not shorten a wait.
  const waiting = group.filter((member) => member.state === 'restarting');
  const untilMs = waiting.reduce((ms, { trouble }) => Math.max(ms, trouble.dueMs), nowMs + ownMs);
  const atOnce = failure.kind === 'exited' && backOff === undefined && untilMs === nowMs;
  const start: Action = atOnce ? { do: 'start', ids } : { do: 'wait', id, failures, ids, untilMs };
  const count: Action[] = own === undefined ? [] : [{ do: 'count', id, restarts: own }];
  return { restarts, actions: [...count, ...stops, start] };
}

/** The restarts with this one: against the child's own limit if it has one, and else, or beyond it, the supervisor's. */
function counted(
  terms: Terms,
  state: SupervisorState,
  { rules: { restartLimit }, trouble: { restarts = [] } }: ChildView,
  restart: PastRestart,
): { readonly own: RestartHistory | undefined; readonly restarts: RestartHistory } {
  const own = restartLimit && withRestart(restartLimit, restarts, restart);
  if (restartLimit !== undefined && own !== undefined && own.length <= restartLimit.intensity)
    return { own, restarts: state.restarts };
  return { own: own && [], restarts: withRestart(terms, state.restarts, restart) };
}

/** The children that are restarted together, in the order of their start. */
function groupOf(strategy: Strategy, children: SupervisorState['children'], child: ChildView): ChildView[] {
  if (strategy === 'one_for_one') return [child];
  const all = [...children.values()];
  return strategy === 'one_for_all' ? all : all.slice(all.indexOf(child));
}

function stopped({ id, rules, state }: ChildView): Action[] {
  const stop: Action[] = state === 'stopped' ? [] : [{ do: 'stop', id }];
  return rules.restart === 'temporary' ? [...stop, { do: 'forget', id }] : stop;
}

function startDue(
  { strategy }: Terms,
  { children }: SupervisorState,
  due: Extract<SupervisorEvent, { kind: 'due' }>,
): Action[] {
  const isDue = (child: ChildView | undefined): boolean =>
    child?.state === 'restarting' && child.trouble.dueMs <= due.dueMs;
  if (!isDue(children.get(due.id))) return [];
  if (strategy === 'one_for_one') return [{ do: 'start', ids: [due.id] }];
  return [{ do: 'start', ids: [...children.values()].filter(isDue).map(({ id }) => id) }];
}
