import { type Behaviour, type CancelTimer, type Context, msToNext, type Ref } from '../../actors/mod.ts';
import type { Address, VmId } from '../../fleet/mod.ts';
import { type SupervisorMessage, supervisor } from '../../supervisor/mod.ts';
import type { HostNotice } from '../notices.ts';
import { homeHere, type VmTask } from '../shards/vm-home.ts';
import type { HostVmEvent } from '../vm/vm-events.ts';
import type { ControllerMessage } from './controller-messages.ts';
import type { ControllerOptions, OnStop, VmParameters } from './controller-options.ts';
import { GuestLogs, logFolderOf } from './guest-logs.ts';
import { HostStats } from './host-stats.ts';
import { Reconciliation } from './reconciliation.ts';
import { stopAll } from './stop-all.ts';
import { VmCommands, type VmFound } from './vm-commands.ts';
import { VmTable } from './vm-table.ts';

type ControllerInput = ControllerMessage | VmFound | { readonly kind: 'scan' } | { readonly kind: 'measure' };

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
const STATS_INTERVAL_MS = 1_000;
const SCAN_AGAIN_MS = 1_000;

type Options = ControllerOptions & { readonly notices: Ref<HostNotice> };

class Controller {
  readonly #options: Options;
  readonly #context: Context<ControllerInput>;
  readonly #vms: VmTable;
  readonly #reconciliation: Reconciliation;
  readonly #commands: VmCommands;
  readonly #stats: HostStats;
  readonly #logs: GuestLogs;
  // Not through the mailbox: while the controller stops, the ends of its VMs must still be seen and passed on.
  readonly #events: Ref<HostVmEvent>;
  readonly #notices: Ref<HostNotice>;
  #parameters: VmParameters;
  #onStop: OnStop;
  #cancelMeasure: CancelTimer = () => undefined;

  constructor(
    options: Options,
    logFolder: string | undefined,
    context: Context<ControllerInput>,
    supervisor: Ref<SupervisorMessage>,
  ) {
    const { host, hypervisor, home = homeHere(hypervisor), events, notices } = options;
    this.#options = options;
    this.#context = context;
    this.#parameters = options.parameters;
    this.#onStop = options.onStop ?? 'stop-vms';
    this.#events = { path: `${context.self.path}/events`, tell: (event) => this.#pass(event) };
    this.#notices = { path: `${context.self.path}/notices`, tell: (notice) => this.#passNotice(notice) };
    this.#vms = new VmTable({
      supervisor,
      home,
      // The VM of a new actor may be half made: it is looked for and ended. A VM that was found is left alone.
      onStartFailed: (vm, origin, why) => {
        if (origin === 'new') this.#commands.obey({ kind: 'stop', vm, why });
        else this.#reconciliation.leaveAlone(vm, why);
      },
    });
    this.#reconciliation = new Reconciliation({
      ...{ host, hypervisor, vms: this.#vms, events, notices },
      adopt: (manifest) => {
        const { vm } = manifest.spec;
        this.#add({ kind: 'found', manifest });
        if (options.fresh === true) this.#vms.tell(vm, { kind: 'stop', why: 'Shoal was started afresh' });
      },
      onUp: () => this.#measure(),
    });
    this.#commands = new VmCommands({ context, hypervisor, vms: this.#vms, reconciliation: this.#reconciliation });
    this.#stats = new HostStats({ host, hypervisor, events, notices });
    this.#logs = new GuestLogs(logFolder, this.#vms);
  }

  async scan(): Promise<void> {
    if (!(await this.#reconciliation.scan())) this.#context.after(SCAN_AGAIN_MS, { kind: 'scan' });
  }

  receive(message: ControllerInput): void | Promise<void> {
    switch (message.kind) {
      case 'prepare':
        return this.#prepare(message.vm, message.address);
      case 'start':
      case 'stop':
        return this.#commands.obey(message);
      case 'found':
        return this.#commands.settle(message);
      case 'announce':
        return this.#reconciliation.announce();
      case 'scan':
        return this.scan();
      case 'measure':
        return this.#measure();
      case 'set-parameters':
        this.#parameters = { ...this.#parameters, ...message.parameters };
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
    if (this.#onStop === 'stop-vms') await stopAll(this.#vms, this.#parameters.stopLimits, this.#context.clock);
  }

  #prepare(vm: VmId, address: Address): void {
    // The command was repeated.
    if (this.#vms.has(vm)) return;
    const { image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax } = this.#parameters;
    const made = { image, imageDigest, accelerator, memoryMib, statusIntervalMs, textBytesMax };
    this.#add({ kind: 'new', spec: { vm, address, ...made } });
  }

  #add(origin: VmTask['origin']): void {
    const { host, relays } = this.#options;
    const { bootTimeoutMs, stopLimits } = this.#parameters;
    const { folder: logFolder } = this.#logs;
    const [events, notices] = [this.#events, this.#notices];
    this.#vms.add({ host, origin, bootTimeoutMs, stopLimits, logFolder, events, relays, notices });
  }

  #pass(event: HostVmEvent): boolean {
    const { vm } = event;
    this.#vms.see(event);
    if (event.kind === 'vm-gone') {
      this.#vms.remove(vm);
      this.#logs.prune();
    }
    const taken = this.#options.events.tell(event);
    if (event.kind === 'vm-adopted' || event.kind === 'vm-gone') this.#reconciliation.told(vm);
    return taken;
  }

  #passNotice(notice: HostNotice): boolean {
    const taken = this.#options.notices.tell(notice);
    if (notice.kind === 'vm-unidentified') this.#reconciliation.told(notice.vm);
    return taken;
  }

  #measure(): void {
    const { statsIntervalMs = STATS_INTERVAL_MS } = this.#options;
    this.#cancelMeasure();
    const inMs = msToNext(this.#context.clock.monotonic(), statsIntervalMs);
    this.#cancelMeasure = this.#context.after(inMs, { kind: 'measure' });
    // It never rejects, and nothing waits for it.
    void this.#stats.tell(this.#parameters.memoryMib);
  }
}
