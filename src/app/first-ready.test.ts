import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { FirstReady } from './first-ready.ts';

interface Followed {
  readonly first: FirstReady;
  readonly clock: ManualClock;
  readonly notices: readonly string[];
  /** `ready`, the code of the error it gave up with, or undefined while it waits. */
  outcome(): Promise<string | undefined>;
}

function followed(vms: number, addresses: number): Followed {
  const clock = new ManualClock();
  const notices: string[] = [];
  const first = new FirstReady({ vms, addresses, clock, onWait: (text) => notices.push(text) });
  let outcome: string | undefined;
  first.promise.then(
    () => {
      outcome = 'ready';
    },
    (error: ShoalError) => {
      outcome = error.code;
    },
  );
  return {
    first,
    clock,
    notices,
    outcome: async () => {
      await new Promise(setImmediate);
      return outcome;
    },
  };
}

const event = (kind: FleetEvent['kind'], vm: number, more: Partial<FleetEvent> = {}): FleetEvent => ({
  atMs: 0,
  kind,
  vm,
  text: `${kind} of VM ${vm}`,
  ...more,
});

function fails(first: FirstReady, vm: number, error?: ShoalError): void {
  first.see(event('vm-start', vm));
  first.see(event('vm-gone', vm, error === undefined ? {} : { error: toEnvelope(error) }));
}

const portTaken = (address: string): ShoalError => new ShoalError('PORT_TAKEN', 'taken', { details: { address } });

test('the ends of VMs that an earlier Shoal left are no failed starts', async () => {
  const { first, outcome } = followed(2, 8);
  for (let vm = 1; vm <= 6; vm++) first.see(event('vm-adopted', vm));
  for (let vm = 1; vm <= 6; vm++) first.see(event('vm-gone', vm));
  expect(await outcome()).toBeUndefined();
  first.see(event('vm-start', 7));
  first.see(event('vm-start', 8));
  first.see(event('vm-ready', 7));
  first.see(event('vm-ready', 8));
  expect(await outcome()).toBe('ready');
});

test('a VM that was told to end before it was ready is no failed start; one that R6 or R7 ended is', async () => {
  const intended = followed(1, 8);
  for (let vm = 1; vm <= 6; vm++) {
    intended.first.see(event('vm-start', vm));
    intended.first.see(event('vm-stop', vm, { rule: 'command' }));
    intended.first.see(event('vm-gone', vm));
  }
  expect(await intended.outcome()).toBeUndefined();

  const silent = followed(1, 8);
  for (let vm = 1; vm <= 3; vm++) {
    silent.first.see(event('vm-start', vm));
    silent.first.see(event('vm-stop', vm, { rule: vm === 1 ? 'R7' : 'R6' }));
    silent.first.see(event('vm-gone', vm));
  }
  expect(await silent.outcome()).toBe('VM_GONE');
});

test('addresses that other programs have are passed over until none is left', async () => {
  const { first, outcome } = followed(1, 8);
  for (let vm = 1; vm <= 7; vm++) fails(first, vm, portTaken(`127.0.0.${vm}:9000`));
  // The same one again, once its quarantine is over.
  fails(first, 8, portTaken('127.0.0.1:9000'));
  expect(await outcome()).toBeUndefined();
  fails(first, 9, portTaken('127.0.0.8:9000'));
  expect(await outcome()).toBe('PORT_TAKEN');
});

test('fewer free addresses than VMs to keep: the start is over when those that could start are ready', async () => {
  const { first, outcome } = followed(3, 3);
  first.see(event('vm-ready', 1));
  fails(first, 2, portTaken('127.0.0.2:9000'));
  expect(await outcome()).toBeUndefined();
  fails(first, 3, portTaken('127.0.0.3:9000'));
  expect(await outcome()).toBe('ready');
});

test('an image that fails at each start ends the start, and at once if no second try can help', async () => {
  const crashing = followed(1, 8);
  fails(crashing.first, 1);
  fails(crashing.first, 2);
  expect(await crashing.outcome()).toBeUndefined();
  fails(crashing.first, 3);
  expect(await crashing.outcome()).toBe('VM_GONE');

  const missing = followed(1, 8);
  fails(missing.first, 1, new ShoalError('QEMU_MISSING', 'no QEMU'));
  expect(await missing.outcome()).toBe('QEMU_MISSING');
});

test('a start that waits says why, once for each reason', async () => {
  const { first, clock, notices } = followed(1, 8);
  await clock.advance(6_000);
  first.see({ atMs: 0, kind: 'blocked', text: 'no VM can be started: 1 GiB is available, 2 GiB are kept in reserve' });
  await clock.advance(20_000);
  expect(notices).toEqual([
    'still waiting for the first VM: no VM has been started yet',
    'still waiting for the first VM: no VM can be started: 1 GiB is available, 2 GiB are kept in reserve',
  ]);
  first.see(event('vm-ready', 1));
  expect(clock.pending).toBe(0);
});

test('what was refused at a limit does not end a start while other VMs are starting', async () => {
  const limit = new ShoalError('OPEN_FILES_LIMIT', 'no descriptor left');
  const some = followed(6, 8);
  for (let vm = 1; vm <= 2; vm++) some.first.see(event('vm-start', vm));
  for (let vm = 3; vm <= 6; vm++) fails(some.first, vm, limit);
  expect(await some.outcome()).toBeUndefined();

  const none = followed(1, 8);
  for (let vm = 1; vm <= 3; vm++) fails(none.first, vm, limit);
  expect(await none.outcome()).toBe('OPEN_FILES_LIMIT');
});
