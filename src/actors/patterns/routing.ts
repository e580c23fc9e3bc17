import { checked, FUNCTION } from '../checks.ts';

/** A member of a pool, as its routing sees it. */
export interface PoolMember {
  /** Whether it runs or starts. Messages to any other are dead letters. */
  readonly isUp: boolean;
  /** Messages that it has not handled yet: those that wait, and the one in hand. */
  readonly load: number;
}

/**
 * Decides which member of a pool gets a message. It is called at each start of the pool, for the state that the
 * returned function may have. That function returns an index of `members`, which has at least one.
 */
export type Routing<M> = () => (members: readonly PoolMember[], message: M) => number;

/** One member after the other. A member that is down is passed over. */
export const roundRobin: Routing<unknown> = () => {
  let next = 0;
  return (members) => {
    for (let passed = 0; passed < members.length; passed++) {
      const index = next % members.length;
      next = index + 1;
      if (members[index]?.isUp === true) return index;
    }
    return 0;
  };
};

/**
 * The member with the fewest unhandled messages; among equals, one after the other. Of a member on a shard it counts
 * only the messages that have not left this thread.
 */
export const leastBusy: Routing<unknown> = () => {
  let last = -1;
  return (members) => {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let distance = 1; distance <= members.length; distance++) {
      const index = (last + distance) % members.length;
      const member = members[index];
      if (member === undefined || !member.isUp || member.load >= least) continue;
      best = index;
      least = member.load;
      if (least === 0) break;
    }
    last = best;
    return best;
  };
};

/**
 * All messages of one key go to one member. When the pool grows from n to m members, a share of (m - n) / m of the
 * keys moves, all of them to the new members. Messages of keys whose member is down are dead letters, because another
 * member would break the rule.
 */
export function consistentHash<M>(keyOf: (message: M) => string): Routing<M> {
  checked('keyOf', keyOf, FUNCTION);
  return () => (members, message) => jump(hash(keyOf(message)), members.length);
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over the UTF-16 units of a text, as an unsigned 32-bit number. */
function hash(text: string): number {
  let value = FNV_OFFSET;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME);
  return value >>> 0;
}

/**
 * Jump consistent hash (Lamping and Veach, 2014): follows the key through the sizes at which it moves, as a
 * pseudo-random sequence of its own decides, up to the last one within `size`. Takes the logarithm of `size` in steps.
 */
function jump(key: number, size: number): number {
  let state = key;
  let bucket = 0;
  for (let next = 0; next < size; ) {
    bucket = next;
    state = (state + 0x9e3779b9) >>> 0;
    // A number in (0, 1]: the key stays in `bucket` until the size exceeds (bucket + 1) / chance.
    const chance = (mixed(state) + 1) / 2 ** 32;
    next = Math.floor((bucket + 1) / chance);
  }
  return bucket;
}

/** Spreads the bits of a number over all bits of the result (the finaliser of MurmurHash3). */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
