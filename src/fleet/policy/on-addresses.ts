import type { Fleet } from '../state/fleet.ts';
import type { AddressTransition } from '../state/transition.ts';
import { type Address, formatAddress } from '../values/address.ts';
import type { Reaction } from './reaction.ts';

/** The pool has grown. What is in it already, by its id or by what it is, changes nothing. */
export function onAddresses(fleet: Fleet, addresses: readonly Address[]): Reaction {
  const ids = new Set(fleet.pool.map(({ address }) => address.id));
  const texts = new Set(fleet.pool.map(({ address }) => formatAddress(address)));
  const transitions: AddressTransition[] = [];
  for (const address of addresses) {
    const text = formatAddress(address);
    if (ids.has(address.id) || texts.has(text)) continue;
    ids.add(address.id);
    texts.add(text);
    transitions.push({ kind: 'address-added', address });
  }
  return { transitions, effects: [] };
}
