import { isOutdated } from '../state/deploy.ts';
import type { Fleet } from '../state/fleet.ts';
import { hasOtherMemory, isServing, isStarting, type Vm } from '../state/vm.ts';
import type { Address } from '../values/address.ts';
import type { Considered } from '../values/considered.ts';
import type { Figures, Rule } from '../values/rule.ts';
import type { VmId } from '../values/vm-id.ts';
import { type Failures, failureOf } from './back-off.ts';
import { type Blockage, blockageBy, type HostBlock, hostBlock } from './blockage.ts';
import type {
  AskDecision,
  DeployDecision,
  DrainDecision,
  FleetDecision,
  StopDecision,
  WaitingDecision,
} from './decision.ts';
import { finishedGrounds, hasFinished } from './finished.ts';
import { NextImage } from './next-image.ts';

const NO_SPARE: Considered = { what: 'a prepared spare', why: 'there is none' };

/** The decisions of one step so far, with what they have used up: later rules see the effects of earlier ones. */
export class Plan {
  readonly fleet: Fleet;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** Milliseconds of the rule clock. */
  readonly ruleMs: number;
  readonly decisions: FleetDecision[] = [];
  /** Which image the next VM is made from. */
  readonly images: NextImage;
  readonly #leaving = new Set<VmId>();
  readonly #usedSpares = new Set<VmId>();
  /** Spares in the order in which they are used. What has left it is used, leaves or is in another state. */
  readonly #spares: Readonly<Record<'booted' | 'prepared' | 'preparing', Iterator<Vm, undefined>>>;
  /** Failures of the host, those of VMs that this plan ends among them. */
  #failures: Failures;
  readonly #addresses: Iterator<Address, undefined>;
  /** Why the last VM that was wanted could not be started. */
  #refusal: Blockage['cause'] | undefined;
  #leavingReady = 0;
  #leavingServing = 0;
  #leavingStarting = 0;
  #leavingSpares = 0;
  /** VMs that this plan starts as capacity, used spares among them. */
  #started = 0;
  /** VMs that this plan makes anew, spares among them. */
  #made = 0;

  constructor(fleet: Fleet, nowMs: number) {
    this.fleet = fleet;
    this.nowMs = nowMs;
    this.ruleMs = fleet.ruleMs(nowMs);
    this.#addresses = fleet.freeAddresses(nowMs);
    this.#failures = fleet.host;
    this.images = new NextImage(fleet);
    this.#spares = {
      booted: this.#unusedIn('booted'),
      prepared: this.#unusedIn('prepared'),
      preparing: this.#unusedIn('preparing'),
    };
  }

  /** Until when a VM could have been heard. While its host is silent as well, the silence may be the host's. */
  get heardUntilMs(): number {
    return Math.min(this.ruleMs, this.fleet.host.heardMs ?? this.ruleMs);
  }

  /** VMs that are ready and stay. */
  get ready(): number {
    return this.fleet.group('ready').size - this.#leavingReady;
  }

  /** VMs that take requests and stay. */
  get serving(): number {
    return this.fleet.group('serving').size - this.#leavingServing;
  }

  /** VMs on their way to ready, those that this plan starts among them. */
  get starting(): number {
    return this.fleet.starting - this.#leavingStarting + this.#started;
  }

  /** Spares that nobody wants. */
  get spares(): number {
    return this.fleet.spares - this.#leavingSpares - this.#usedSpares.size;
  }

  /** Whether this plan starts a VM. */
  get hasStarted(): boolean {
    return this.#started > 0;
  }

  /** The spares that nobody wants: neither do they leave, nor has this plan used them. */
  unusedSpares(): readonly Vm[] {
    return [...this.fleet.group('spares')].filter((vm) => this.#isUnused(vm));
  }

  /** Whether one more VM may be started on a free address. */
  get mayStart(): boolean {
    return this.#hostBlock === undefined;
  }

  /** Why a VM that this plan wanted could not be started; undefined if all could. */
  get refusal(): Blockage | undefined {
    const cause = this.#refusal;
    return cause && this.#blockageBy(cause);
  }

  /** Whether room was what was missing: a VM that goes makes some. */
  get isFull(): boolean {
    return this.#refusal === 'addresses' || this.#refusal === 'memory';
  }

  /** VMs that this plan ends or drains. */
  get leaving(): number {
    return this.#leaving.size;
  }

  isLeaving(vm: VmId): boolean {
    return this.#leaving.has(vm);
  }

  /** The VM leaves. One that has finished is told to stop at once. */
  drain(decision: Omit<DrainDecision, 'kind'>): void {
    const vm = this.#leave(decision.vm);
    if (vm === undefined) return;
    this.decisions.push({ kind: 'drain', ...decision });
    if (decision.ejected) this.#fails(vm);
    this.images.left(vm, decision.ejected);
    if (!hasFinished(vm, this.fleet.params, this.nowMs)) return;
    const { reason, why } = decision;
    this.decisions.push({ kind: 'stop', rule: 'R5', vm: vm.id, reason, why, fault: undefined, ...finishedGrounds(vm) });
  }

  stop(decision: Omit<StopDecision, 'kind'>): void {
    const vm = this.#leave(decision.vm);
    if (vm === undefined) return;
    this.decisions.push({ kind: 'stop', ...decision });
    if (decision.fault !== undefined) this.#fails(vm);
    this.images.left(vm, decision.fault !== undefined);
  }

  repeatStop({ id, reason, why }: Vm, figures: Figures): void {
    // Of a VM that was found stopping, the reason is not known.
    const end = { reason: reason ?? 'shoal-stopped', why: why ?? 'it is to stop' } as const;
    this.decisions.push({ kind: 'repeat-stop', rule: 'R5', vm: id, ...end, figures });
  }

  ask(decision: Omit<AskDecision, 'kind'>): void {
    this.decisions.push({ kind: 'ask', ...decision });
  }

  /** @param why undefined: it works */
  sizingJudged(policy: string, why: string | undefined): void {
    // Once, until the policy works again.
    if (this.fleet.sizingFault !== why) this.decisions.push({ kind: 'sizing-failed', policy, why });
  }

  blocked(rule: Rule, blockage: Blockage | undefined): void {
    this.decisions.push({ kind: 'blocked', rule, blockage });
  }

  waiting(decision: Omit<WaitingDecision, 'kind'>): void {
    this.decisions.push({ kind: 'waiting', ...decision });
  }

  /** A deploy goes on, is rolled back, or ends. */
  deploy(decision: Omit<DeployDecision, 'kind'>): void {
    this.decisions.push({ kind: 'deploy', ...decision });
  }

  hostAway(rule: Rule, figures: Figures): void {
    this.decisions.push({ kind: 'host-away', rule, figures });
  }

  /**
   * Starts a VM: a prepared spare first, then one on the free address of lowest id, then a spare that is still being prepared.
   * @param others what was considered before: another VM is wanted because none of it would do
   * @returns false if none may be started, or no address is free
   */
  start(rule: Rule, figures: Figures, replaces?: VmId, others: readonly Considered[] = []): boolean {
    const spare = this.#spare('prepared');
    const address = spare === undefined ? this.#newPlace() : undefined;
    const wanted = spare ?? (address === undefined ? this.#spare('preparing') : undefined);
    if (wanted !== undefined) {
      this.#usedSpares.add(wanted.id);
      const considered = [...others, this.#insteadOfSpare(wanted)];
      this.decisions.push({ kind: 'use-spare', rule, vm: wanted.id, replaces, figures, considered });
    } else if (address !== undefined) {
      this.#made += 1;
      const considered = [...others, NO_SPARE, this.#otherAddresses()];
      const image = this.images.ofVm;
      this.decisions.push({ kind: 'start', rule, address, spare: false, image, replaces, figures, considered });
    } else {
      this.#refusal = this.#hostBlock ?? 'addresses';
      return false;
    }
    this.#started += 1;
    this.images.started();
    return true;
  }

  /** Prepares a spare. @returns as `start` */
  prepare(figures: Figures): boolean {
    const address = this.#newPlace();
    if (address === undefined) return false;
    this.#made += 1;
    const considered = [this.#otherAddresses()];
    const made = { address, spare: true, image: this.images.ofSpare, replaces: undefined } as const;
    this.decisions.push({ kind: 'start', rule: 'R3', ...made, figures, considered });
    return true;
  }

  /** Has a spare boot ahead of its use. */
  bootSpare({ id }: Vm): void {
    this.decisions.push({ kind: 'boot-spare', rule: 'R3', vm: id });
  }

  get #hostBlock(): HostBlock | undefined {
    return hostBlock(this.fleet, this.nowMs, this.#made, this.#failures.notBeforeMs);
  }

  #blockageBy(cause: Blockage['cause']): Blockage {
    return blockageBy(this.fleet, cause, this.nowMs, this.#made, this.#failures.notBeforeMs);
  }

  /** A spare has its address and its memory already. */
  #insteadOfSpare({ state }: Vm): Considered {
    const what = 'a new VM';
    if (state === 'prepared') return { what, why: 'a prepared spare is ready sooner' };
    const cause = this.#hostBlock ?? 'addresses';
    return { what, why: this.#blockageBy(cause).text };
  }

  /** Counted rather than listed: a pool may have a hundred thousand. */
  #otherAddresses(): Considered {
    const { length } = this.fleet.pool;
    const free = this.fleet.freeAddressCount(this.nowMs);
    const why = `of ${length}, ${length - free} are held or set aside, and ${free - this.#made} more are free with a higher id`;
    return { what: 'another address', why };
  }

  #newPlace(): Address | undefined {
    return this.mayStart ? this.#addresses.next().value : undefined;
  }

  /** R1: one that ends because it fails delays the start of others from this step on. */
  #fails(vm: Vm): void {
    this.#failures = failureOf(this.#failures, vm, this.nowMs, this.ruleMs) ?? this.#failures;
  }

  #spare(state: 'prepared' | 'preparing'): Vm | undefined {
    if (
      this.spares === 0 ||
      this.images.missing > 0 ||
      this.fleet.host.reach !== 'up' ||
      this.#failures.notBeforeMs > this.nowMs
    )
      return undefined;
    // One that has booted is ready soonest.
    const booted = state === 'prepared' ? this.#spares.booted.next().value : undefined;
    return booted ?? this.#spares[state].next().value;
  }

  *#unusedIn(kind: 'booted' | 'prepared' | 'preparing'): Generator<Vm, undefined> {
    for (const vm of this.fleet.group(kind === 'booted' ? 'bootedSpares' : 'spares')) {
      const isOfKind = kind === 'booted' || (vm.state === kind && vm.booted !== 'yes');
      if (isOfKind && this.#isUnused(vm) && !this.#isOfOldMake(vm)) yield vm;
    }
  }

  /** It is ended, and another one takes its place. */
  #isOfOldMake(vm: Vm): boolean {
    return isOutdated(vm, this.images.ofSpare) || hasOtherMemory(vm, this.fleet.params);
  }

  #isUnused({ id }: Vm): boolean {
    return !this.#leaving.has(id) && !this.#usedSpares.has(id);
  }

  #leave(id: VmId): Vm | undefined {
    const vm = this.fleet.vm(id);
    if (vm === undefined || this.#leaving.has(id)) return undefined;
    this.#leaving.add(id);
    if (vm.state === 'ready') this.#leavingReady += 1;
    if (isServing(vm)) this.#leavingServing += 1;
    if (isStarting(vm)) this.#leavingStarting += 1;
    if (this.fleet.group('spares').has(vm)) this.#leavingSpares += 1;
    return vm;
  }
}
