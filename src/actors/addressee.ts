import { ShoalError } from '../errors.ts';
import { shown } from './checks.ts';
import type { EndListener } from './ends.ts';
import type { LinkedList } from './linked-list.ts';
import type { Exit, Ref } from './ref.ts';

/**
 * What it takes to watch, ask and stop the actor behind a ref. The actors of a system implement it, and so do the refs
 * of actors that live elsewhere.
 */
export interface Addressee {
  readonly path: string;
  readonly state: 'starting' | 'running' | 'stopping' | 'stopped';
  /** Messages waiting. */
  readonly depth: number;
  /** The incarnation that has started it, if the actor is one of this thread. */
  readonly parent?: object | undefined;
  /**
   * Tells `listener` of the end, at once if the actor has ended already. A watcher is told of each end once: if it was
   * told of the last one, it waits for the next.
   */
  watch(watcher: object, listener: EndListener): void;
  unwatch(watcher: object): void;
  /** Tells `listener` of the next end. @returns how to cancel it */
  onEnd(listener: (exit: Exit) => void): () => void;
  /** Those that `onEnd` would tell, if the actor is one of this thread: asks join them without a function each. */
  readonly ends?: { readonly listeners: LinkedList<EndListener> } | undefined;
  /** Ends the actor. Resolves when it has ended or was abandoned at its time limit. */
  shutdown(timeoutMs?: number): Promise<void>;
}

/** @throws ACTOR_REF_INVALID for a ref that is no actor */
export function addresseeOf(ref: Ref<never>): Addressee {
  if (isAddressee(ref)) return ref;
  throw noActor(ref);
}

/** For what is no ref of an actor of this system, as programs in JavaScript pass anything. */
export function noActor(ref: unknown): ShoalError {
  const path = typeof ref === 'object' && ref !== null && 'path' in ref ? ref.path : undefined;
  const isRef = typeof path === 'string';
  const text = isRef ? `${path} is not an actor of this system` : `Expected the ref of an actor, got ${shown(ref)}`;
  return new ShoalError('ACTOR_REF_INVALID', text);
}

/** A ref that takes offers, as `Context.offer` describes. */
export interface Offerable<M> extends Ref<M> {
  /** @param signal gives the offer up: it resolves with false, and the message is a dead letter */
  offer(message: M, signal?: AbortSignal): Promise<boolean>;
}

/** A ref with a method of this name takes offers. */
export function takesOffers<M>(ref: Ref<M>): ref is Offerable<M> {
  return isObject(ref) && 'offer' in ref && typeof ref.offer === 'function';
}

/** @throws ACTOR_REF_INVALID for a ref that takes no offers */
export function offerTo<M>(ref: Ref<M>, message: M, signal?: AbortSignal): Promise<boolean> {
  if (takesOffers(ref)) return ref.offer(message, signal);
  throw noActor(ref);
}

/** Ends the actor behind a ref once it has handled what waits. @throws ACTOR_REF_INVALID for a ref that cannot be drained */
export function drainOf(ref: Ref<never>, timeoutMs?: number): Promise<void> {
  if (!isObject(ref)) throw noActor(ref);
  if ('drain' in ref && typeof ref.drain === 'function') {
    // A ref with a method of this name can be drained, as `Context.drain` describes.
    return (ref as Ref<never> & { drain(timeoutMs?: number): Promise<void> }).drain(timeoutMs);
  }
  throw new ShoalError(
    'ACTOR_REF_INVALID',
    `${ref.path} is not an actor of this thread, and only its own thread can drain it`,
  );
}

function isAddressee(ref: Ref<never>): ref is Ref<never> & Addressee {
  return isObject(ref) && 'watch' in ref && 'onEnd' in ref && 'shutdown' in ref;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
