import type { Clock } from '../../actors/mod.ts';
import { endMachine, isOverWithin } from '../end-machine.ts';
import type { Hypervisor, MachineExit, MachineSpec } from '../port.ts';
import type { Measurement } from './choose.ts';
import { answering, goneBeforeReady, type MeasuredGuest, openGuest } from './measured-guest.ts';

const STEP_TIMEOUT_MS = 15_000;
/** How long the exit of a process may be told later than its monitor is closed. */
const EXIT_MS = 1_000;
const PINGS = 300;
/** The best round counts: other work on the host only makes a round slower. */
const ROUNDS = 3;
const TEXT_BYTES = 48 * 1024;
const TEXTS = 6;

/** Boots the image once, measures it and ends it. @throws what `prepare` throws; LINK_LOST, VM_GONE */
export async function measure(hypervisor: Hypervisor, spec: MachineSpec, clock: Clock): Promise<Measurement> {
  const machine = await hypervisor.prepare(spec);
  const gone = new Promise<MachineExit>((resolve) => machine.onExit(resolve));
  try {
    const up = Promise.race([answering(machine, hypervisor, spec, clock), gone.then(refuseGone)]);
    // It may end before its start has returned.
    up.catch(() => undefined);
    const startMs = clock.monotonic();
    await machine.start().catch(async (error: unknown) => {
      // A guest that ends at once takes QEMU's monitor with it, before that has answered. How it ended says more.
      if (await isOverWithin(gone, EXIT_MS, clock)) await up;
      throw error;
    });
    await up;
    const client = await openGuest(hypervisor, spec, clock);
    const bootMs = clock.monotonic() - startMs;
    try {
      const roundTripMs = (await best(clock, () => pings(client))) / PINGS;
      const computeMs = await best(clock, () => compute(client, spec.textBytesMax));
      return { bootMs, roundTripMs, computeMs };
    } finally {
      client.close();
    }
  } finally {
    await endMachine(machine, gone, clock);
  }
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

async function pings(client: MeasuredGuest): Promise<void> {
  for (let count = 0; count < PINGS; count++) await client.ping(STEP_TIMEOUT_MS);
}

async function compute(client: MeasuredGuest, textBytesMax: number): Promise<void> {
  const text = 'the quick brown fox jumps over the lazy dog\n'.repeat(TEXT_BYTES / 44).slice(0, textBytesMax);
  for (let count = 0; count < TEXTS; count++) await client.ask('sha256', Buffer.from(text), STEP_TIMEOUT_MS);
  await client.ask('freq', Buffer.from(text), STEP_TIMEOUT_MS);
}

function refuseGone({ exitCode, signal, stderr }: MachineExit): never {
  const how = signal === null ? `QEMU ended with exit code ${exitCode}` : `killed by ${signal}`;
  throw goneBeforeReady(stderr === '' ? how : `${how}; QEMU said: ${stderr}`);
}
