import type { Behaviour, CancelTimer, Context, Ref } from '../../actors/mod.ts';
import { type ErrorEnvelope, toEnvelope } from '../../errors.ts';
import { formatAddress, type HostEvent, type VmEnd, type VmId } from '../../fleet/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import { ConsoleParser } from '../console/console-parser.ts';
import { GuestLog } from '../console/guest-log.ts';
import type { Found, Hypervisor, Machine, MachineSpec, Manifest } from '../port.ts';
import { GUEST_BIND } from '../qemu/argv.ts';
import { takeOver } from './take-over.ts';
import { isNews, type Kept, NEW_LIFE, type VmLife } from './vm-life.ts';
import { VmLog } from './vm-log.ts';
import type { HostNotice, RelayedLine, VmMessage } from './vm-messages.ts';
import { adoptedVm, decide, type StopLimits, type VmAction, type VmInput, type VmTerms } from './vm-state.ts';

export interface VmOptions {
  readonly host: string;
  readonly hypervisor: Hypervisor;
  /** A VM that is to be made, or one that was found running. */
  readonly origin:
    | { readonly kind: 'new'; readonly spec: MachineSpec }
    | { readonly kind: 'found'; readonly manifest: Manifest };
  readonly bootTimeoutMs: number;
  readonly stopLimits: StopLimits;
  /** Where the guest's log is kept; undefined: in memory only. */
  readonly logFolder: string | undefined;
  readonly events: Ref<Extract<HostEvent, { readonly vm: VmId }>>;
  readonly relays: Ref<RelayedLine> | undefined;
  readonly notices: Ref<HostNotice> | undefined;
  /** What an earlier actor of this VM knew; undefined for the first. */
  readonly life?: VmLife;
  /** Told what has to outlive this actor, for the case that the thread that it lives on is lost. */
  readonly keep?: Ref<VmLife>;
}

type Input =
  | VmMessage
  | VmInput
  | { readonly kind: 'heard'; readonly event: ConsoleEvent }
  | { readonly kind: 'lines' }
  | { readonly kind: 'found'; readonly found: Found | undefined; readonly running: boolean }
  | { readonly kind: 'look' }
  | { readonly kind: 'over' }
  | { readonly kind: 'defect'; readonly message: string };

/** How often a VM that could not be identified is looked at again. */
const LOOK_MS = 1_000;
/** A guest that neither obeys nor sleeps uses its CPU in full, or what is left of it on a busy host. */
const BURNING_SHARE = 0.25;
const MIB = 1024 * 1024;

/**
 * The actor of one VM: owns its QEMU process, its monitor and its console. If it crashes the process goes on; the next incarnation takes it
 * over and goes on where the last one was, since what was known of the VM outlives it. It ends by itself when the VM is gone.
 */
export function vmActor(options: VmOptions): Behaviour<VmMessage> {
  const { origin } = options;
  const kept: Kept = { life: options.life ?? NEW_LIFE };
  return async (context) => {
    // The actor sends itself more than others may.
    const body = new VmActor(options, kept, context as Context<Input>);
    context.onStop(() => body.letGo());
    const isNew = origin.kind === 'new' && !kept.life.tried;
    kept.life = { ...kept.life, tried: true };
    await body.begin(isNew ? origin.spec : undefined);
    return (message) => body.receive(message);
  };
}

class VmActor {
  readonly #options: VmOptions;
  readonly #kept: Kept;
  readonly #context: Context<Input>;
  readonly #spec: MachineSpec;
  readonly #terms: VmTerms;
  readonly #parser: ConsoleParser;
  readonly #log: VmLog;
  readonly #store: GuestLog;
  #machine: Machine | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #released = false;
  #publishing = false;
  #unidentified = false;
  /** What its process had wanted of the CPU when the guest was asked to stop. */
  #asked: { readonly demandMs: number; readonly atMs: number } | undefined;
  #cancelBoot: CancelTimer = () => undefined;
  #cancelStage: CancelTimer = () => undefined;

  constructor(options: VmOptions, kept: Kept, context: Context<Input>) {
    const { origin, bootTimeoutMs, stopLimits, logFolder } = options;
    this.#options = options;
    this.#kept = kept;
    this.#context = context;
    this.#spec = origin.kind === 'new' ? origin.spec : origin.manifest.spec;
    this.#terms = {
      bind: GUEST_BIND,
      addr: formatAddress(this.#spec.address),
      textBytesMax: this.#spec.textBytesMax,
      bootTimeoutMs,
      stop: stopLimits,
    };
    this.#parser = new ConsoleParser({ ramBytesMax: this.#spec.memoryMib * MIB });
    this.#store = new GuestLog(logFolder, this.#spec.vm);
    this.#log = new VmLog(this.#spec.vm, this.#store, context.clock);
  }

  /** @param spec what to make; undefined if there is something to take over */
  async begin(spec: MachineSpec | undefined): Promise<void> {
    if (spec === undefined) {
      await this.#store.load();
      const { ended } = this.#kept.life;
      if (ended === undefined) this.#look();
      else this.#end(ended.end, ended.error);
      return;
    }
    const preparing = this.#options.hypervisor.prepare(spec).then((machine) => this.#own(machine));
    this.#writing = preparing.catch(() => undefined);
    this.#context.pipe(
      preparing,
      () => ({ kind: 'prepared' }),
      (error) => ({ kind: 'prepare-failed', error: toEnvelope(error) }),
    );
  }

  receive(message: Input): void {
    switch (message.kind) {
      case 'logs':
        message.replyTo.tell(this.#log.tail(message.linesMax));
        return;
      case 'follow':
        this.#log.follow(message.to);
        return;
      case 'unfollow':
        this.#log.unfollow(message.to);
        return;
      case 'heard':
        this.#heard(message.event);
        return;
      case 'lines':
        this.#publishing = false;
        this.#log.publish();
        return;
      case 'look':
        this.#look();
        return;
      case 'found':
        this.#found(message.found, message.running);
        return;
      case 'announce':
        this.#know({ announceDue: true });
        this.#announceIfDue();
        return;
      case 'over':
        this.#context.exit();
        return;
      case 'defect':
        throw new Error(message.message);
      default:
        this.#step(message);
    }
  }

  /** The process goes on without us: only a command ends it. */
  async letGo(): Promise<void> {
    this.#released = true;
    const machine = this.#machine;
    this.#machine = undefined;
    this.#log.publish(true);
    await machine?.release();
    // What is half prepared looks like a wreck from another thread, and what the guest has said cannot be asked again.
    await this.#writing;
    await this.#log.flush();
  }

  #step(input: VmInput): void {
    const before = this.#kept.life.memory;
    const { memory, actions } = decide(before, input, this.#terms);
    this.#kept.life = { ...this.#kept.life, memory };
    for (const action of actions) this.#act(action);
    if (isNews(before, memory)) this.#keep();
  }

  #act(action: VmAction): void {
    const { host, events } = this.#options;
    const vm = this.#spec.vm;
    switch (action.do) {
      case 'tell-prepared':
        if (this.#kept.life.announceDue) return this.#announceIfDue();
        events.tell({ kind: 'vm-prepared', host, vm, pid: this.#machine?.process.pid ?? 0 });
        return;
      case 'tell-booting':
        events.tell({ kind: 'vm-booting', host, vm });
        return;
      case 'tell-answering':
        this.#know({ guest: action.guest });
        events.tell({ kind: 'vm-answering', host, vm, guest: action.guest });
        return;
      case 'tell-report':
        events.tell({ kind: 'vm-report', host, vm, report: action.report, atMs: this.#context.clock.now() });
        return;
      case 'end':
        this.#end(action.end, action.error);
        return;
      case 'arm-boot':
        this.#cancelBoot();
        this.#cancelBoot = this.#context.after(action.ms, { kind: 'boot-timeout' });
        return;
      case 'disarm-boot':
        this.#cancelBoot();
        return;
      case 'arm-stage':
        this.#cancelStage();
        this.#cancelStage = this.#context.after(action.ms, { kind: 'stage-timeout' });
        return;
      case 'continue':
      case 'remember':
      case 'ask-on-console':
      case 'quit':
      case 'signal':
        if (this.#machine !== undefined) this.#drive(this.#machine, action);
        return;
    }
  }

  #drive(
    machine: Machine,
    action: Extract<VmAction, { do: 'continue' | 'remember' | 'ask-on-console' | 'quit' | 'signal' }>,
  ): void {
    switch (action.do) {
      case 'continue':
        machine
          .start()
          .catch((error: unknown) => this.#context.self.tell({ kind: 'start-failed', error: toEnvelope(error) }));
        return;
      case 'remember':
        // Without it an adopter would have to assume the least; no reason to end a VM that answers.
        this.#writing = machine
          .remember(action.guest)
          .catch((error: unknown) => this.#note(`its manifest could not be completed: ${String(error)}`));
        return;
      case 'ask-on-console':
        this.#asked = { demandMs: machine.cpuDemandMs(), atMs: this.#context.clock.monotonic() };
        machine.writeConsole('stop\n');
        return;
      case 'quit':
        this.#quit(machine);
        return;
      case 'signal':
        machine.signal(action.signal);
        return;
    }
  }

  /** That QEMU obeys shows in its end, if not, the next stage comes; that it answers tells a stuck guest from a dead one. */
  #quit(machine: Machine): void {
    const { demandMs, atMs } = this.#asked ?? { demandMs: 0, atMs: Number.NEGATIVE_INFINITY };
    const elapsedMs = this.#context.clock.monotonic() - atMs;
    const burning = machine.cpuDemandMs() - demandMs > elapsedMs * BURNING_SHARE;
    machine.qmp('quit', undefined, this.#terms.stop.quitMs).then(
      () => this.#context.self.tell({ kind: 'quit-answered', burning }),
      () => undefined,
    );
  }

  #heard(event: ConsoleEvent): void {
    switch (event.kind) {
      case 'ready':
      case 'status':
      case 'bye':
        this.#step({ kind: 'console', event });
        return;
      case 'relay':
        this.#options.relays?.tell({ vm: this.#spec.vm, line: event.line });
        return;
      case 'log':
        this.#log.line(event.text);
        break;
      case 'refused':
        this.#note(`refused, ${event.why}: ${event.text}`);
        break;
      case 'shed':
        this.#note(`${event.lines} lines came too fast and were dropped`);
        break;
    }
    this.#publishLater();
  }

  #note(text: string): void {
    this.#log.note(text);
    this.#publishLater();
  }

  /** One batch for all lines that came at once. */
  #publishLater(): void {
    if (this.#publishing) return;
    this.#publishing = true;
    this.#context.self.tell({ kind: 'lines' });
  }

  /** Takes charge of a machine. If we were stopped meanwhile it goes on alone, and whoever comes next adopts it. */
  async #own(machine: Machine): Promise<Machine> {
    if (this.#released) {
      await machine.release();
      return machine;
    }
    this.#machine = machine;
    machine.onConsole((bytes) => this.#guard(() => this.#received(bytes)));
    machine.onExit((exit) => this.#context.self.tell({ kind: 'exited', exit }));
    return machine;
  }

  #received(bytes: Uint8Array): void {
    const events = this.#parser.push(bytes, this.#context.clock.monotonic());
    const newest = events.findLastIndex(({ kind }) => kind === 'status');
    for (const [index, event] of events.entries()) {
      // Reports that piled up while we stood still say less than the newest; counted one by one they would make a VM surplus at once (R5).
      if (event.kind !== 'status' || index === newest) this.#context.self.tell({ kind: 'heard', event });
    }
  }

  /** Finds out what became of the VM, and adopts it if it runs. */
  #look(): void {
    this.#context.pipe(
      takeOver(this.#options.hypervisor, this.#spec.vm, (machine) => this.#own(machine)),
      (outcome) => ({ kind: 'found', ...outcome }),
      (error) => ({
        kind: 'found',
        found: { kind: 'unknown', directory: '', vm: this.#spec.vm, why: String(error) },
        running: false,
      }),
    );
  }

  #found(found: Found | undefined, running: boolean): void {
    switch (found?.kind) {
      case 'running':
        this.#adopted(found.manifest, running);
        return;
      case 'gone':
      case undefined:
        this.#step({ kind: 'exited', exit: { exitCode: null, signal: null, stderr: '' } });
        return;
      case 'unknown':
        // Whoever waits to be told of it must not wait for ever.
        if (!this.#unidentified || this.#kept.life.announceDue)
          this.#options.notices?.tell({ kind: 'vm-unidentified', vm: this.#spec.vm, why: found.why });
        this.#unidentified = true;
        this.#know({ announceDue: false });
        this.#context.after(LOOK_MS, { kind: 'look' });
        return;
    }
  }

  #adopted(manifest: Manifest, running: boolean): void {
    const { announced, memory } = this.#kept.life;
    if (this.#options.origin.kind === 'found' && !announced) {
      const { startAsked, stopAsked } = memory;
      const adopted = { ...adoptedVm(running, manifest.guest), startAsked, stopAsked };
      this.#know({ announced: true, announceDue: true, guest: manifest.guest, memory: adopted });
    }
    // Nobody must take one for ready that is about to be ended.
    const isEnding = this.#kept.life.memory.stopAsked !== undefined;
    if (isEnding) this.#step({ kind: 'recovered' });
    this.#announceIfDue();
    if (!isEnding) this.#step({ kind: 'recovered' });
  }

  /** Of a machine that we do not have yet, or have no more, there is nothing to tell. */
  #announceIfDue(): void {
    const machine = this.#machine;
    const { memory, guest, announceDue } = this.#kept.life;
    const { name } = memory.phase;
    if (!announceDue || machine === undefined || name === 'preparing' || name === 'gone') return;
    const { host, events } = this.#options;
    const { vm, address, statusIntervalMs } = machine.manifest.spec;
    events.tell({
      kind: 'vm-adopted',
      host,
      vm,
      address,
      pid: machine.process.pid,
      startedMs: machine.manifest.preparedMs,
      state: name,
      statusIntervalMs,
    });
    if (name === 'answering' && guest !== undefined) events.tell({ kind: 'vm-answering', host, vm, guest });
    this.#know({ announceDue: false });
  }

  #end(end: VmEnd, error: ErrorEnvelope | undefined): void {
    this.#cancelStage();
    this.#know({ ended: { end, error } });
    this.#log.note(`the VM is gone: ${end.why}${error === undefined ? '' : ` (${error.code}: ${error.message})`}`);
    const tell = (): void => {
      const { host, events } = this.#options;
      events.tell({ kind: 'vm-gone', host, vm: this.#spec.vm, end, ...(error === undefined ? {} : { error }) });
    };
    this.#context.pipe(
      this.#cleanUp().then(tell),
      () => ({ kind: 'over' }),
      (failure) => ({
        kind: 'defect',
        message: `the run directory of VM ${this.#spec.vm} cannot be removed: ${String(failure)}`,
      }),
    );
  }

  async #cleanUp(): Promise<void> {
    const machine = this.#machine;
    if (machine !== undefined) {
      await machine.remove();
    } else {
      const { hypervisor } = this.#options;
      const found = await hypervisor.find(this.#spec.vm);
      if (found?.kind === 'gone') await hypervisor.discard(found.manifest);
    }
    await this.#log.flush();
  }

  /** Also whoever takes this actor's place knows it. */
  #know(news: Partial<VmLife>): void {
    this.#kept.life = { ...this.#kept.life, ...news };
    this.#keep();
  }

  #keep(): void {
    this.#options.keep?.tell(this.#kept.life);
  }

  /** What throws in a callback of the machine is our mistake, and must end the actor as in a handler. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#context.self.tell({ kind: 'defect', message });
    }
  }
}
