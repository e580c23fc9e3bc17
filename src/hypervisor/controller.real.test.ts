import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Probe } from '../actors/kit/mod.ts';
import { probe } from '../actors/kit/mod.ts';
import { type ActorSystem, createSystem, type Ref } from '../actors/mod.ts';
import type { HostEvent, VmId } from '../fleet/mod.ts';
import { identify } from '../process/mod.ts';
import { type ControllerMessage, type ControllerOptions, controller, MEMORY_MIB, STOP_LIMITS } from './controller.ts';
import { GuestClient, type RealHypervisor, realHypervisor, runDirectoryOf, usableAccelerators } from './testing/mod.ts';
import type { HostNotice } from './vm/vm-messages.ts';

interface House extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly events: Probe<HostEvent>;
  readonly notices: Probe<HostNotice>;
  readonly controller: Ref<ControllerMessage>;
}

async function house(real: RealHypervisor, overrides: Partial<ControllerOptions> = {}): Promise<House> {
  const system = createSystem();
  const events = probe<HostEvent>(system, { patience });
  const notices = probe<HostNotice>(system, { patience });
  const ref = await system.start(
    controller({
      host: 'h1',
      hypervisor: real.hypervisor,
      events: events.ref,
      notices: notices.ref,
      logFolder: join(real.folder, 'logs'),
      parameters: {
        image: real.image.path,
        imageDigest: real.image.digest,
        accelerator: 'tcg',
        memoryMib: MEMORY_MIB,
        statusIntervalMs: 100,
        bootTimeoutMs: 20_000,
        textBytesMax: 65_536,
        stopLimits: STOP_LIMITS,
      },
      ...overrides,
    }),
    { name: 'controller', stopTimeoutMs: 60_000 },
  );
  return { system, events, notices, controller: ref, [Symbol.asyncDispose]: () => system.shutdown(60_000) };
}

/** Generous: it only passes when something is wrong. */
function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60_000).unref());
}

function of<K extends HostEvent['kind']>(kind: K, vm: VmId): (event: HostEvent) => boolean {
  return (event) => event.kind === kind && event.vm === vm;
}

describe('controller, on real QEMU', () => {
  it.each(usableAccelerators())('prepares, starts, hears and stops a VM under %s', async (accelerator) => {
    await using real = await realHypervisor();
    await using it = await house(real);
    const address = await real.freeAddress();
    it.controller.tell({ kind: 'set-parameters', parameters: { accelerator } });

    it.controller.tell({ kind: 'prepare', vm: 1, address });
    const prepared = await it.events.expect(of('vm-prepared', 1));
    expect(existsSync(runDirectoryOf(real, 1))).toBe(true);

    it.controller.tell({ kind: 'start', vm: 1 });
    await it.events.expect(of('vm-booting', 1));
    const answering = await it.events.expect<Extract<HostEvent, { kind: 'vm-answering' }>>({ kind: 'vm-answering' });
    expect(answering.guest).toMatchObject({ textBytesMax: 65_536, idempotent: true });
    expect(answering.guest.operations).toContain('upper');
    const first = await it.events.expect<Extract<HostEvent, { kind: 'vm-report' }>>({ kind: 'vm-report' });
    const second = await it.events.expect<Extract<HostEvent, { kind: 'vm-report' }>>({ kind: 'vm-report' });
    expect(second.report.seq).toBeGreaterThan(first.report.seq);

    const client = await GuestClient.open(real.hypervisor.connect(address), 10_000);
    expect(await client.request('upper', 'grüße', 10_000)).toBe('GRÜSSE');
    client.close();

    it.controller.tell({ kind: 'stop', vm: 1, why: 'enough' });
    const gone = await it.events.fishFor<Extract<HostEvent, { kind: 'vm-gone' }>>({ kind: 'vm-gone' });
    expect(gone).toMatchObject({ vm: 1, end: { clean: true, why: 'enough', exitCode: 67 } });
    expect(gone.error).toBeUndefined();
    expect(existsSync(runDirectoryOf(real, 1))).toBe(false);
    expect(prepared.kind === 'vm-prepared' && identify(prepared.pid)).toBe(undefined);
  });
});
