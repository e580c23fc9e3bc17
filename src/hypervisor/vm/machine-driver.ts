import type { Clock } from '../../actors/mod.ts';
import { toEnvelope } from '../../errors.ts';
import { type Defect, defectOf } from '../defect.ts';
import type { Hypervisor, Machine, MachineExit, MachineSpec } from '../port.ts';
import { CpuUse } from './cpu-use.ts';
import type { LifecycleAction, LifecycleInput } from './lifecycle.ts';

/** What becomes of a machine. */
export type MachineReport =
  | Extract<LifecycleInput, { kind: 'start-failed' | 'quit-answered' | 'exited' }>
  /** The VM goes on, and a part beside it fails. */
  | { readonly kind: 'impaired'; readonly why: string }
  | Defect;

export type MachineAction = Extract<
  LifecycleAction,
  { do: 'continue' | 'pause' | 'remember' | 'ask-to-stop' | 'quit' | 'signal' }
>;

/** Whoever has the machine driven. */
export interface MachineOwner {
  readonly clock: Clock;
  /** How long QEMU may take to answer `quit`. */
  readonly quitMs: number;
  report(report: MachineReport): void;
  /** Takes what the guest prints; the bytes are its own until it returns. */
  printed(bytes: Uint8Array): void;
}

/**
 * Drives the machine of one VM: its monitor, its console input and its process. Without a machine it does nothing.
 */
export class MachineDriver {
  readonly #owner: MachineOwner;
  #machine: Machine | undefined;
  #released = false;
  #writing: Promise<void> | undefined;
  /** Since the guest was asked to stop. */
  #cpuUse: CpuUse | undefined;

  constructor(owner: MachineOwner) {
    this.#owner = owner;
  }

  get machine(): Machine | undefined {
    return this.#machine;
  }

  prepare(hypervisor: Hypervisor, spec: MachineSpec): Promise<Machine> {
    const preparing = hypervisor.prepare(spec).then((machine) => this.own(machine));
    this.#writes(preparing);
    return preparing;
  }

  /** Takes charge of a machine. After a release the machine goes on alone, and whoever comes next adopts it. */
  async own(machine: Machine): Promise<Machine> {
    if (this.#released) {
      await machine.release();
      return machine;
    }
    this.#machine = machine;
    machine.onConsole(this.#printed.bind(this));
    machine.onFault(this.#impaired.bind(this));
    machine.onExit(this.#exited.bind(this));
    return machine;
  }

  /** Lets go of the machine, which runs on. Resolves when nothing is being written any more. */
  async release(): Promise<void> {
    this.#released = true;
    const machine = this.#machine;
    this.#machine = undefined;
    await machine?.release();
    // A machine that is half prepared looks like a wreck to another thread, and a guest says only once that it is
    // ready.
    await this.#writing;
  }

  run(action: MachineAction): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    const owner = this.#owner;
    switch (action.do) {
      case 'continue':
        machine.start().catch((error: unknown) => owner.report({ kind: 'start-failed', error: toEnvelope(error) }));
        return;
      case 'pause':
        machine.pause().catch((error: unknown) => owner.report({ kind: 'start-failed', error: toEnvelope(error) }));
        return;
      case 'remember':
        // Without it an adopter has to assume the least: no reason to end a VM that answers.
        this.#writes(
          machine
            .remember(action.guest)
            .catch((error: unknown) =>
              owner.report({ kind: 'impaired', why: `its manifest cannot be written: ${String(error)}` }),
            ),
        );
        return;
      case 'ask-to-stop':
        this.#cpuUse = new CpuUse(machine, owner.clock);
        if (action.by === 'console') machine.writeConsole('stop\n');
        // A guest that is not asked is ended by the next stage.
        else machine.pressPowerButton(owner.quitMs).catch(() => undefined);
        return;
      case 'quit':
        this.#quit(machine);
        return;
      case 'signal':
        machine.signal(action.signal);
        return;
    }
  }

  /**
   * The hypervisor's obedience shows in the machine's end; if that does not come, the next stage does. Its answer tells a stuck guest
   * from a dead one.
   */
  #quit(machine: Machine): void {
    const owner = this.#owner;
    const burning = this.#cpuUse?.isBurning() ?? false;
    machine.quit(owner.quitMs).then(
      () => owner.report({ kind: 'quit-answered', burning }),
      () => undefined,
    );
  }

  #impaired(why: string): void {
    this.#owner.report({ kind: 'impaired', why });
  }

  #exited(exit: MachineExit): void {
    this.#owner.report({ kind: 'exited', exit });
  }

  #printed(bytes: Uint8Array): void {
    try {
      this.#owner.printed(bytes);
    } catch (error) {
      this.#owner.report(defectOf(error));
    }
  }

  /** A release waits for this. Nothing is kept of it once it is done. */
  #writes(work: Promise<unknown>): void {
    const over = (): void => {
      if (this.#writing === writing) this.#writing = undefined;
    };
    const writing = work.then(over, over);
    this.#writing = writing;
  }
}
