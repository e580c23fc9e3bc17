import type { ExitReason } from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import { isRecord } from '../is-record.ts';
import { envelopeOf, reasonOf } from './envelope.ts';

/** What the two ends of a link tell each other about the refs that they hold of each other's actors. */
export type Op =
  /** The sender calls the actor that is exposed under this name by this number, which is below 0. */
  | { readonly op: 'bind'; readonly id: number; readonly name: string }
  /**
   * @param counts false: only to learn of the end; a failure that nobody else watches still reaches the parent
   * @param again true: for watchers that were told of the last end
   */
  | { readonly op: 'watch'; readonly id: number; readonly counts: boolean; readonly again: boolean }
  | { readonly op: 'unwatch'; readonly id: number }
  /** @param isRepeated true: of an end that was told before, for watchers that came later */
  | {
      readonly op: 'ended';
      readonly id: number;
      readonly path: string;
      readonly reason: ExitReason;
      readonly isRepeated: boolean;
    }
  /** @param timeoutMs below 0: the default of the actor */
  | { readonly op: 'stop'; readonly id: number; readonly timeoutMs: number }
  /** A ref is no longer held here; it had been sent `count` times. */
  | { readonly op: 'release'; readonly id: number; readonly count: number }
  /** The ask behind a ref of a reply will get none. */
  | { readonly op: 'fail'; readonly id: number; readonly error: ErrorEnvelope }
  /** The mailbox of an actor is full, or has room again: offers wait meanwhile. */
  | { readonly op: 'full' | 'room'; readonly id: number };

/** What another host has sent as one. @throws for anything else */
export function opOf(value: unknown): Op {
  if (!isRecord(value)) throw new TypeError('no operation of a link');
  const { op } = value;
  const id = integer(value['id']);
  switch (op) {
    case 'bind':
      if (id >= 0) throw new TypeError('a name is bound to a number below 0');
      return { op, id, name: text(value['name']) };
    case 'watch':
      return { op, id, counts: value['counts'] === true, again: value['again'] === true };
    case 'ended':
      return {
        op,
        id,
        path: text(value['path']),
        reason: reasonOf(value['reason']),
        isRepeated: value['isRepeated'] === true,
      };
    case 'stop':
      return { op, id, timeoutMs: integer(Math.ceil(number(value['timeoutMs']))) };
    case 'release':
      return { op, id, count: integer(value['count']) };
    case 'fail':
      return { op, id, error: envelopeOf(value['error']) };
    case 'unwatch':
    case 'full':
    case 'room':
      return { op, id };
    default:
      throw new TypeError('no operation of a link');
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('no text');
  return value;
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('no number');
  return value;
}

function integer(value: unknown): number {
  const whole = number(value);
  if (!Number.isSafeInteger(whole)) throw new TypeError('no whole number');
  return whole;
}
