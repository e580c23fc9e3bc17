import type { Behaviour, Context, Ref } from '../../actors/mod.ts';
import { HOST_MAILBOX_MAX, type VmId } from '../../fleet/mod.ts';
import { type SupervisorMessage, supervisor } from '../../supervisor/mod.ts';
import type { HostNotice } from '../notices.ts';
import { RelayIntake } from '../relay/relay-intake.ts';
import { homeHere, type VmTask } from '../shards/vm-home.ts';
import type { HostVmEvent } from '../vm/vm-events.ts';
import type { RelayedLine } from '../vm/vm-messages.ts';
import type { ControllerMessage } from './controller-messages.ts';
import type { ControllerOptions, OnStop } from './controller-options.ts';
import { GuestLogs, logFolderOf } from './guest-logs.ts';
import { HostStats, type MeasureAgain } from './host-stats.ts';
import { Reconciliation } from './reconciliation.ts';
import { stopAll } from './stop-all.ts';
import { VmCommands, type VmFound } from './vm-commands.ts';
import { VmStarter } from './vm-starter.ts';
import { VmTable } from './vm-table.ts';

type ControllerInput = ControllerMessage | VmFound | MeasureAgain | { readonly kind: 'scan' | 'look-again' };

/**
 * The controller of a host: an actor for each VM, under a supervisor of their own. When it starts it adopts the VMs
 * that run, cleans up after those that are gone, and reports what it cannot identify. It needs a shutdown limit of
 * more than the sum of its stop limits. The next incarnation adopts what the last one left.
 */
export function controller(options: ControllerOptions): Behaviour<ControllerMessage> {
  return async (context) => {
    const notices = options.notices ?? { path: '/no-notices', tell: () => true };
    const logFolder = await logFolderOf(options.logFolder, (why) => notices.tell({ kind: 'host-impaired', why }));
    const vms = await context.start(supervisor({ strategy: 'one_for_one', children: [], ...RESTARTS }), {
      name: 'vms',
      capacity: HOST_MAILBOX_MAX,
    });
    // The actor sends itself more than others may.
    const body = new Controller({ ...options, notices }, logFolder, context as Context<ControllerInput>, vms);
    context.onStop(() => body.stop(), 'before-children');
    await body.scan();
    return (message) => body.receive(message);
  };
}

/** A crash is a defect of Shoal, and usually met by many VMs at once. */
const RESTARTS = { intensity: 50, periodMs: 10_000 };
const SCAN_AGAIN_MS = 1_000;
const LOOK_AGAIN_MS = 10_000;

type Options = ControllerOptions & { readonly notices: Ref<HostNotice> };

class Controller {
  readonly #options: Options;
  readonly #context: Context<ControllerInput>;
  readonly #vms: VmTable;
  readonly #starter: VmStarter;
  readonly #reconciliation: Reconciliation;
  readonly #commands: VmCommands;
  readonly #stats: HostStats;
  readonly #logs: GuestLogs;
  readonly #relays: RelayIntake;
  #onStop: OnStop;

  constructor(
    options: Options,
    logFolder: string | undefined,
    context: Context<ControllerInput>,
    supervisor: Ref<SupervisorMessage>,
  ) {
    const { host, hypervisor, home = homeHere(hypervisor), events, notices } = options;
    const { path } = context.self;
    this.#options = options;
    this.#context = context;
    this.#onStop = options.onStop ?? 'stop-vms';
    const vms = new VmTable({ supervisor, home, onStartFailed: (...failure) => this.#startFailed(...failure) });
    this.#vms = vms;
    this.#starter = new VmStarter({
      ...options,
      ...{ vms, logFolder },
      // Not through the mailbox: while the controller stops, the ends of its VMs must still be seen and passed on.
      events: { path: `${path}/events`, tell: (event) => this.#pass(event) },
      relays: { path: `${path}/relays`, tell: (line) => this.#relayed(line) },
      notices: { path: `${path}/notices`, tell: (notice) => this.#passNotice(notice) },
    });
    this.#stats = new HostStats({ context, hypervisor, events, notices, intervalMs: options.statsIntervalMs });
    this.#reconciliation = new Reconciliation({
      ...{ host, hypervisor, vms, events, notices },
      adopt: (manifest) => this.#starter.adopt(manifest),
      onUnknown: () => context.after(LOOK_AGAIN_MS, { kind: 'look-again' }),
      measure: () => this.#stats.measure(this.#starter.parameters.memoryMib),
    });
    this.#commands = new VmCommands({ context, hypervisor, vms, reconciliation: this.#reconciliation });
    this.#logs = new GuestLogs(logFolder, vms, context.clock);
    this.#relays = new RelayIntake({
      ...{ desk: options.relayDesk, clock: context.clock, notices },
      obey: (command) => this.#commands.obey(command),
    });
  }

  async scan(): Promise<void> {
    if (!(await this.#reconciliation.scan())) this.#context.after(SCAN_AGAIN_MS, { kind: 'scan' });
  }

  receive(message: ControllerInput): void | Promise<void> {
    switch (message.kind) {
      case 'prepare':
        return this.#starter.prepare(message.vm, message.address, message.image);
      case 'start':
      case 'stop':
        return this.#commands.obey(message);
      case 'listen':
      case 'boot-spare':
        this.#vms.ref(message.vm)?.tell({ kind: message.kind });
        return;
      case 'found':
        return this.#commands.settle(message);
      case 'announce':
        return this.#reconciliation.announce(message.census);
      case 'scan':
        return this.scan();
      case 'look-again':
        // It never rejects, and nothing waits for it.
        void this.#reconciliation.lookAgain();
        return;
      case 'measure':
        // It never rejects, and nothing waits for it.
        void this.#stats.measure(this.#starter.parameters.memoryMib);
        return;
      case 'set-parameters':
        this.#starter.setParameters(message.parameters);
        // What VMs come to take counts for the next start (R3), not for one in a second.
        if (message.parameters.memoryMib !== undefined) void this.#stats.measure(message.parameters.memoryMib);
        return;
      case 'set-on-stop':
        this.#onStop = message.onStop;
        message.replyTo?.tell(true);
        return;
      case 'vms':
        message.replyTo.tell(this.#vms.summaries);
        return;
      default:
        return this.#logs.receive(message);
    }
  }

  async stop(): Promise<void> {
    const { stopLimits } = this.#starter.parameters;
    if (this.#onStop !== 'stop-vms') return;
    await Promise.all([stopAll(this.#vms, stopLimits, this.#context.clock), this.#reconciliation.endUnknown()]);
  }

  /** The VM of a new actor may be half made: it is looked for and ended. A VM that was found is left alone. */
  #startFailed(vm: VmId, origin: VmTask['origin'], why: string): void {
    if (origin === 'new') this.#commands.obey({ kind: 'stop', vm, reason: 'prepare-failed', why });
    else this.#reconciliation.leaveAlone(vm, why);
  }

  #pass(event: HostVmEvent): boolean {
    const { vm } = event;
    this.#vms.see(event);
    if (event.kind === 'vm-gone') {
      this.#vms.remove(vm);
      this.#relays.forget(vm);
      this.#logs.ended(vm);
    }
    const taken = this.#options.events.tell(event);
    if (event.kind === 'vm-adopted' || event.kind === 'vm-gone') this.#reconciliation.told(vm);
    return taken;
  }

  #relayed(line: RelayedLine): boolean {
    this.#relays.take(line);
    return true;
  }

  #passNotice(notice: HostNotice): boolean {
    const taken = this.#options.notices.tell(notice);
    if (notice.kind === 'vm-unidentified') this.#reconciliation.told(notice.vm);
    return taken;
  }
}
