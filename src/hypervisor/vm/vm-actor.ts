import type { Behaviour, CancelTimer, Clock, Context, Receive } from '../../actors/mod.ts';
import { type ErrorEnvelope, toEnvelope, toWire } from '../../errors.ts';
import { formatAddress, type VmEnd, type VmId } from '../../fleet/mod.ts';
import type { ConsoleEvent } from '../console/console-event.ts';
import { ConsoleParser } from '../console/console-parser.ts';
import { formatOf } from '../console/formats/format-of.ts';
import type { GuestFacts } from '../console/formats/line-format.ts';
import { defectOf } from '../defect.ts';
import type { HostNotice } from '../notices.ts';
import type { Hypervisor, MachineSpec } from '../port.ts';
import { bindOf } from '../profile/command-line.ts';
import { probesOf } from '../profile/probes.ts';
import type { ImageProfile, PowerOff } from '../profile/profile.ts';
import { powerOffOf, profileOf } from '../profile/shipped.ts';
import { type Adoption, adoptVm, stateOfAdopted } from './adoption.ts';
import { Checkpoints, NEW_CHECKPOINT } from './checkpoint.ts';
import { GuestProber } from './guest-prober.ts';
import { decide, type LifecycleAction, type LifecycleInput, type StopLimits, type VmTerms } from './lifecycle.ts';
import type { VmPhase } from './lifecycle-state.ts';
import { MachineDriver, type MachineOwner, type MachineReport } from './machine-driver.ts';
import { probeOf } from './probe.ts';
import { ProcessFigures } from './process-figures.ts';
import { clearRemains, type Remains } from './remains.ts';
import { adopted, gone, type HostVmEvent, prepared } from './vm-events.ts';
import { type LogOwner, VmLog } from './vm-log.ts';
import type { VmMessage } from './vm-messages.ts';
import type { VmOptions } from './vm-options.ts';

type VmActorInput =
  | VmMessage
  | LifecycleInput
  | ConsoleEvent
  | MachineReport
  /** Of a read of the console that tells of several things. */
  | { readonly kind: 'printed'; readonly events: readonly ConsoleEvent[] }
  | { readonly kind: 'publish-log' }
  | { readonly kind: 'adopt' }
  | { readonly kind: 'adoption'; readonly adoption: Adoption }
  | { readonly kind: 'clear' }
  | { readonly kind: 'cleared'; readonly remains: Remains }
  | { readonly kind: 'over' };

/** How often a VM that could not be identified is looked at again. */
const LOOK_AGAIN_MS = 1_000;
const MIB = 1024 * 1024;

/**
 * The actor of one VM: owns its QEMU process, its monitor and its console. If it crashes the process goes on; the
 * next incarnation adopts the process and goes on from the last checkpoint. It ends by itself when the VM is gone.
 */
export function vmActor(options: VmOptions, hypervisor: Hypervisor): Behaviour<VmMessage> {
  const { checkpoint = NEW_CHECKPOINT, saveTo } = options;
  return start.bind(undefined, options, hypervisor, new Checkpoints(checkpoint, saveTo));
}

async function start(
  options: VmOptions,
  hypervisor: Hypervisor,
  checkpoints: Checkpoints,
  context: Context<VmMessage>,
): Promise<Receive<VmMessage>> {
  // The actor sends itself more than others may.
  const body = new VmActor(options, hypervisor, checkpoints, context as Context<VmActorInput>);
  context.onStop(body);
  const isNew = options.origin === 'new' && !checkpoints.latest.tried;
  checkpoints.update({ tried: true });
  await body.begin(isNew ? options.spec : undefined);
  return body.receive.bind(body);
}

class VmActor implements AsyncDisposable, MachineOwner, VmTerms, LogOwner, GuestFacts {
  readonly #options: VmOptions;
  readonly #hypervisor: Hypervisor;
  readonly #checkpoints: Checkpoints;
  readonly #context: Context<VmActorInput>;
  readonly #parser: ConsoleParser;
  readonly #driver = new MachineDriver(this);
  /** Of a guest whose reports leave some out. */
  #figures: ProcessFigures | undefined;
  /** Of a guest that is asked whether it lives, while it boots and answers. */
  #prober: GuestProber | undefined;
  /** Made for the first line. */
  #keptLog: VmLog | undefined;
  #unidentified = false;
  #cancelBoot: CancelTimer | undefined;
  #cancelStage: CancelTimer | undefined;

  constructor(options: VmOptions, hypervisor: Hypervisor, checkpoints: Checkpoints, context: Context<VmActorInput>) {
    this.#options = options;
    this.#hypervisor = hypervisor;
    this.#checkpoints = checkpoints;
    this.#context = context;
    this.#parser = new ConsoleParser(formatOf(this.#profile.console, this));
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  get vm(): VmId {
    return this.#spec.vm;
  }

  get logFolder(): string | undefined {
    return this.#options.logFolder;
  }

  get bind(): string {
    return bindOf(this.#spec);
  }

  get addr(): string {
    return formatAddress(this.#spec.address);
  }

  get textBytesMax(): number {
    return this.#spec.textBytesMax;
  }

  get ramBytesMax(): number {
    return this.#spec.memoryMib * MIB;
  }

  measured(): ReturnType<GuestFacts['measured']> {
    this.#figures ??= new ProcessFigures(() => this.#driver.machine, this.clock, this.ramBytesMax);
    return this.#figures.measured();
  }

  get idempotent(): boolean | undefined {
    return this.#profile.idempotent;
  }

  get powerOff(): PowerOff {
    return powerOffOf(this.#spec);
  }

  get bootTimeoutMs(): number {
    return this.#options.bootTimeoutMs;
  }

  get stop(): StopLimits {
    return this.#options.stopLimits;
  }

  get quitMs(): number {
    return this.#options.stopLimits.quitMs;
  }

  report(report: MachineReport): void {
    this.#context.self.tell(report);
  }

  publishSoon(): void {
    this.#context.self.tell({ kind: 'publish-log' });
  }

  get #spec(): MachineSpec {
    return this.#options.spec;
  }

  get #profile(): ImageProfile {
    return profileOf(this.#spec);
  }

  get #log(): VmLog {
    this.#keptLog ??= new VmLog(this);
    return this.#keptLog;
  }

  /** @param spec the machine to make; undefined if there may be one to adopt */
  async begin(spec: MachineSpec | undefined): Promise<void> {
    if (spec !== undefined) {
      this.#context.pipe(
        this.#driver.prepare(this.#hypervisor, spec),
        () => ({ kind: 'prepared' }),
        (error) => ({ kind: 'prepare-failed', error: toEnvelope(error) }),
      );
      return;
    }
    await this.#log.load();
    if (this.#checkpoints.latest.ended === undefined) this.#adopt();
    else this.#clear();
  }

  receive(message: VmActorInput): void {
    switch (message.kind) {
      case 'log':
      case 'refused':
      case 'shed':
        this.#log.heard(message);
        return;
      case 'printed':
        for (const event of message.events) this.receive(event);
        return;
      case 'relay':
        this.#options.relays?.tell({ vm: this.#spec.vm, line: message.line });
        return;
      case 'listen':
        this.#driver.machine?.listen();
        return;
      case 'logs':
        message.replyTo.tell(this.#keptLog?.tail(message.linesMax) ?? []);
        return;
      case 'follow':
        this.#log.follow(message.to);
        return;
      case 'unfollow':
        this.#keptLog?.unfollow(message.to);
        return;
      case 'publish-log':
        this.#keptLog?.publish();
        return;
      case 'announce':
        this.#checkpoints.update({ announceDue: true });
        this.#announceIfDue();
        return;
      case 'adopt':
        this.#adopt();
        return;
      case 'adoption':
        this.#adopted(message.adoption);
        return;
      case 'impaired':
        this.#log.note(message.why);
        this.#notice('vm-impaired', message.why);
        return;
      case 'clear':
        this.#clear();
        return;
      case 'cleared':
        this.#cleared(message.remains);
        return;
      case 'over':
        this.#over();
        return;
      case 'defect':
        throw new Error(message.message);
      default:
        this.#step(this.#keptLog?.explained(message) ?? message);
    }
  }

  /** The process goes on without this actor: only a command ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disarmBoot();
    this.#prober?.end();
    const ended = this.#keptLog?.end();
    await this.#driver.release();
    await ended;
  }

  #step(input: LifecycleInput): void {
    const before = this.#checkpoints.latest.state;
    const { state, actions } = decide(before, input, this);
    if (state !== before) this.#checkpoints.update({ state });
    this.#probe(state.phase.name);
    for (const action of actions) this.#act(action);
  }

  /** A guest whose console says nothing is asked from its start on, any other one with a probe once it is up. */
  #probe(phase: VmPhase['name']): void {
    if (phase === 'gone' || phase === 'stopping' || phase === 'paused') this.#prober?.end();
    // One that stands still is asked again once it runs.
    if (phase === 'paused') this.#prober = undefined;
    if (this.#prober !== undefined) return;
    const profile = this.#profile;
    const speaksForGuest = profile.console.format === 'none';
    const isAsked = phase === 'answering' ? speaksForGuest || profile.liveness !== undefined : speaksForGuest;
    if (!isAsked || (phase !== 'booting' && phase !== 'warming' && phase !== 'answering')) return;
    this.#prober = new GuestProber({
      profile,
      connect: () => this.#hypervisor.connect(this.#spec),
      clock: this.clock,
      statusIntervalMs: this.#spec.statusIntervalMs,
      guest: this,
      isReady: phase === 'answering',
      tell: (event) => {
        if (speaksForGuest) this.#context.self.tell(event);
      },
    });
  }

  #tell(event: HostVmEvent): void {
    this.#options.events.tell(event);
  }

  #act(action: LifecycleAction): void {
    switch (action.do) {
      case 'tell-prepared':
        if (this.#checkpoints.latest.announceDue) this.#announceIfDue();
        else if (this.#driver.machine !== undefined) this.#tell(prepared(this.#driver.machine));
        return;
      case 'tell-paused':
        this.#tell({ kind: 'vm-paused', vm: this.vm });
        return;
      case 'ping':
        this.#ping();
        return;
      case 'tell-booting':
        this.#tell({ kind: 'vm-booting', vm: this.vm });
        return;
      case 'tell-answering':
        this.#checkpoints.update({ guest: action.guest });
        this.#tell({ kind: 'vm-answering', vm: this.vm, guest: action.guest });
        return;
      case 'tell-report':
        this.#tell({ kind: 'vm-report', vm: this.vm, report: action.report, atMs: this.clock.now() });
        return;
      case 'end':
        this.#end(action.end, action.error);
        return;
      case 'arm-boot':
        this.#disarmBoot();
        this.#cancelBoot = this.clock.timer(action.ms, () => this.#context.self.tell({ kind: 'boot-timeout' }));
        return;
      case 'disarm-boot':
        this.#disarmBoot();
        return;
      case 'arm-stage':
        this.#cancelStage?.();
        this.#cancelStage = this.#context.after(action.ms, { kind: 'stage-timeout' });
        return;
      default:
        this.#driver.run(action);
    }
  }

  /** A spare is to have answered before it is let stand still. Its link opens once it is wanted. */
  #ping(): void {
    const hypervisor = this.#hypervisor;
    const probe = probeOf(this.#profile, () => hypervisor.connect(this.#spec), this.clock);
    const { readiness } = probesOf(this.#profile);
    const answer = probe.run({ ...readiness, timeoutMs: this.bootTimeoutMs }).finally(() => probe.close());
    this.#context.pipe(answer, (isWell) => ({ kind: 'pinged', isWell }), defectOf);
  }

  /** Nothing is kept of the timer, not even a list of timers: a VM boots once. */
  #disarmBoot(): void {
    this.#cancelBoot?.();
    this.#cancelBoot = undefined;
  }

  printed(bytes: Uint8Array): void {
    const events = this.#parser.push(bytes, this.#context.clock.monotonic());
    const newest = events.findLastIndex(({ kind }) => kind === 'status');
    // Of reports that piled up while this thread stood still only the newest counts; one by one they would make a VM
    // surplus at once (R5). What it says of itself does not count while it fails to answer.
    const isFailing = this.#prober?.hasFailed === true;
    const counting = events.filter(({ kind }, index) => kind !== 'status' || (index === newest && !isFailing));
    const [first, ...others] = counting;
    if (first === undefined) return;
    // One message for all of them: an actor that never has two at a time needs no room for a second one.
    this.#context.self.tell(others.length === 0 ? first : { kind: 'printed', events: counting });
  }

  #adopt(): void {
    this.#context.pipe(
      adoptVm(this.#hypervisor, this.#spec.vm, (machine) => this.#driver.own(machine)),
      (adoption) => ({ kind: 'adoption', adoption }),
      defectOf,
    );
  }

  #adopted(adoption: Adoption): void {
    switch (adoption.kind) {
      case 'adopted':
        this.#goOn(adoption);
        return;
      case 'gone': {
        const { orphaned } = adoption;
        if (orphaned !== undefined) this.#notice('vm-orphaned', orphaned);
        const exit = { exitCode: null, signal: null, stderr: '' };
        this.#step({ kind: 'exited', exit, ...(orphaned === undefined ? {} : { why: orphaned }) });
        return;
      }
      case 'unidentified':
        this.#leaveAlone(adoption.why, 'adopt');
        return;
    }
  }

  #goOn(adoption: Extract<Adoption, { kind: 'adopted' }>): void {
    const checkpoint = this.#checkpoints.latest;
    if (this.#options.origin === 'found' && !checkpoint.announced) {
      const state = stateOfAdopted(checkpoint, adoption);
      this.#checkpoints.update({ announced: true, announceDue: true, guest: adoption.manifest.guest, state });
    }
    // A VM that is about to be ended must not be announced as ready.
    const isEnding = this.#checkpoints.latest.state.stopAsked !== undefined;
    if (isEnding) this.#step({ kind: 'recovered' });
    this.#announceIfDue();
    if (!isEnding) this.#step({ kind: 'recovered' });
  }

  /** Without a machine, before it is prepared or after it is lost, there is nothing to tell yet. */
  #announceIfDue(): void {
    const { machine } = this.#driver;
    const { state, guest, announceDue } = this.#checkpoints.latest;
    const { name } = state.phase;
    if (!announceDue || machine === undefined || name === 'preparing' || name === 'gone') return;
    this.#tell(adopted(machine, name));
    if (name === 'answering' && guest !== undefined) this.#tell({ kind: 'vm-answering', vm: this.vm, guest });
    this.#checkpoints.update({ announceDue: false });
  }

  #end(end: VmEnd, error: ErrorEnvelope | undefined): void {
    this.#cancelStage?.();
    this.#checkpoints.update({ ended: { end, error } });
    const because = error === undefined ? '' : ` (${toWire(error).code}: ${error.message})`;
    this.#log.note(`the VM is gone: ${end.why}${because}`);
    this.#clear();
  }

  #clear(): void {
    this.#context.pipe(
      clearRemains(this.#hypervisor, this.#spec.vm, this.#driver.machine),
      (remains) => ({ kind: 'cleared', remains }),
      defectOf,
    );
  }

  #cleared(remains: Remains): void {
    if (remains.kind === 'unidentified') return this.#leaveAlone(remains.why, 'clear');
    if (remains.left !== undefined) this.#notice('directory-left', remains.left);
    // Whoever hears of the end finds all of the log in its file.
    this.#context.pipe(this.#log.flush(), () => ({ kind: 'over' }), defectOf);
  }

  /** Told in the actor's last turn: the controller stops it once it knows. */
  #over(): void {
    const { ended } = this.#checkpoints.latest;
    if (ended !== undefined) this.#tell(gone(this.vm, ended));
    this.#context.exit();
  }

  /** If Shoal cannot tell what became of a VM, it says so once and looks again. */
  #leaveAlone(why: string, again: 'adopt' | 'clear'): void {
    // The controller waits for a word about each VM that it is to announce.
    if (!this.#unidentified || this.#checkpoints.latest.announceDue) this.#notice('vm-unidentified', why);
    this.#unidentified = true;
    this.#checkpoints.update({ announceDue: false });
    this.#context.after(LOOK_AGAIN_MS, { kind: again });
  }

  #notice(kind: Exclude<HostNotice['kind'], 'unknown-found' | 'host-impaired' | 'relay-refused'>, why: string): void {
    this.#options.notices?.tell({ kind, vm: this.#spec.vm, why });
  }
}
