import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { probe, type TestKit, testKit } from '../../actors/kit/mod.ts';
import type { Behaviour, Ref } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { HostEvent } from '../../fleet/mod.ts';
import type { LogLine } from '../console/guest-log.ts';
import type { HostNotice } from '../notices.ts';
import type { Found, Hypervisor, Manifest } from '../port.ts';
import type { VmHome, VmTask } from '../shards/vm-home.ts';
import type { HostVmEvent } from '../vm/vm-events.ts';
import type { VmMessage } from '../vm/vm-messages.ts';
import { controller } from './controller.ts';
import type { ControllerMessage, VmSummary } from './controller-messages.ts';
import { type ControllerOptions, STOP_LIMITS } from './controller-options.ts';

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
  readonly notices: readonly HostNotice[];
  /** Has the start of the VM's actor that waits fail, as when no thread takes it. */
  refuse(): void;
}

/** A controller whose host takes no actor of a VM. */
async function openHost(port: Partial<Hypervisor> = {}, options: Partial<ControllerOptions> = {}): Promise<Host> {
  const kit = testKit();
  const events: HostEvent[] = [];
  const notices: HostNotice[] = [];
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const unused = (): never => {
    throw new Error('not in this test');
  };
  const hypervisor: Hypervisor = {
    prepare: unused,
    adopt: unused,
    connect: unused,
    list: () => Promise.resolve([]),
    find: () => Promise.resolve(undefined),
    end: unused,
    discard: () => Promise.resolve(),
    availableBytes: () => Promise.resolve(1),
    ...port,
  };
  const start: Behaviour<VmMessage> = () => promise;
  const ref = await kit.system.start(
    controller({
      host: 'here',
      hypervisor,
      home: { actor: () => ({ start }) },
      parameters: PARAMETERS,
      events: { path: '/events', tell: (event) => events.push(event) > 0 },
      notices: { path: '/notices', tell: (notice) => notices.push(notice) > 0 },
      onStop: 'keep-vms',
      ...options,
    }),
    { name: 'controller' },
  );
  await kit.settle();
  return {
    kit,
    ref,
    events,
    notices,
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
    await using host = await openHost();
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    host.ref.tell({ kind: 'announce', census: 1 });
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[]]);
    host.refuse();
    await host.kit.settle();
    const last = host.events.filter(({ kind }) => kind !== 'host-stats').slice(-2);
    expect(last).toMatchObject([
      { kind: 'vm-gone', vm: 7 },
      { kind: 'host-up', vms: [], census: 1 },
    ]);
  });

  it('says which census it has told all of: the last one that it was asked for', async () => {
    await using host = await openHost();
    await host.kit.settle();
    for (const census of [1, 2]) host.ref.tell({ kind: 'announce', census });
    await host.kit.settle();
    const told = host.events.flatMap((event) => (event.kind === 'host-up' ? [event.census] : []));
    expect([told[0], told.at(-1)]).toEqual([undefined, 2]);
  });

  it('names one that was found among what is there, since it may run', async () => {
    await using host = await openHost({ list: () => Promise.resolve([{ kind: 'running', manifest: manifest(7) }]) });
    host.refuse();
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[7]]);
  });

  it('names one of which it cannot tell what is left', async () => {
    const why = 'its process cannot be identified';
    await using host = await openHost({
      find: () => Promise.resolve({ kind: 'unknown', directory: '/run/7', vm: 7, why }),
    });
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    host.ref.tell({ kind: 'announce', census: 1 });
    host.refuse();
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[], [7]]);
  });
});

describe('a controller that cannot identify a VM', () => {
  const unknown: Found = { kind: 'unknown', directory: '/run/7', vm: 7, why: 'its monitor does not answer' };
  const running: Found = { kind: 'running', manifest: manifest(7) };

  it('looks again, says so once, and adopts it as soon as it can be identified', async () => {
    let found: Found = unknown;
    const adopted: VmTask[] = [];
    const home: VmHome = {
      actor: (task) => {
        adopted.push(task);
        return { start: () => () => undefined };
      },
    };
    const find = () => Promise.resolve(found);
    await using host = await openHost({ list: () => Promise.resolve([unknown]), find }, { home });
    expect(ups(host.events)).toEqual([[7]]);
    await host.kit.advance(25_000);
    expect(adopted).toEqual([]);
    expect(host.notices).toHaveLength(1);
    found = running;
    await host.kit.advance(10_000);
    expect(adopted).toMatchObject([{ origin: 'found' }]);
    await host.kit.advance(30_000);
    expect(adopted).toHaveLength(1);
  });

  it('tells its end once it is gone', async () => {
    let found: Found | undefined = unknown;
    const find = () => Promise.resolve(found);
    await using host = await openHost({ list: () => Promise.resolve([unknown]), find });
    found = undefined;
    await host.kit.advance(10_000);
    expect(host.events.filter(({ kind }) => kind === 'vm-gone')).toMatchObject([{ vm: 7 }]);
    host.ref.tell({ kind: 'announce', census: 1 });
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[7], []]);
  });

  it('ends it at the stop if it can be identified by then', async () => {
    const ended: unknown[] = [];
    const process = { pid: 7, startTicks: 1, bootId: 'boot' };
    const known: Found = { kind: 'running', manifest: { ...manifest(7), process } };
    const end = (one: unknown) => Promise.resolve(ended.push(one) > 0);
    const options = { onStop: 'stop-vms' } as const;
    {
      await using _host = await openHost(
        { list: () => Promise.resolve([unknown]), find: () => Promise.resolve(known), end },
        options,
      );
    }
    expect(ended).toEqual([process]);
  });
});

describe('a controller whose host cannot be looked at', () => {
  it('takes no VM for gone, says so once, and looks again', async () => {
    let list: () => Promise<readonly Found[]> = () => Promise.reject(new Error('EMFILE: too many open files'));
    await using host = await openHost({ list: () => list() });
    host.ref.tell({ kind: 'announce', census: 1 });
    await host.kit.advance(30_000);
    expect(host.events).toEqual([]);
    expect(host.notices).toEqual([{ kind: 'host-impaired', why: expect.stringContaining('EMFILE') }]);
    list = () => Promise.resolve([]);
    await host.kit.advance(1_000);
    expect(ups(host.events)).toEqual([[]]);
  });

  it('tells that no memory is available, and says so once', async () => {
    await using host = await openHost({ availableBytes: () => Promise.reject(new Error('EMFILE')) });
    await host.kit.advance(10_000);
    const stats = host.events.filter(({ kind }) => kind === 'host-stats');
    expect(stats.length).toBeGreaterThan(5);
    expect(new Set(stats.map((event) => event.kind === 'host-stats' && event.availableBytes))).toEqual(new Set([0]));
    expect(host.notices).toEqual([{ kind: 'host-impaired', why: expect.stringContaining('EMFILE') }]);
  });

  it('says so again when its memory could be measured in between', async () => {
    let availableBytes = (): Promise<number> => Promise.reject(new Error('EMFILE'));
    await using host = await openHost({ availableBytes: () => availableBytes() });
    availableBytes = () => Promise.resolve(5);
    await host.kit.advance(2_000);
    availableBytes = () => Promise.reject(new Error('EIO'));
    await host.kit.advance(2_000);
    expect(host.notices).toMatchObject([
      { why: expect.stringContaining('EMFILE') },
      { why: expect.stringContaining('EIO') },
    ]);
  });

  it('counts for a VM the memory of its guest and what QEMU takes', async () => {
    await using host = await openHost();
    expect(host.events[0]).toMatchObject({ kind: 'host-stats', vmBytes: (16 + 16) * 1024 * 1024 });
  });

  it('leaves a VM with its actor when it can look at last', async () => {
    let list: () => Promise<readonly Found[]> = () => Promise.reject(new Error('EMFILE'));
    const running: Found = { kind: 'running', manifest: manifest(7) };
    const actors: ((event: HostVmEvent) => void)[] = [];
    const home: VmHome = {
      actor: ({ events }) => {
        actors.push((event) => events.tell(event));
        return { start: () => () => undefined };
      },
    };
    await using host = await openHost({ list: () => list(), find: () => Promise.resolve(running) }, { home });
    host.ref.tell({ kind: 'stop', vm: 7, reason: 'idle', why: 'enough' });
    await host.kit.settle();
    list = () => Promise.resolve([running]);
    await host.kit.advance(1_000);
    expect(actors).toHaveLength(1);
    expect(ups(host.events)).toEqual([]);
    actors[0]?.({
      kind: 'vm-gone',
      vm: 7,
      end: { clean: true, reason: 'idle', why: 'enough', exitCode: 67 },
    });
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[]]);
  });

  it('leaves a VM alone that it cannot look for, and says so once however often it is told', async () => {
    await using host = await openHost({ find: () => Promise.reject(new Error('EMFILE')) });
    for (let times = 0; times < 3; times++) {
      host.ref.tell({ kind: 'stop', vm: 9, reason: 'idle', why: 'enough' });
      await host.kit.settle();
    }
    expect(host.events.filter(({ kind }) => kind === 'vm-gone')).toEqual([]);
    expect(host.notices).toMatchObject([{ kind: 'vm-unidentified', vm: 9 }]);
  });

  it('tells how much memory the host has before it says that VMs may be started', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    await using host = await openHost({ availableBytes: () => promise });
    expect(ups(host.events)).toEqual([]);
    resolve(5);
    await host.kit.settle();
    expect(host.events).toMatchObject([{ kind: 'host-stats', availableBytes: 5 }, { kind: 'host-up' }]);
  });

  it('does not say that all is told while a VM that was found meanwhile is not', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const running: Found = { kind: 'running', manifest: manifest(7) };
    const tasks: VmTask[] = [];
    const home: VmHome = {
      actor: (task) => {
        tasks.push(task);
        return { start: () => () => undefined };
      },
    };
    await using host = await openHost(
      { availableBytes: () => promise, find: () => Promise.resolve(running) },
      { home },
    );
    host.ref.tell({ kind: 'stop', vm: 7, reason: 'idle', why: 'enough' });
    await host.kit.settle();
    resolve(5);
    await host.kit.settle();
    expect(ups(host.events)).toEqual([]);
    tasks[0]?.events.tell({
      kind: 'vm-gone',
      vm: 7,
      end: { clean: true, reason: 'idle', why: 'enough', exitCode: 67 },
    });
    await host.kit.settle();
    expect(ups(host.events)).toEqual([[]]);
  });

  it('lives without files for the logs of guests', async () => {
    await using host = await openHost({}, { logFolder: '/proc/shoal/logs' });
    expect(ups(host.events)).toEqual([[]]);
    expect(host.notices).toEqual([{ kind: 'host-impaired', why: expect.stringContaining('/proc/shoal/logs') }]);
  });

  it('says of a log that cannot be read that it cannot, and of one that is not there that it is empty', async () => {
    const logFolder = mkdtempSync(join(tmpdir(), 'shoal-logs-'));
    onTestFinished(() => rmSync(logFolder, { recursive: true }));
    mkdirSync(join(logFolder, 'vm-7.log'));
    await using host = await openHost({}, { logFolder });
    const reader = probe<readonly LogLine[]>(host.kit.system);
    for (const vm of [7, 8]) host.ref.tell({ kind: 'logs', vm, linesMax: 10, replyTo: reader.ref });
    const logs = [await reader.expect(), await reader.expect()].sort((a, b) => b.length - a.length);
    expect(logs).toMatchObject([[{ text: expect.stringMatching(/^\[shoal\] the log cannot be read: .*EISDIR/) }], []]);
  });
});

describe('a controller that finds what is left of VMs', () => {
  const process = { pid: 5, startTicks: 1, bootId: '' };
  const orphan: Found = { kind: 'orphan', vm: 7, directory: '/run/7', process };

  it('ends one whose run directory was removed, before it says that the VM is gone', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    await using host = await openHost({ find: () => Promise.resolve(orphan), end: () => promise });
    for (let times = 0; times < 2; times++) {
      host.ref.tell({ kind: 'stop', vm: 7, reason: 'idle', why: 'enough' });
      await host.kit.settle();
    }
    const gone = (): readonly HostEvent[] => host.events.filter(({ kind }) => kind === 'vm-gone');
    expect(gone()).toEqual([]);
    resolve(true);
    await host.kit.settle();
    expect(gone()).toMatchObject([{ vm: 7, end: { why: expect.stringContaining('/run/7') } }]);
    expect(host.notices).toMatchObject([{ kind: 'vm-orphaned', vm: 7 }]);
  });

  it('names one that does not end among what is there', async () => {
    await using host = await openHost({ list: () => Promise.resolve([orphan]), end: () => Promise.resolve(false) });
    expect(ups(host.events)).toEqual([[7]]);
    expect(host.notices).toMatchObject([{ kind: 'unknown-found', directory: '/run/7' }]);
  });

  it('tells of the end of one whose directory cannot be removed', async () => {
    await using host = await openHost({
      list: () => Promise.resolve([{ kind: 'gone', vm: 7 }]),
      discard: () => Promise.reject(new Error('EBUSY')),
    });
    expect(host.events).toMatchObject([
      { kind: 'vm-gone', vm: 7 },
      { kind: 'host-stats' },
      { kind: 'host-up', vms: [] },
    ]);
    expect(host.notices).toEqual([{ kind: 'directory-left', vm: 7, why: 'EBUSY' }]);
  });
});

describe('a controller that is told something twice, or whose actor of a VM fails', () => {
  /** Actors of VMs that note what they are told, and fail when they are told to. */
  function noting(): { readonly home: VmHome; readonly actors: VmTask[]; readonly told: VmMessage['kind'][][] } {
    const actors: VmTask[] = [];
    const told: VmMessage['kind'][][] = [];
    const home: VmHome = {
      actor: (task) => {
        actors.push(task);
        return {
          start: () => {
            const heard: VmMessage['kind'][] = [];
            told.push(heard);
            return ({ kind }) => {
              heard.push(kind);
              if (told.length === 1 && kind === 'stop') throw new Error('a defect');
            };
          },
        };
      },
    };
    return { home, actors, told };
  }

  it('makes one VM of a repeated prepare, as the parameters say, and tells of no end', async () => {
    const { home, actors } = noting();
    const asked = { network: 'none', virtioConsole: true } as const;
    await using host = await openHost({}, { home, parameters: { ...PARAMETERS, ...asked } });
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    host.ref.tell({ kind: 'prepare', vm: 7, address: { ...ADDRESS, id: 2 } });
    await host.kit.settle();
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    await host.kit.settle();
    expect(actors).toMatchObject([{ origin: 'new', spec: { vm: 7, address: ADDRESS, ...asked } }]);
    expect(host.events.filter(({ kind }) => kind === 'vm-gone')).toEqual([]);
  });

  it('repeats the commands that last to an actor that takes the place of another', async () => {
    const { home, told } = noting();
    await using host = await openHost({}, { home });
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    host.ref.tell({ kind: 'start', vm: 7 });
    host.ref.tell({ kind: 'stop', vm: 7, reason: 'idle', why: 'enough' });
    await host.kit.advance(10_000);
    expect(told).toEqual([
      ['start', 'stop'],
      ['start', 'stop'],
    ]);
  });

  it('does not have a VM that was told of told again by the actor that takes the place of another', async () => {
    const { home, actors, told } = noting();
    await using host = await openHost({}, { home });
    host.ref.tell({ kind: 'prepare', vm: 7, address: ADDRESS });
    await host.kit.settle();
    host.ref.tell({ kind: 'announce', census: 1 });
    await host.kit.settle();
    const adopted = { kind: 'vm-adopted', vm: 7, address: ADDRESS, pid: 5, startedMs: 0 } as const;
    actors[0]?.events.tell({ ...adopted, state: 'prepared' });
    host.ref.tell({ kind: 'stop', vm: 7, reason: 'idle', why: 'enough' });
    await host.kit.advance(10_000);
    expect(told).toEqual([['announce', 'stop'], ['stop']]);
  });

  it('shows the process of a VM, whether it was made or found', async () => {
    const { home, actors } = noting();
    await using host = await openHost(
      { list: () => Promise.resolve([{ kind: 'running', manifest: manifest(7) }]) },
      { home },
    );
    host.ref.tell({ kind: 'prepare', vm: 8, address: ADDRESS });
    await host.kit.settle();
    const adopted = { kind: 'vm-adopted', vm: 7, address: ADDRESS, pid: 5, startedMs: 0 } as const;
    actors[0]?.events.tell({ ...adopted, state: 'prepared' });
    actors[1]?.events.tell({ kind: 'vm-prepared', vm: 8, pid: 6 });
    const vms = await host.kit.system.ask<ControllerMessage, readonly VmSummary[]>(
      host.ref,
      (replyTo) => ({ kind: 'vms', replyTo }),
      1_000,
    );
    expect(vms).toMatchObject([
      { vm: 7, pid: 5, accelerator: manifest(7).spec.accelerator },
      { vm: 8, pid: 6 },
    ]);
  });
});
