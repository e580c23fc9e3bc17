import { describe, expect, it, onTestFinished } from 'vitest';
import { type TestKit, testKit } from '../../actors/kit/mod.ts';
import type { Ref } from '../../actors/mod.ts';
import type { HostEvent } from '../../fleet/mod.ts';
import type { HostNotice } from '../notices.ts';
import type { Found, Hypervisor, Machine, MachineExit, Manifest } from '../port.ts';
import { vmActor } from './vm-actor.ts';
import type { VmMessage } from './vm-messages.ts';
import type { VmOptions } from './vm-options.ts';

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

const PROCESS = { pid: 1, startTicks: 1, bootId: '' };
const MANIFEST: Manifest = {
  version: 1,
  spec: SPEC,
  uuid: '',
  argvDigest: '',
  bootId: '',
  preparedMs: 0,
  process: PROCESS,
};
const READY = '\nshoal1 ready v=1 bind=10.0.2.15/24 addr=127.0.0.1:9000 port=9000 max=1000 idempotent=1 ops=upper\n';

function status(seq: number): string {
  return `\nshoal1 status seq=${seq} cpu=0.1 ram=1000 inflight=0 served=0\n`;
}

function unused(): never {
  throw new Error('not in this test');
}

function nothing(): void {
  return undefined;
}

/** A machine that does what the test says. */
class FakeMachine implements Machine {
  readonly manifest = MANIFEST;
  readonly process = PROCESS;
  print: (text: string) => void = unused;
  fail: (why: string) => void = unused;
  exit: (exit: MachineExit) => void = unused;
  onReleased = nothing;
  remove: () => Promise<void> = () => Promise.resolve();
  readonly writeConsole = nothing;
  readonly listen = nothing;
  readonly signal = nothing;
  readonly start = (): Promise<void> => Promise.resolve();
  readonly pause = (): Promise<void> => Promise.resolve();
  readonly remember = (): Promise<void> => Promise.resolve();
  readonly isRunning = (): Promise<boolean> => Promise.resolve(true);
  readonly pressPowerButton = (): Promise<void> => Promise.resolve();
  readonly quit = (): Promise<void> => Promise.resolve();
  readonly cpuDemandMs = (): number => 0;
  readonly cpuUsedMs = (): number => 0;

  onConsole(listener: (bytes: Uint8Array) => void): void {
    this.print = (text) => listener(Buffer.from(text));
  }
  onFault(listener: (why: string) => void): void {
    this.fail = listener;
  }
  onExit(listener: (exit: MachineExit) => void): void {
    this.exit = listener;
  }
  async release(): Promise<void> {
    this.onReleased();
  }
}

interface Fixture {
  readonly kit: TestKit;
  readonly vm: Ref<VmMessage>;
  readonly events: HostEvent[];
  readonly notices: HostNotice[];
  /** How the actor ended, once it has. */
  readonly ended: () => string | undefined;
}

/** The actor of a VM, on a host that does what the test says. */
async function open(port: Partial<Hypervisor>, options: Partial<VmOptions> = {}): Promise<Fixture> {
  const kit = testKit();
  onTestFinished(() => kit.shutdown());
  const events: HostEvent[] = [];
  const notices: HostNotice[] = [];
  const hypervisor: Hypervisor = {
    ...{ prepare: unused, adopt: unused, list: unused, find: unused, end: unused, discard: unused },
    ...{ availableBytes: unused, connect: unused },
    ...port,
  };
  const behaviour = vmActor(
    {
      origin: 'new',
      spec: SPEC,
      bootTimeoutMs: 10_000,
      stopLimits: { consoleMs: 1, quitMs: 1, terminateMs: 1, killMs: 1 },
      logFolder: undefined,
      events: { path: '/events', tell: (event) => events.push(event) > 0 },
      relays: undefined,
      notices: { path: '/notices', tell: (notice) => notices.push(notice) > 0 },
      ...options,
    },
    hypervisor,
  );
  const vm = await kit.system.start(behaviour, { name: 'vm' });
  let ended: string | undefined;
  void kit.system.ended(vm).then(({ reason }) => {
    ended = reason.kind;
  });
  await kit.settle();
  return { kit, vm, events, notices, ended: () => ended };
}

async function answering(machine: FakeMachine, port: Partial<Hypervisor> = {}): Promise<Fixture> {
  const fixture = await open({ prepare: () => Promise.resolve(machine), ...port });
  fixture.vm.tell({ kind: 'start' });
  await fixture.kit.settle();
  machine.print(READY);
  await fixture.kit.settle();
  return fixture;
}

const FOUND: Pick<VmOptions, 'origin' | 'spec'> = { origin: 'found', spec: MANIFEST.spec };

function kinds(events: readonly { readonly kind: string }[]): readonly string[] {
  return events.map(({ kind }) => kind);
}

describe('the actor of a VM', () => {
  it('that is stopped while its machine is being prepared ends when that is done', async () => {
    const happened: string[] = [];
    const { promise, resolve } = Promise.withResolvers<Machine>();
    const { kit, vm } = await open({ prepare: () => promise });
    const stopped = kit.system.stop(vm).then(() => happened.push('ended'));
    await kit.settle();
    const machine = new FakeMachine();
    machine.onReleased = () => void happened.push('let go of');
    resolve(machine);
    await stopped;
    expect(happened).toEqual(['let go of', 'ended']);
  });

  it('hears of reports that have piled up the newest only', async () => {
    const machine = new FakeMachine();
    const { kit, events } = await answering(machine);
    machine.print(status(1));
    await kit.settle();
    machine.print([2, 3, 4, 5, 6, 7].map(status).join(''));
    await kit.settle();
    expect(events.flatMap((event) => (event.kind === 'vm-report' ? [event.report.seq] : []))).toEqual([1, 7]);
  });

  it('tells the digest of the image that its VM was made from', async () => {
    const { events } = await answering(new FakeMachine());
    expect(events[0]).toMatchObject({ kind: 'vm-prepared', imageDigest: 'digest' });
    const machine = new FakeMachine();
    const adopted = await open(
      { find: () => Promise.resolve({ kind: 'running', manifest: MANIFEST }), adopt: () => Promise.resolve(machine) },
      FOUND,
    );
    expect(adopted.events[0]).toMatchObject({ kind: 'vm-adopted', imageDigest: 'digest' });
  });

  it('goes on when a part beside its machine fails, and says so', async () => {
    const machine = new FakeMachine();
    const { kit, events, notices, ended } = await answering(machine);
    machine.fail('its console cannot be read: EIO');
    await kit.settle();
    expect(notices).toEqual([{ kind: 'vm-impaired', vm: 7, why: 'its console cannot be read: EIO' }]);
    machine.print(status(1));
    await kit.settle();
    expect(kinds(events)).toEqual(['vm-prepared', 'vm-booting', 'vm-answering', 'vm-report']);
    expect(ended()).toBeUndefined();
  });

  it.each([
    ['bad-service why=trap-at-start', 'the module trapped\n', 'bad-service (trap-at-start): the module trapped'],
    [
      'bad-service why=too-little-memory',
      '',
      'bad-service (too-little-memory); raise vm_memory_bytes, or `memoryMib` of its profile',
    ],
    [
      'bad-service why=out-of-memory',
      '',
      'bad-service (out-of-memory); raise vm_memory_bytes, or `memoryMib` of its profile',
    ],
    ['bad-argument', 'the module trapped\n', 'bad-argument'],
  ])('whose guest says bye, %s, tells what its log says of a service', async (bye, logged, told) => {
    const machine = new FakeMachine();
    const { kit, vm, events } = await open({ prepare: () => Promise.resolve(machine) });
    vm.tell({ kind: 'start' });
    await kit.settle();
    machine.print(`${logged}shoal1 bye reason=${bye}\n`);
    await kit.settle();
    machine.exit({ exitCode: 69, signal: null, stderr: '' });
    await kit.settle();
    const gone = events.find((event) => event.kind === 'vm-gone');
    expect(gone?.end.why).toBe(`the guest said bye: ${told}`);
  });

  it('whose run directory cannot be removed says so once, tells of the end and ends in order', async () => {
    const machine = new FakeMachine();
    let tries = 0;
    machine.remove = () => {
      tries += 1;
      return Promise.reject(new Error('EBUSY: resource busy or locked'));
    };
    const { kit, events, notices, ended } = await answering(machine);
    machine.exit({ exitCode: 1, signal: null, stderr: '' });
    await kit.advance(60_000);
    expect(notices).toEqual([{ kind: 'directory-left', vm: 7, why: 'EBUSY: resource busy or locked' }]);
    expect(kinds(events).filter((kind) => kind === 'vm-gone')).toEqual(['vm-gone']);
    expect([tries, ended()]).toEqual([1, 'normal']);
  });
});

describe('a VM that could not be prepared', () => {
  const failing: Pick<Hypervisor, 'prepare'> = { prepare: () => Promise.reject(new Error('no')) };

  it('is gone if nothing of it is left', async () => {
    const { events, ended } = await open({ ...failing, find: () => Promise.resolve(undefined) });
    expect(kinds(events)).toEqual(['vm-gone']);
    expect(ended()).toBe('normal');
  });

  it('is ended if its process runs, and gone only then', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const discarded: number[] = [];
    const { kit, events } = await open({
      ...failing,
      find: () => Promise.resolve({ kind: 'running', manifest: MANIFEST }),
      end: () => promise,
      discard: async (vm) => void discarded.push(vm),
    });
    expect(events).toEqual([]);
    resolve(true);
    await kit.settle();
    expect(kinds(events)).toEqual(['vm-gone']);
    expect(discarded).toEqual([7]);
  });

  it('is not taken for gone while it cannot be looked for', async () => {
    let find: () => Promise<Found | undefined> = () => Promise.reject(new Error('EMFILE: too many open files'));
    const { kit, events, notices } = await open({ ...failing, find: () => find() });
    await kit.advance(30_000);
    expect(events).toEqual([]);
    expect(notices).toEqual([{ kind: 'vm-unidentified', vm: 7, why: 'EMFILE: too many open files' }]);
    find = () => Promise.resolve(undefined);
    await kit.advance(1_000);
    expect(kinds(events)).toEqual(['vm-gone']);
  });
});

describe('a VM that was found running', () => {
  it('is left alone while it cannot be looked at, with one notice, and adopted as soon as it can', async () => {
    let find: () => Promise<Found> = () => Promise.reject(new Error('EMFILE: too many open files'));
    const machine = new FakeMachine();
    const adopting = await open({ find: () => find(), adopt: () => Promise.resolve(machine) }, FOUND);
    await adopting.kit.advance(30_000);
    expect(adopting.events).toEqual([]);
    expect(adopting.notices).toHaveLength(1);
    expect(adopting.ended()).toBeUndefined();
    find = () => Promise.resolve({ kind: 'running', manifest: MANIFEST });
    adopting.vm.tell({ kind: 'announce' });
    await adopting.kit.advance(1_000);
    expect(kinds(adopting.events)).toEqual(['vm-adopted']);
  });

  it('lets go of its machine if that does not say whether it runs, and tries again', async () => {
    const machines = [new FakeMachine(), new FakeMachine()];
    const released: number[] = [];
    for (const [at, machine] of machines.entries()) machine.onReleased = () => void released.push(at);
    const [silent] = machines;
    if (silent !== undefined) Object.assign(silent, { isRunning: () => Promise.reject(new Error('QMP_TIMEOUT')) });
    let adoptions = 0;
    const { kit, events } = await open(
      {
        find: () => Promise.resolve({ kind: 'running', manifest: MANIFEST }),
        adopt: async () => machines[adoptions++] ?? unused(),
      },
      FOUND,
    );
    expect(released).toEqual([0]);
    await kit.advance(1_000);
    expect(kinds(events)).toEqual(['vm-adopted']);
    expect(released).toEqual([0]);
  });

  it('and whose run directory somebody has removed is ended, confirmed gone, and told of', async () => {
    const orphan: Found = { kind: 'orphan', vm: 7, directory: '/run/7', process: PROCESS };
    const ended: unknown[] = [];
    let isThere = true;
    const { events, notices } = await open(
      {
        find: () => Promise.resolve(isThere ? orphan : undefined),
        end: async (process) => {
          ended.push(process);
          isThere = false;
          return true;
        },
        discard: () => Promise.resolve(),
      },
      FOUND,
    );
    expect(ended).toEqual([PROCESS]);
    expect(notices).toMatchObject([{ kind: 'vm-orphaned', vm: 7, why: expect.stringContaining('/run/7') }]);
    expect(events).toMatchObject([{ kind: 'vm-gone', vm: 7, end: { why: expect.stringContaining('/run/7') } }]);
  });

  it('and does not end keeps its address', async () => {
    const orphan: Found = { kind: 'orphan', vm: 7, directory: '/run/7', process: PROCESS };
    const { kit, events, notices } = await open(
      { find: () => Promise.resolve(orphan), end: () => Promise.resolve(false) },
      FOUND,
    );
    await kit.advance(30_000);
    expect(events).toEqual([]);
    expect(kinds(notices)).toEqual(['vm-unidentified']);
  });
});
