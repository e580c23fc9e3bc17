import type { Clock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { formatAddress } from '../../fleet/mod.ts';
import { ConsoleParser } from '../console/console-parser.ts';
import { formatOf } from '../console/formats/format-of.ts';
import { GuestClient } from '../link/guest-client.ts';
import { HttpClient } from '../link/http/http-client.ts';
import { CONTENT_TYPES } from '../link/http/http-settings.ts';
import type { Hypervisor, Machine, MachineSpec } from '../port.ts';
import { bindOf } from '../profile/command-line.ts';
import { probesOf } from '../profile/probes.ts';
import { profileOf } from '../profile/shipped.ts';
import { probeOf } from '../vm/probe.ts';
import { whyBye } from '../vm/vm-end.ts';

const BOOT_TIMEOUT_MS_LEAST = 15_000;
/** A guest that does not say when it is ready is asked this often. */
const ASK_INTERVAL_MS = 20;
const BODY_BYTES_MAX = 1024 * 1024;

/**
 * Waits for the ready line: before the guest's network is up, its forwarded port accepts a connection and leaves it
 * waiting. A guest without such a line is asked until it answers.
 * @throws VM_BOOT_TIMEOUT; VM_GONE if it says goodbye instead
 */
export async function answering(
  machine: Machine,
  hypervisor: Hypervisor,
  spec: MachineSpec,
  clock: Clock,
  timeoutMs = bootTimeoutMsOf(spec),
): Promise<void> {
  const profile = profileOf(spec);
  const ended = Promise.withResolvers<void>();
  const cancel = clock.timer(timeoutMs, () => {
    ended.reject(new ShoalError('VM_BOOT_TIMEOUT', `The probed guest was not ready within ${timeoutMs} ms`));
  });
  const parser = new ConsoleParser(formatOf(profile.console, factsOf(spec)));
  machine.onConsole((bytes) => {
    for (const event of parser.push(bytes, clock.monotonic())) {
      if (event.kind === 'ready') ended.resolve();
      if (event.kind === 'bye') ended.reject(goneBeforeReady(whyBye(event.reason)));
    }
  });
  const probe = probeOf(profile, () => hypervisor.connect(spec), clock);
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

/** @param why what is known of its end */
export function goneBeforeReady(why: string): ShoalError {
  return new ShoalError('VM_GONE', `The guest that was to be measured ended before it was ready: ${why}`);
}

function bootTimeoutMsOf(spec: MachineSpec): number {
  return Math.max(BOOT_TIMEOUT_MS_LEAST, profileOf(spec).bootTimeoutMs);
}

function factsOf(spec: MachineSpec): Parameters<typeof formatOf>[1] {
  const { address, textBytesMax, memoryMib } = spec;
  const ramBytesMax = memoryMib * 1024 * 1024;
  const measured = () => ({ seq: 1, cpuPercent: 0, ramBytes: 0 });
  const told = { bind: bindOf(spec), addr: formatAddress(address), textBytesMax };
  return { ...told, idempotent: undefined, ramBytesMax, measured };
}

/** A guest in its own protocol. A text's answer, whatever it is, shows how long the guest takes. */
export interface MeasuredGuest {
  ping(timeoutMs: number): Promise<void>;
  ask(op: string, payload: Uint8Array, timeoutMs: number): Promise<unknown>;
  close(): void;
}

/** @throws LINK_LOST */
export async function openGuest(hypervisor: Hypervisor, spec: MachineSpec, clock: Clock): Promise<MeasuredGuest> {
  const profile = profileOf(spec);
  const connect = () => hypervisor.connect(spec);
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
