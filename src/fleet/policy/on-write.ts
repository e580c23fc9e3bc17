import { type ErrorEnvelope, toEnvelope, toWire } from '../../errors.ts';
import type { Fleet } from '../state/fleet.ts';
import { formatAddress } from '../values/address.ts';
import type { VmId } from '../values/vm-id.ts';
import { bootOf, stop } from './enact.ts';
import { eventOfVm } from './events.ts';
import { combine, NOTHING, type Reaction } from './reaction.ts';

/** The durable writes of a VM. */
export type Write = 'reserve' | 'insert' | 'release';

/** A write is durable. Nothing is acted on before. */
export function onWritten(fleet: Fleet, id: VmId, write: Write, nowMs: number): Reaction {
  const done: Reaction = { transitions: [], effects: [{ kind: 'write-done', vm: id }] };
  if (write === 'release') return combine(done, released(fleet, id));
  const vm = fleet.vm(id);
  if (write === 'insert' || vm === undefined) return done;
  const durable: Reaction = { transitions: [{ kind: 'vm-durable', vm: id }], effects: [] };
  // A host out of reach is told when it is back.
  const boots = vm.state === 'prepared' && !vm.spare && fleet.host.reach !== 'away';
  return combine(done, durable, ...(boots ? [bootOf(fleet, vm, vm.rule, nowMs)] : []));
}

/** A write that fails is repeated, unless it is given up: a VM that does not run yet is ended rather than waited for. */
export function onWriteFailed(fleet: Fleet, id: VmId, write: Write, error: unknown, nowMs: number): Reaction {
  const envelope = toEnvelope(error);
  const text = `the ${write} of VM ${id} could not be written`;
  const told: Reaction = {
    transitions: [],
    effects: [eventOfVm('write-failed', id, fleet.host.name, text, undefined, envelope)],
  };
  const givenUp = giveUp(fleet, id, write, envelope, nowMs);
  return combine(told, givenUp ?? NOTHING, {
    transitions: [],
    effects: [{ kind: givenUp === undefined ? 'retry-write' : 'write-done', vm: id }],
  });
}

/** @returns what follows, if the write is not to be repeated. What the tables contradict stays contradicted. */
function giveUp(fleet: Fleet, id: VmId, write: Write, error: ErrorEnvelope, nowMs: number): Reaction | undefined {
  if (write === 'release') return undefined;
  const vm = fleet.vm(id);
  if (vm === undefined) return NOTHING;
  const isConflict = error.code === 'STORE_CONFLICT';
  const runs = vm.state !== 'preparing' && vm.state !== 'prepared';
  if (write === 'insert' || runs) return isConflict ? NOTHING : undefined;
  if (fleet.host.reach === 'away') return undefined;
  const end = { reason: 'not-reserved', why: 'its reservation could not be written' } as const;
  // What the tables contradict is no fault of the VM.
  const fault = isConflict ? undefined : 'failed';
  const ended = stop(fleet, { rule: 'R3', vm: id, ...end, fault, figures: { code: toWire(error).code } }, nowMs, error);
  return isConflict ? combine({ transitions: [{ kind: 'vm-refused', vm: id }], effects: [] }, ended) : ended;
}

/** R8: the address is free again, unless another VM is on it. */
function released(fleet: Fleet, vm: VmId): Reaction {
  const addresses = fleet.releasing.get(vm);
  if (addresses === undefined) return NOTHING;
  const free = addresses.filter((address) => fleet.isAlone(vm, address));
  return {
    transitions: [{ kind: 'released', vm }],
    effects: free.map((address) => {
      const reason = { rule: 'R8', figures: { id_ip: address.id } } as const;
      return eventOfVm('address-free', vm, fleet.host.name, `${formatAddress(address)} is free again`, reason);
    }),
  };
}
