import type { ErrorEnvelope } from '../errors.ts';
import type { ExitReason, Ref } from './ref.ts';
import type { Steps } from './steps.ts';

export type State = 'starting' | 'running' | 'stopping' | 'stopped';

/** What a cell needs of its incarnation. `C` is the type of the cells. */
export interface Life<C> {
  /** Why the actor is to end as soon as it has no message in hand; undefined if it is not. */
  readonly endReason: ExitReason | undefined;
  readonly receiveTimeout: { touch(): void } | undefined;
  /** The thread of the actor that this one stands for. */
  readonly shard: string | undefined;
  readonly children: Iterable<C>;
  /** Remembers a failure: the actor ends because of it as soon as it has no message in hand. */
  noteFailure(error: unknown): void;
  /** The handling of a message has failed. The actor ends because of it, unless its behaviour resumes it. */
  failHandling(error: unknown): void;
  /** Ends the actor, which has no message in hand. */
  end(): void;
  /** If the end was asked for, the handler that delays it gets a time limit. */
  limitIfEnding(): void;
  /** Ends the actor from outside. */
  stop(timeoutMs: number): void;
  /** Ends the actor from outside once it has handled what waits, or after so long. */
  drain(timeoutMs: number): void;
  /** The steps of giving up on an actor that has not stopped in time, so that others need not wait for it. */
  abandoning(afterMs: number): Steps;
}

/** A child as its parent's incarnation sees it. */
export interface Child {
  readonly name: string;
  readonly path: string;
  readonly parent: Parent | undefined;
  readonly failedUnseen: boolean;
}

/** The names from the top down. Actors may be nested deeper than calls can be. */
export function pathOf(actor: Child | Parent): string {
  const names: string[] = [];
  for (let at = actor; at.parent !== undefined; at = at.parent) names.push(at.name);
  return `/${names.reverse().join('/')}`;
}

/** What an actor needs of the incarnation of its parent. */
export interface Parent {
  /** Undefined for the one above the actors at the top, which takes no messages. */
  readonly ref: Ref<never> | undefined;
  readonly name: string;
  readonly path: string;
  /** The parent of this parent. */
  readonly parent: Parent | undefined;
  /** The child has ended, and its name is free again. */
  forget(child: Child): void;
  /** The child has failed, and so far nobody has been told. */
  hearFailure(child: Child, error: ErrorEnvelope): void;
}
