import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { formatAddress } from '../../fleet/mod.ts';
import { ConsoleParser } from '../console/console-parser.ts';
import { formatOf } from '../console/formats/format-of.ts';
import { GuestClient } from '../link/guest-client.ts';
import { HttpClient } from '../link/http/http-client.ts';
import { CONTENT_TYPES } from '../link/http/http-settings.ts';
import type { Hypervisor, Machine, MachineSpec } from '../port.ts';
import { GUEST_BIND } from '../profile/command-line.ts';
import { probesOf } from '../profile/probes.ts';
import { profileOf } from '../profile/shipped.ts';
import { probeOf } from '../vm/probe.ts';
import type { Measurement } from './choose.ts';

const BOOT_TIMEOUT_MS_LEAST = 15_000;
/** A guest that does not say when it is ready is asked this often. */
const ASK_INTERVAL_MS = 20;
const STEP_TIMEOUT_MS = 15_000;
const PINGS = 300;
/** The best round counts: other work on the host only makes a round slower. */
const ROUNDS = 3;
const TEXT_BYTES = 48 * 1024;
const TEXTS = 6;
const BODY_BYTES_MAX = 1024 * 1024;

/** Boots the image once, measures it and ends it. @throws what `prepare` throws; LINK_LOST, VM_GONE */
export async function measure(hypervisor: Hypervisor, spec: MachineSpec, clock: Clock): Promise<Measurement> {
  const machine = await hypervisor.prepare(spec);
  const gone = new Promise<void>((resolve) => machine.onExit(() => resolve()));
  try {
    const up = answering(machine, hypervisor, spec, clock);
    const startMs = clock.monotonic();
    await machine.start();
    await up;
    const client = await openClient(hypervisor, spec, clock);
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
 * waiting. A guest without such a line is asked until it answers.
 */
async function answering(machine: Machine, hypervisor: Hypervisor, spec: MachineSpec, clock: Clock): Promise<void> {
  const profile = profileOf(spec);
  const timeoutMs = bootTimeoutMsOf(spec);
  const ended = Promise.withResolvers<void>();
  const cancel = clock.timer(timeoutMs, () => {
    ended.reject(new ShoalError('VM_BOOT_TIMEOUT', `The probed guest was not ready within ${timeoutMs} ms`));
  });
  const parser = new ConsoleParser(formatOf(profile.console, factsOf(spec)));
  machine.onConsole((bytes) => {
    if (parser.push(bytes, clock.monotonic()).some(({ kind }) => kind === 'ready')) ended.resolve();
  });
  const probe = probeOf(profile, () => hypervisor.connect(spec.address), clock);
  let isOver = false;
  const ask = async (): Promise<void> => {
    if (await probe.run(probesOf(profile).readiness)) ended.resolve();
    else if (!isOver) again = clock.timer(ASK_INTERVAL_MS, () => void ask());
  };
  let again = profile.console.format === 'none' ? clock.timer(0, () => void ask()) : undefined;
  await ended.promise.finally(() => {
    isOver = true;
    cancel();
    again?.();
    probe.close();
  });
}

function bootTimeoutMsOf(spec: MachineSpec): number {
  return Math.max(BOOT_TIMEOUT_MS_LEAST, profileOf(spec).bootTimeoutMs);
}

function factsOf({ address, textBytesMax, memoryMib }: MachineSpec): Parameters<typeof formatOf>[1] {
  const ramBytesMax = memoryMib * 1024 * 1024;
  const measured = () => ({ seq: 1, cpuPercent: 0, ramBytes: 0 });
  const told = { bind: GUEST_BIND, addr: formatAddress(address), textBytesMax };
  return { ...told, idempotent: undefined, ramBytesMax, measured };
}

/** A guest in its own protocol. A text's answer, whatever it is, shows how long the guest takes. */
interface MeasuredGuest {
  ping(timeoutMs: number): Promise<void>;
  ask(op: string, payload: Uint8Array, timeoutMs: number): Promise<unknown>;
  close(): void;
}

async function openClient(hypervisor: Hypervisor, spec: MachineSpec, clock: Clock): Promise<MeasuredGuest> {
  const profile = profileOf(spec);
  const connect = () => hypervisor.connect(spec.address);
  if (profile.protocol === 'frames') return GuestClient.open(connect(), bootTimeoutMsOf(spec), clock);
  const client = new HttpClient(connect, BODY_BYTES_MAX, clock);
  const { path } = probesOf(profile).liveness;
  const contentType = CONTENT_TYPES[profile.payload];
  const guest: MeasuredGuest = {
    ping: (timeoutMs) => client.get(path, timeoutMs).then(() => undefined),
    ask: (op, payload, timeoutMs) => client.post(op, contentType, payload, timeoutMs),
    close: () => client.close(),
  };
  await guest.ping(bootTimeoutMsOf(spec));
  return guest;
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
