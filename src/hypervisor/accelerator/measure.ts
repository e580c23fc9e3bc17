import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { GuestClient } from '../link/guest-client.ts';
import type { Hypervisor, Machine, MachineSpec } from '../port.ts';
import type { Measurement } from './choose.ts';

const BOOT_TIMEOUT_MS = 15_000;
const STEP_TIMEOUT_MS = 15_000;
const PINGS = 300;
/** The best round counts: other work on the host only makes a round slower. */
const ROUNDS = 3;
const TEXT_BYTES = 48 * 1024;
const TEXTS = 6;

/** Boots the image once, measures it and ends it. @throws what `prepare` throws; LINK_LOST, VM_GONE */
export async function measure(hypervisor: Hypervisor, spec: MachineSpec, clock: Clock): Promise<Measurement> {
  const machine = await hypervisor.prepare(spec);
  const gone = new Promise<void>((resolve) => machine.onExit(() => resolve()));
  try {
    const up = answering(machine, clock);
    const startMs = clock.monotonic();
    await machine.start();
    await up;
    const client = await GuestClient.open(hypervisor.connect(spec), BOOT_TIMEOUT_MS, clock);
    const bootMs = clock.monotonic() - startMs;
    try {
      const roundTripMs = (await best(clock, () => pings(client))) / PINGS;
      const computeMs = await best(clock, () => compute(client, spec.textBytesMax));
      return { bootMs, roundTripMs, computeMs };
    } finally {
      client.close();
    }
  } finally {
    machine.signal('SIGKILL');
    await gone;
    await machine.remove();
  }
}

/**
 * Waits for the ready line: before the guest's network is up, its forwarded port accepts a connection and leaves it
 * waiting.
 */
function answering(machine: Machine, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timer(BOOT_TIMEOUT_MS, () => {
      reject(new ShoalError('VM_BOOT_TIMEOUT', `The probed guest was not ready within ${BOOT_TIMEOUT_MS} ms`));
    });
    let heard = '';
    machine.onConsole((bytes) => {
      heard = (heard + Buffer.from(bytes).toString('latin1')).slice(-4_096);
      if (!/^shoal1 ready .*\n/m.test(heard)) return;
      cancel();
      resolve();
    });
  });
}

async function best(clock: Clock, work: () => Promise<void>): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = clock.monotonic();
    await work();
    bestMs = Math.min(bestMs, clock.monotonic() - startMs);
  }
  return bestMs;
}

async function pings(client: GuestClient): Promise<void> {
  for (let count = 0; count < PINGS; count++) await client.ping(STEP_TIMEOUT_MS);
}

async function compute(client: GuestClient, textBytesMax: number): Promise<void> {
  const text = 'the quick brown fox jumps over the lazy dog\n'.repeat(TEXT_BYTES / 44).slice(0, textBytesMax);
  for (let count = 0; count < TEXTS; count++) await client.ask('sha256', Buffer.from(text), STEP_TIMEOUT_MS);
  await client.ask('freq', Buffer.from(text), STEP_TIMEOUT_MS);
}
