import { describe, expect, it } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import type { Behaviour } from '../../actors/mod.ts';
import type { HostEvent } from '../../fleet/mod.ts';
import type { Hypervisor, Machine, Manifest } from '../port.ts';
import { vmActor } from './vm-actor.ts';
import type { VmMessage } from './vm-messages.ts';

const SPEC = {
  vm: 7,
  address: { id: 1, ip: '127.0.0.1', port: 9000 },
  image: '/image',
  imageDigest: 'digest',
  accelerator: 'tcg',
  memoryMib: 16,
  statusIntervalMs: 1_000,
  textBytesMax: 1_000,
} as const;

const MANIFEST: Manifest = { version: 1, spec: SPEC, uuid: '', argvDigest: '', bootId: '', preparedMs: 0 };

function unused(): never {
  throw new Error('not in this test');
}

/** A machine that can be let go of. */
function machine(onRelease: () => void): Machine {
  return {
    manifest: MANIFEST,
    process: { pid: 1, startTicks: 1, bootId: '' },
    start: unused,
    remember: unused,
    qmp: unused,
    onConsole: unused,
    onFault: unused,
    writeConsole: unused,
    onExit: unused,
    signal: unused,
    cpuDemandMs: unused,
    remove: unused,
    release: async () => onRelease(),
  };
}

/** The actor of a new VM. */
function actorOf(
  prepared: Promise<Machine>,
  onEvent: (event: HostEvent) => void = () => undefined,
): Behaviour<VmMessage> {
  const hypervisor: Hypervisor = {
    prepare: () => prepared,
    adopt: unused,
    list: unused,
    find: unused,
    end: unused,
    discard: unused,
    availableBytes: unused,
    connect: unused,
  };
  return vmActor({
    host: 'here',
    hypervisor,
    origin: { kind: 'new', spec: SPEC },
    bootTimeoutMs: 10_000,
    stopLimits: { consoleMs: 1, quitMs: 1, terminateMs: 1, killMs: 1 },
    logFolder: undefined,
    events: {
      path: '/events',
      tell: (event) => {
        onEvent(event);
        return true;
      },
    },
    relays: undefined,
    notices: undefined,
  });
}

describe('the actor of a VM', () => {
  it('that is stopped while its machine is being prepared ends when that is done', async () => {
    const kit = testKit();
    const happened: string[] = [];
    const { promise, resolve } = Promise.withResolvers<Machine>();
    const ref = await kit.system.start(actorOf(promise), { name: 'vm' });
    const stopped = kit.system.stop(ref).then(() => happened.push('ended'));
    await kit.settle();
    resolve(machine(() => happened.push('let go of')));
    await stopped;
    expect(happened).toEqual(['let go of', 'ended']);
    await kit.shutdown();
  });

  it('hears of reports that have piled up the newest only', async () => {
    const kit = testKit();
    const reports: number[] = [];
    let print: (text: string) => void = unused;
    const running: Machine = {
      ...machine(() => undefined),
      start: async () => undefined,
      remember: async () => undefined,
      onConsole: (listener) => {
        print = (text) => listener(Buffer.from(text));
      },
      onFault: () => undefined,
      onExit: () => undefined,
    };
    const behaviour = actorOf(Promise.resolve(running), (event) => {
      if (event.kind === 'vm-report') reports.push(event.report.seq);
    });
    const ref = await kit.system.start(behaviour, { name: 'vm' });
    ref.tell({ kind: 'start' });
    await kit.settle();
    const status = (seq: number): string => `\nshoal1 status seq=${seq} cpu=0.1 ram=1000 inflight=0 served=0\n`;
    print(
      `\nshoal1 ready v=1 bind=10.0.2.15/24 addr=127.0.0.1:9000 port=9000 max=1000 idempotent=1 ops=upper\n${status(1)}`,
    );
    await kit.settle();
    print([2, 3, 4, 5, 6, 7].map(status).join(''));
    await kit.settle();
    expect(reports).toEqual([1, 7]);
    await kit.shutdown();
  });
});
