import { describe, expect, it } from 'vitest';
import { type TestKit, testKit } from '../../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { HostEvent } from '../../fleet/mod.ts';
import type { Found, Hypervisor, Manifest } from '../port.ts';
import type { VmMessage } from '../vm/vm-messages.ts';
import { controller } from './controller.ts';
import type { ControllerMessage } from './controller-messages.ts';
import { STOP_LIMITS } from './controller-options.ts';

const ADDRESS = { id: 1, ip: '127.0.0.1', port: 9000 };
const PARAMETERS = {
  image: '/image',
  imageDigest: 'digest',
  accelerator: 'tcg',
  memoryMib: 16,
  statusIntervalMs: 1_000,
  bootTimeoutMs: 10_000,
  textBytesMax: 1_000,
  stopLimits: STOP_LIMITS,
} as const;

interface Host extends AsyncDisposable {
  readonly kit: TestKit;
  readonly ref: Ref<ControllerMessage>;
  readonly events: readonly HostEvent[];
  /** Has the start of the VM's actor that waits fail, as when no thread takes it. */
  refuse(): void;
}

/** A controller whose host takes no actor of a VM. */
async function openHost(found: readonly Found[], later: Found | undefined): Promise<Host> {
  const kit = testKit();
  const events: HostEvent[] = [];
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const unused = (): never => {
    throw new Error('not in this test');
  };
  const hypervisor: Hypervisor = {
    prepare: unused,
    adopt: unused,
    connect: unused,
    list: () => Promise.resolve(found),
    find: () => Promise.resolve(later),
    end: unused,
    discard: () => Promise.resolve(),
    availableBytes: () => Promise.resolve(1),
  };
  const start: Behaviour<VmMessage> = () => promise;
  const ref = await kit.system.start(
    controller({
      host: 'here',
      hypervisor,
      home: { actor: () => ({ start }) },
      parameters: PARAMETERS,
      events: { path: '/events', tell: (event) => events.push(event) > 0 },
      onStop: 'keep-vms',
    }),
    { name: 'controller' },
  );
  await kit.settle();
  return {
    kit,
    ref,
    events,
    refuse: () => reject(new ShoalError('SHARD_UNAVAILABLE', 'No shard takes an actor')),
    [Symbol.asyncDispose]: () => kit.shutdown(),
  };
}

function manifest(vm: number): Manifest {
  const { imageDigest, image, accelerator, memoryMib, statusIntervalMs, textBytesMax } = PARAMETERS;
  const spec = { vm, address: ADDRESS, imageDigest, image, accelerator, memoryMib, statusIntervalMs, textBytesMax };
  return { version: 1, spec, uuid: 'uuid', argvDigest: '', bootId: '', preparedMs: 0 };
}

const ups = (events: readonly HostEvent[]): readonly unknown[] =>
  events.flatMap((event) => (event.kind === 'host-up' ? [event.vms] : []));

describe('a controller whose VM has no actor', () => {
  it('says that all is told once such a VM is confirmed gone', async () => {
    await using host = await openHost([], undefined);
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    host.ref.tell({ kind: 'announce' });
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[]]);
    host.refuse();
    await host.kit.settle();
    const last = host.events.filter(({ kind }) => kind !== 'host-stats').slice(-2);
    expect(last).toMatchObject([
      { kind: 'vm-gone', vm: 7 },
      { kind: 'host-up', vms: [] },
    ]);
  });

  it('names one that was found among what is there, since it may run', async () => {
    await using host = await openHost([{ kind: 'running', manifest: manifest(7) }], undefined);
    host.refuse();
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[7]]);
  });

  it('names one of which it cannot tell what is left', async () => {
    const why = 'its process cannot be identified';
    await using host = await openHost([], { kind: 'unknown', directory: '/run/7', vm: 7, why });
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    host.ref.tell({ kind: 'announce' });
    host.refuse();
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[], [7]]);
  });
});
