import type { Ref } from '../../actors/mod.ts';
import type { VmId } from '../../fleet/mod.ts';
import { type ChildReply, child, type SupervisorMessage } from '../../supervisor/mod.ts';
import type { MachineSpec } from '../port.ts';
import type { VmHome, VmTask } from '../shards/vm-home.ts';
import type { HostVmEvent } from '../vm/vm-events.ts';
import type { VmMessage } from '../vm/vm-messages.ts';
import type { VmSummary } from './controller-messages.ts';

/** Commands that no loss of a message, an actor or a thread may undo; hearing one twice does no harm. */
export type LastingCommand = Extract<VmMessage, { kind: 'start' | 'stop' | 'announce' }>;

export interface VmTableOptions {
  /** The supervisor of all VMs. */
  readonly supervisor: Ref<SupervisorMessage>;
  readonly home: VmHome;
  /** The actor of a VM could not be started, and nothing more is heard of that VM. */
  readonly onStartFailed: (vm: VmId, origin: VmTask['origin'], why: string) => void;
}

/** Of each VM. They do not share this limit: a shard that is lost is a crash for each VM on it. */
const VM_RESTARTS = { intensity: 20, periodMs: 10_000 };

const START: LastingCommand = { kind: 'start' };
/** Nearly all VMs have these. */
const NO_COMMANDS: readonly LastingCommand[] = [];
const ONLY_START: readonly LastingCommand[] = [START];
/** Before the id of the VM. */
const NAME = 'vm-';

interface Entry {
  readonly spec: MachineSpec;
  pid: number | undefined;
  shard: number | undefined;
  ref: Ref<VmMessage> | undefined;
  /** The lasting commands so far, the last of each kind: an actor that takes another's place is told them again. */
  commands: readonly LastingCommand[];
  /** Made when somebody waits for it. */
  onRemoved: (() => void)[] | undefined;
}

/** The VMs of a host that have an actor. */
export class VmTable {
  readonly #options: VmTableOptions;
  readonly #entries = new Map<VmId, Entry>();
  /** Of all VMs: whose actor starts, its name says. */
  readonly #onRef = (ref: Ref<VmMessage>): void => {
    const entry = this.#entries.get(vmOf(ref.path));
    if (entry === undefined) return;
    entry.ref = ref;
    for (const command of entry.commands) ref.tell(command);
  };

  constructor(options: VmTableOptions) {
    this.#options = options;
  }

  get ids(): readonly VmId[] {
    return [...this.#entries.keys()];
  }

  get summaries(): readonly VmSummary[] {
    return [...this.#entries.values()].map(({ spec, pid, shard }) => {
      const { vm, address, imageDigest, accelerator, network = 'user', qemu } = spec;
      return { vm, address, imageDigest, accelerator, network, qemu, pid, shard };
    });
  }

  has(vm: VmId): boolean {
    return this.#entries.has(vm);
  }

  /** Undefined while the VM has no actor. */
  ref(vm: VmId): Ref<VmMessage> | undefined {
    return this.#entries.get(vm)?.ref;
  }

  add(task: VmTask): void {
    const { spec, origin } = task;
    const { vm } = spec;
    const entry: Entry = {
      spec,
      pid: undefined,
      shard: undefined,
      ref: undefined,
      commands: NO_COMMANDS,
      onRemoved: undefined,
    };
    this.#entries.set(vm, entry);
    const onShard = (shard: number): void => {
      entry.shard = shard;
    };
    const childSpec = child({
      id: childId(vm),
      ...this.#options.home.actor(task, onShard),
      // Transient: an actor that crashed comes back and adopts its VM; one whose VM is gone does not.
      restart: 'transient',
      restartLimit: VM_RESTARTS,
      onRef: this.#onRef,
    });
    this.#options.supervisor.tell({ kind: 'start-child', spec: childSpec, replyTo: this.#onStarted(vm, origin) });
  }

  tell(vm: VmId, command: LastingCommand): void {
    const entry = this.#entries.get(vm);
    if (entry === undefined) return;
    entry.commands = withLast(entry.commands, command);
    entry.ref?.tell(command);
  }

  /** Takes from an event what the table shows. */
  see(event: HostVmEvent): void {
    const entry = this.#entries.get(event.vm);
    if (entry === undefined) return;
    if (event.kind === 'vm-prepared' || event.kind === 'vm-adopted') entry.pid = event.pid;
  }

  /** The VM was told of: an actor in its place need not tell of it again. */
  announced(vm: VmId): void {
    const entry = this.#entries.get(vm);
    if (entry !== undefined) entry.commands = entry.commands.filter(({ kind }) => kind !== 'announce');
  }

  remove(vm: VmId): void {
    const entry = this.#entries.get(vm);
    if (entry === undefined) return;
    this.#entries.delete(vm);
    this.#options.supervisor.tell({ kind: 'terminate-child', id: childId(vm) });
    this.#options.supervisor.tell({ kind: 'delete-child', id: childId(vm) });
    for (const resolve of entry.onRemoved ?? []) resolve();
  }

  /** Resolves when each VM that is in the table now has been removed. */
  async whenAllRemoved(): Promise<void> {
    const entries = [...this.#entries.values()];
    await Promise.all(
      entries.map((entry) => {
        return new Promise<void>((resolve) => {
          entry.onRemoved ??= [];
          entry.onRemoved.push(resolve);
        });
      }),
    );
  }

  #onStarted(vm: VmId, origin: VmTask['origin']): Ref<ChildReply> {
    const tell = (reply: ChildReply): boolean => {
      if (reply.ok) return true;
      this.remove(vm);
      this.#options.onStartFailed(vm, origin, `its actor could not be started: ${reply.error.message}`);
      return true;
    };
    return { path: `/${childId(vm)}/started`, tell };
  }
}

/** In the place of the one of its kind. */
function withLast(commands: readonly LastingCommand[], command: LastingCommand): readonly LastingCommand[] {
  if (commands.length === 0 && command.kind === 'start') return ONLY_START;
  const at = commands.findIndex(({ kind }) => kind === command.kind);
  return at < 0 ? [...commands, command] : commands.with(at, command);
}

function childId(vm: VmId): string {
  return `${NAME}${vm}`;
}

function vmOf(path: string): VmId {
  return Number(path.slice(path.lastIndexOf(NAME) + NAME.length));
}
