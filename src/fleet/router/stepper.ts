import type { Context } from '../../actors/mod.ts';
import { type FleetDecision, isStart } from '../policy/decision.ts';
import { enact, enactStart, withoutId } from '../policy/enact.ts';
import { step } from '../policy/step.ts';
import type { Fleet } from '../state/fleet.ts';
import type { VmId } from '../values/vm-id.ts';
import type { Effects } from './effects.ts';
import type { RouterMessage } from './router-messages.ts';
import type { RouterOptions } from './router-options.ts';

/** Has the rules decided what is to be done with the VMs, and carries that out. */
export class Stepper {
  readonly #context: Context<RouterMessage>;
  readonly #fleet: Fleet;
  readonly #effects: Effects;
  readonly #options: Pick<RouterOptions, 'nextVmId' | 'sizing'>;
  #isAsked = false;

  constructor(
    context: Context<RouterMessage>,
    fleet: Fleet,
    effects: Effects,
    options: Pick<RouterOptions, 'nextVmId' | 'sizing'>,
  ) {
    this.#context = context;
    this.#fleet = fleet;
    this.#effects = effects;
    this.#options = options;
  }

  /** Many messages of one turn make one step. */
  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#context.self.tell({ kind: 'step' });
  }

  run(nowMs: number): void {
    this.#isAsked = false;
    for (const decision of step(this.#fleet, nowMs, this.#options.sizing)) {
      this.#carryOut(decision, nowMs);
      // What follows from how a deploy goes on need not wait for the next look.
      if (decision.kind === 'deploy') this.ask();
    }
  }

  #carryOut(decision: FleetDecision, nowMs: number): void {
    if (!isStart(decision)) return this.#effects.carryOut(enact(this.#fleet, decision, nowMs));
    const vm = this.#nextVmId(nowMs);
    if (vm !== undefined) this.#effects.carryOut(enactStart(this.#fleet, decision, vm, nowMs));
  }

  #nextVmId(nowMs: number): VmId | undefined {
    if (this.#fleet.host.noIdBeforeMs > nowMs) return undefined;
    try {
      return this.#options.nextVmId();
    } catch (error) {
      this.#effects.carryOut(withoutId(this.#fleet, error, nowMs));
      return undefined;
    }
  }
}
