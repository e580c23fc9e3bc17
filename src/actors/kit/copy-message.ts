import { fromEnvelope, toEnvelope } from '../../errors.ts';
import { Mailbox, type Sender } from '../mailbox.ts';
import { DEPTH_MAX, plainKindOf, whatOf } from '../plain-data.ts';
import { goingWith, transfer } from '../transfer.ts';

/**
 * Copies a message as a trip to another thread or host would: plain data is cloned, refs stay the same, errors cross
 * in their envelope. The copy reveals code that relies on sharing memory with the receiver.
 * @throws TypeError that names the place of whatever cannot cross: a function, a symbol, an object of a class
 */
export function copyMessage<M>(message: M): M {
  // The copy has the shape of what it copies.
  const { shared } = goingWith(message);
  const copied = copy(message, 'message', { depth: 0, shared }) as M & object;
  // As there, whoever receives it may send it on.
  return shared.length === 0 ? copied : transfer(copied, shared);
}

/** A mailbox that copies each message, as if its owner lived elsewhere. */
export class CopyingMailbox<M> extends Mailbox<M> {
  override push(message: M, sender?: Sender): void {
    super.push(copyMessage(message), sender);
  }
}

interface Place {
  readonly depth: number;
  readonly shared: readonly SharedArrayBuffer[];
}

function copy(value: unknown, where: string, { depth, shared }: Place): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw cannotTravel(where, typeof value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEPTH_MAX) throw cannotTravel(where, `something deeper than ${DEPTH_MAX} levels`);
  const inner = (below: unknown, place: string): unknown => copy(below, place, { depth: depth + 1, shared });
  switch (plainKindOf(value)) {
    case 'ref':
      return value;
    case 'error':
      return fromEnvelope(toEnvelope(value));
    case 'items':
      // What these kinds are, here and below.
      return (value as unknown[]).map((item, index) => inner(item, `${where}[${index}]`));
    case 'map': {
      // As above.
      const entries = [...(value as Map<unknown, unknown>)];
      return new Map(
        entries.map(([k, v]) => [
          inner(k, where),
          inner(v, `${where}.get(${typeof k === 'object' ? '...' : String(k)})`),
        ]),
      );
    }
    case 'set':
      // As above.
      return new Set([...(value as Set<unknown>)].map((item) => inner(item, where)));
    case 'fields':
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item, `${where}.${key}`)]));
    case 'view': {
      // As above.
      const { buffer } = value as ArrayBufferView;
      if (!(buffer instanceof SharedArrayBuffer)) return structuredClone(value);
      inner(buffer, where);
      return value;
    }
    case 'shared-buffer':
      // As above.
      if (shared.includes(value as SharedArrayBuffer)) return value;
      throw cannotTravel(where, 'shared memory that was not marked with `transfer`');
    case 'buffer':
    case 'value':
      return structuredClone(value);
    case undefined:
      throw cannotTravel(where, whatOf(value));
  }
}

function cannotTravel(where: string, what: string): TypeError {
  return new TypeError(`Expected a message of plain data and refs, got ${what} at \`${where}\``);
}
