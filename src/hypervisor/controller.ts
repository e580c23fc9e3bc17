import { type Behaviour, type CancelTimer, type Context, msToNext, type Ref } from '../actors/mod.ts';
import { type ErrorEnvelope, ShoalError, toEnvelope } from '../errors.ts';
import type { Address, HostCommand, HostEvent, VmId } from '../fleet/mod.ts';
import { type ChildReply, child, type SupervisorMessage, supervisor } from '../supervisor/mod.ts';
import { type LogLine, makeLogFolder, pruneLogs, readLog } from './console/guest-log.ts';
import type { Accelerator, Found, Hypervisor, MachineSpec, Manifest } from './port.ts';
import { homeHere, type VmHome } from './shards/vm-home.ts';
import type { VmOptions } from './vm/vm-actor.ts';
import type { HostNotice, LogBatch, RelayedLine, VmMessage } from './vm/vm-messages.ts';
import type { StopLimits } from './vm/vm-state.ts';

/** What the VMs of a host are made from. A change counts for VMs prepared from then on. */
export interface VmParameters {
  readonly image: string;
  /** SHA-256 of the image's bytes (`inspectImage`). */
  readonly imageDigest: string;
  readonly accelerator: Accelerator;
  readonly memoryMib: number;
  readonly statusIntervalMs: number;
  readonly bootTimeoutMs: number;
  readonly textBytesMax: number;
  readonly stopLimits: StopLimits;
}

/** From the command to the console to the confirmation of a SIGKILL. */
export const STOP_LIMITS: StopLimits = { consoleMs: 2_000, quitMs: 1_000, terminateMs: 1_000, killMs: 5_000 };
export const MEMORY_MIB = 16;

export interface ControllerOptions {
  readonly host: string;
  readonly hypervisor: Hypervisor;
  /** Where the actors of VMs live; default: on this thread. */
  readonly home?: VmHome;
  readonly parameters: VmParameters;
  /** Told of every event of every VM, each VM's in order. */
  readonly events: Ref<HostEvent>;
  /** Told of what somebody should look at. */
  readonly notices?: Ref<HostNotice>;
  /** Told of the commands that guests pass on (rule R10). */
  readonly relays?: Ref<RelayedLine>;
  /** Where the logs of guests are kept, those of VMs that are gone too; without it they live in memory only. */
  readonly logFolder?: string;
  /** Ends the VMs that are found running instead of adopting them; default false. */
  readonly fresh?: boolean;
  /** What happens to the VMs when the controller ends, in order or not; default `stop-vms`. After a crash of the process they always go on. */
  readonly onStop?: OnStop;
  /** How often `host-stats` is told; default 1000. */
  readonly statsIntervalMs?: number;
}

export type OnStop = 'stop-vms' | 'keep-vms';

export type ControllerMessage =
  | Exclude<HostCommand, { kind: 'stop' }>
  /** @param graceMs how long the guest may take to finish its work once it was asked to stop */
  | (Extract<HostCommand, { kind: 'stop' }> & { readonly graceMs?: number })
  /** Whoever is told the events knows nothing any more: all VMs are told of as if they had been found, then comes `host-up`. */
  | { readonly kind: 'announce' }
  | { readonly kind: 'set-parameters'; readonly parameters: Partial<VmParameters> }
  | { readonly kind: 'set-on-stop'; readonly onStop: OnStop; readonly replyTo?: Ref<true> }
  | { readonly kind: 'vms'; readonly replyTo: Ref<readonly VmSummary[]> }
  /** The last lines of a guest's log, oldest first; of a VM that is gone too, if its log is kept. */
  | { readonly kind: 'logs'; readonly vm: VmId; readonly linesMax: number; readonly replyTo: Ref<readonly LogLine[]> }
  | { readonly kind: 'follow-logs'; readonly vm: VmId; readonly to: Ref<LogBatch> }
  | { readonly kind: 'unfollow-logs'; readonly vm: VmId; readonly to: Ref<LogBatch> };

/** One VM that the controller has in hand. */
export interface VmSummary {
  readonly vm: VmId;
  readonly address: Address;
  /** Undefined until its process is known. */
  readonly pid: number | undefined;
  /** The thread on which it is watched; undefined on the main thread, and while it is being started. */
  readonly shard: number | undefined;
}

type Input =
  | ControllerMessage
  | { readonly kind: 'looked'; readonly command: StartOrStop; readonly found: Found | undefined }
  | { readonly kind: 'count' };
type VmEvent = Extract<HostEvent, { readonly vm: VmId }>;
type StartOrStop = Extract<ControllerMessage, { kind: 'start' | 'stop' }>;
/** What no loss of a message, an actor or a thread may undo; to hear it twice does no harm. */
type Command = Extract<VmMessage, { kind: 'start' | 'stop' | 'announce' }>;

/**
 * The controller of a host: an actor for each VM, under a supervisor of their own. When it starts it adopts what runs, cleans up what is
 * gone, and reports what it cannot identify. It needs a shutdown limit of more than the sum of its stop limits. The next
 * incarnation adopts what the last one left.
 */
export function controller(options: ControllerOptions): Behaviour<ControllerMessage> {
  return async (context) => {
    if (options.logFolder !== undefined) await makeLogFolder(options.logFolder);
    const vms = await context.start(supervisor({ strategy: 'one_for_one', children: [], ...RESTARTS }), {
      name: 'vms',
    });
    // The actor sends itself more than others may.
    const body = new Controller(options, context as Context<Input>, vms);
    context.onStop(() => body.stop(), 'before-children');
    await body.takeStock();
    return (message) => body.receive(message);
  };
}

/** A crash is a defect of ours, and usually met by many VMs at once. */
const RESTARTS = { intensity: 50, periodMs: 10_000 };
/** Of one VM. They do not share this limit: a shard that is lost is a crash for each VM on it. */
const VM_RESTARTS = { intensity: 20, periodMs: 10_000 };
/** What the last stage of a stop may take beyond its limit, before we leave a process to the next start. */
const STOP_MARGIN_MS = 5_000;
const STATS_INTERVAL_MS = 1_000;
const MIB = 1024 * 1024;
/** What QEMU takes besides the guest's memory: 13 to 16 MB were measured with 30 VMs, as their share of all that they share. */
const QEMU_OWN_BYTES = 16 * MIB;

interface Entry {
  readonly address: Address;
  pid: number | undefined;
  shard: number | undefined;
  ref: Ref<VmMessage> | undefined;
  /** What it has been told, at most once each: an actor that takes another's place is told again, since its thread may be lost with the message. */
  readonly told: Map<Command['kind'], Command>;
  readonly whenGone: (() => void)[];
}

class Controller {
  readonly #options: ControllerOptions;
  readonly #context: Context<Input>;
  readonly #supervisor: Ref<SupervisorMessage>;
  readonly #home: VmHome;
  readonly #vms = new Map<VmId, Entry>();
  readonly #events: Ref<VmEvent>;
  readonly #notices: Ref<HostNotice>;
  /** VMs that were found and have not been told of yet. */
  readonly #untold = new Set<VmId>();
  /** VMs that something is there of, and nobody can say what. */
  readonly #unknown = new Set<VmId>();
  #up = false;
  #cancelCount: CancelTimer = () => undefined;
  #parameters: VmParameters;
  #onStop: OnStop;

  constructor(options: ControllerOptions, context: Context<Input>, vms: Ref<SupervisorMessage>) {
    this.#options = options;
    this.#context = context;
    this.#supervisor = vms;
    this.#home = options.home ?? homeHere(options.hypervisor);
    this.#parameters = options.parameters;
    this.#onStop = options.onStop ?? 'stop-vms';
    // Not through the mailbox: while the controller stops, the ends of its VMs must still be seen and passed on.
    this.#events = { path: `${context.self.path}/events`, tell: (event) => this.#pass(event) };
    this.#notices = { path: `${context.self.path}/notices`, tell: (notice) => this.#passNotice(notice) };
  }

  async takeStock(): Promise<void> {
    const all = await this.#options.hypervisor.list();
    for (const found of all) {
      if (found.kind === 'gone') await this.#cleanUp(found.manifest);
      else if (found.kind === 'unknown') this.#report(found);
    }
    const running = all.flatMap((found) => (found.kind === 'running' ? [found.manifest] : []));
    for (const { spec } of running) this.#untold.add(spec.vm);
    for (const manifest of running) this.#takeOver(manifest);
    this.#upIfAllTold();
  }

  #report({ vm, directory, why }: Extract<Found, { kind: 'unknown' }>): void {
    if (vm !== undefined) this.#unknown.add(vm);
    this.#options.notices?.tell({ kind: 'unknown-found', directory, why });
  }

  receive(message: Input): void {
    switch (message.kind) {
      case 'prepare':
        this.#prepare(message.vm, message.address);
        return;
      case 'start':
      case 'stop':
        this.#startOrStop(message);
        return;
      case 'looked':
        this.#looked(message.command, message.found);
        return;
      case 'set-parameters':
        this.#parameters = { ...this.#parameters, ...message.parameters };
        return;
      case 'announce':
        return this.#announce();
      case 'set-on-stop':
        this.#onStop = message.onStop;
        message.replyTo?.tell(true);
        return;
      case 'vms':
        message.replyTo.tell([...this.#vms].map(([vm, { address, pid, shard }]) => ({ vm, address, pid, shard })));
        return;
      case 'count':
        this.#count();
        return;
      case 'logs':
        this.#logs(message);
        return;
      case 'follow-logs':
        this.#follow(message.vm, message.to);
        return;
      case 'unfollow-logs':
        this.#vms.get(message.vm)?.ref?.tell({ kind: 'unfollow', to: message.to });
        return;
    }
  }

  /** All VMs at once, and no longer than the stages of a stop may take. */
  async stop(): Promise<void> {
    if (this.#onStop === 'keep-vms' || this.#vms.size === 0) return;
    const { consoleMs, quitMs, terminateMs, killMs } = this.#parameters.stopLimits;
    const limitMs = consoleMs + quitMs + terminateMs + killMs + STOP_MARGIN_MS;
    const allGone = Promise.all([...this.#vms.keys()].map((vm) => this.#gone(vm)));
    for (const vm of this.#vms.keys()) this.#tell(vm, { kind: 'stop', why: 'Shoal was stopped' });
    let cancel = (): void => undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = this.#context.clock.timer(limitMs, resolve);
    });
    await Promise.race([allGone, limit]);
    cancel();
  }

  #announce(): void {
    this.#up = false;
    for (const vm of this.#vms.keys()) {
      this.#untold.add(vm);
      this.#tell(vm, { kind: 'announce' });
    }
    this.#upIfAllTold();
  }

  #gone(vm: VmId): Promise<void> {
    return new Promise((resolve) => {
      this.#vms.get(vm)?.whenGone.push(resolve);
    });
  }

  #prepare(vm: VmId, address: Address): void {
    // A command that was repeated.
    if (this.#vms.has(vm)) return;
    const { image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax } = this.#parameters;
    const spec: MachineSpec = {
      vm,
      address,
      image,
      imageDigest,
      accelerator,
      memoryMib,
      statusIntervalMs,
      textBytesMax,
    };
    this.#add(spec, { kind: 'new', spec });
  }

  #takeOver(manifest: Manifest): void {
    const { vm } = manifest.spec;
    this.#unknown.delete(vm);
    this.#add(manifest.spec, { kind: 'found', manifest });
    if (this.#options.fresh === true) this.#tell(vm, { kind: 'stop', why: 'Shoal was started afresh' });
  }

  #add({ vm, address }: MachineSpec, origin: VmOptions['origin']): void {
    const entry: Entry = { address, pid: undefined, shard: undefined, ref: undefined, told: new Map(), whenGone: [] };
    this.#vms.set(vm, entry);
    const { host, logFolder, relays } = this.#options;
    const { bootTimeoutMs, stopLimits } = this.#parameters;
    const [events, notices] = [this.#events, this.#notices];
    const task = { host, origin, bootTimeoutMs, stopLimits, logFolder, events, relays, notices };
    const onShard = (shard: number): void => {
      entry.shard = shard;
    };
    const onRef = (ref: Ref<VmMessage>): void => {
      entry.ref = ref;
      for (const message of entry.told.values()) ref.tell(message);
    };
    // Transient: an actor that crashed comes back and adopts its VM, one whose VM is gone does not.
    const actor = child({ id: 'vm', ...this.#home.actor(task, onShard), restart: 'transient', onRef });
    const start = supervisor({ strategy: 'one_for_one', children: [actor], ...VM_RESTARTS });
    const spec = child({ id: childId(vm), start, restart: 'transient' });
    this.#supervisor.tell({ kind: 'start-child', spec, replyTo: this.#onStarted(vm, origin.kind) });
  }

  /** No actor, no word of its VM: of one that is new we look what there is of it and end that, one that was found is left alone. */
  #onStarted(vm: VmId, origin: VmOptions['origin']['kind']): Ref<ChildReply> {
    const tell = (reply: ChildReply): boolean => {
      if (reply.ok) return true;
      this.#forget(vm);
      const why = `its actor could not be started: ${reply.error.message}`;
      if (origin === 'new') this.#startOrStop({ kind: 'stop', vm, why });
      else this.#leaveAlone(vm, why);
      return true;
    };
    return { path: `${this.#context.self.path}/started`, tell };
  }

  #startOrStop(command: StartOrStop): void {
    if (this.#vms.has(command.vm)) {
      this.#tell(command.vm, command);
      return;
    }
    // None of ours; but the server frees its address by our word, so we look before we say so.
    this.#context.pipe(
      this.#options.hypervisor.find(command.vm),
      (found) => ({ kind: 'looked', command, found }),
      (error) => ({
        kind: 'looked',
        command,
        found: { kind: 'unknown', directory: '', vm: command.vm, why: String(error) },
      }),
    );
  }

  #looked(command: StartOrStop, found: Found | undefined): void {
    const { vm } = command;
    if (this.#vms.has(vm)) this.#tell(vm, command);
    else if (found === undefined) this.#tellUnknown(vm);
    else if (found.kind === 'gone') void this.#cleanUp(found.manifest);
    else if (found.kind === 'unknown') this.#leaveAlone(vm, found.why);
    else {
      this.#takeOver(found.manifest);
      this.#tell(vm, command);
    }
  }

  /** It may run: `host-up` names it, so that nobody takes its address for free. */
  #leaveAlone(vm: VmId, why: string): void {
    this.#unknown.add(vm);
    this.#passNotice({ kind: 'vm-unidentified', vm, why });
  }

  #tell(vm: VmId, message: Command): void {
    const entry = this.#vms.get(vm);
    entry?.told.set(message.kind, message);
    entry?.ref?.tell(message);
  }

  #pass(event: VmEvent): boolean {
    const entry = this.#vms.get(event.vm);
    if (entry !== undefined && (event.kind === 'vm-prepared' || event.kind === 'vm-adopted')) entry.pid = event.pid;
    if (event.kind === 'vm-gone') this.#forget(event.vm);
    const taken = this.#options.events.tell(event);
    if (event.kind === 'vm-adopted' || event.kind === 'vm-gone') this.#told(event.vm);
    return taken;
  }

  #passNotice(notice: HostNotice): boolean {
    const taken = this.#options.notices?.tell(notice) ?? true;
    if (notice.kind === 'vm-unidentified') this.#told(notice.vm);
    return taken;
  }

  #told(vm: VmId): void {
    this.#vms.get(vm)?.told.delete('announce');
    if (this.#untold.delete(vm)) this.#upIfAllTold();
  }

  /** `host-up` comes after the news of all that was found, so that what it does not name is gone. */
  #upIfAllTold(): void {
    if (this.#up || this.#untold.size > 0) return;
    this.#up = true;
    const { host, events } = this.#options;
    events.tell({ kind: 'host-up', host, vms: [...new Set([...this.#vms.keys(), ...this.#unknown])] });
    this.#count();
  }

  /** What a VM may come to: all of its memory, and QEMU's own. */
  #count(): void {
    const { host, events, hypervisor, statsIntervalMs = STATS_INTERVAL_MS } = this.#options;
    this.#cancelCount();
    this.#cancelCount = this.#context.after(msToNext(this.#context.clock.monotonic(), statsIntervalMs), {
      kind: 'count',
    });
    const vmBytes = this.#parameters.memoryMib * MIB + QEMU_OWN_BYTES;
    hypervisor.availableBytes().then(
      (availableBytes) => events.tell({ kind: 'host-stats', host, availableBytes, vmBytes }),
      // A host that cannot be measured says nothing, and after a while counts as out of reach.
      () => undefined,
    );
  }

  #forget(vm: VmId): void {
    const entry = this.#vms.get(vm);
    if (entry === undefined) return;
    this.#vms.delete(vm);
    this.#supervisor.tell({ kind: 'terminate-child', id: childId(vm) });
    this.#supervisor.tell({ kind: 'delete-child', id: childId(vm) });
    for (const resolve of entry.whenGone) resolve();
    const { logFolder } = this.#options;
    // Old logs that cannot be removed are removed the next time.
    if (logFolder !== undefined) void pruneLogs(logFolder, new Set(this.#vms.keys())).catch(() => undefined);
  }

  /** The directory of a VM whose process is gone. The server is told: its address is free. */
  async #cleanUp(manifest: Manifest): Promise<void> {
    const { vm } = manifest.spec;
    try {
      await this.#options.hypervisor.discard(manifest);
    } catch (error) {
      // Nobody could prepare a VM with that id again; the address, though, is free.
      this.#report({
        kind: 'unknown',
        directory: String(vm),
        vm: undefined,
        why: `it cannot be removed: ${String(error)}`,
      });
    }
    this.#tellGone(vm, 'its process was gone when Shoal came back', undefined);
  }

  #tellUnknown(vm: VmId): void {
    const { host } = this.#options;
    const error = new ShoalError('VM_UNKNOWN', `Host ${host} has no VM ${vm}`, { details: { host, vm } });
    this.#tellGone(vm, 'this host has no such VM', toEnvelope(error));
  }

  #tellGone(vm: VmId, why: string, error: ErrorEnvelope | undefined): void {
    const { host, events } = this.#options;
    const end = { clean: false, why, exitCode: null };
    events.tell({ kind: 'vm-gone', host, vm, end, ...(error === undefined ? {} : { error }) });
    this.#unknown.delete(vm);
    this.#told(vm);
  }

  #logs({ vm, linesMax, replyTo }: Extract<ControllerMessage, { kind: 'logs' }>): void {
    const ref = this.#vms.get(vm)?.ref;
    const { logFolder } = this.#options;
    if (ref?.tell({ kind: 'logs', linesMax, replyTo }) === true) return;
    if (logFolder === undefined) {
      replyTo.tell([]);
      return;
    }
    readLog(logFolder, vm, linesMax).then(
      (lines) => replyTo.tell(lines),
      () => replyTo.tell([]),
    );
  }

  #follow(vm: VmId, to: Ref<LogBatch>): void {
    const ref = this.#vms.get(vm)?.ref;
    if (ref?.tell({ kind: 'follow', to }) !== true) to.tell({ vm, lines: [], ended: true });
  }
}

function childId(vm: VmId): string {
  return `vm-${vm}`;
}
