import type { Behaviour, Context, Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import {
  type Hypervisor,
  NEW_CHECKPOINT,
  type VmCheckpoint,
  type VmHome,
  type VmMessage,
  type VmOptions,
  vmActor,
} from '../hypervisor/mod.ts';
import type { SimulatedProcess } from './process.ts';

/** What a defect in the actor of a VM throws. */
export const VM_ACTOR_DEFECT = 'a defect of a VM actor (simulated)';
export const SHARDS = 2;
/** From a shard to the main thread, as measured in `docs/performance.md`. */
const HOP_MS = 0.13;

/** A message that only this home sends. */
interface Crash {
  readonly kind: 'crash (simulated)';
  readonly error: Error;
}

/**
 * Where the actors of VMs live in a simulation with faults of theirs: on shards that can be lost. What an actor tells the main thread arrives a
 * moment later and in order, and not at all if its shard is lost meanwhile.
 */
export class SimulatedVmHome implements VmHome {
  readonly #hypervisor: Hypervisor;
  readonly #process: SimulatedProcess;
  readonly #actors = new Map<number, Ref<Crash>>();
  /** How often each shard was lost. */
  readonly #losses: number[] = Array.from({ length: SHARDS }, () => 0);

  constructor(hypervisor: Hypervisor, process: SimulatedProcess) {
    this.#hypervisor = hypervisor;
    this.#process = process;
  }

  actor(...[task, onShard]: Parameters<VmHome['actor']>): ReturnType<VmHome['actor']> {
    const { vm } = task.spec;
    const shard = vm % SHARDS;
    const begun = { losses: -1 };
    /** What the actor knows, and what of it the main thread has heard. */
    let told = NEW_CHECKPOINT;
    let heard = NEW_CHECKPOINT;
    const start: Behaviour<VmMessage> = async (context) => {
      const isLost = begun.losses !== this.#losses[shard];
      begun.losses = this.#losses[shard] ?? 0;
      const checkpoint = isLost ? heard : told;
      heard = { ...checkpoint, tried: true };
      told = heard;
      onShard(shard);
      const saved = this.#hop<VmCheckpoint>(shard, '/vm-checkpoint', (latest) => {
        heard = latest;
      });
      const saveTo: Ref<VmCheckpoint> = {
        path: saved.path,
        tell: (latest) => {
          told = latest;
          return saved.tell(latest);
        },
      };
      const { events, relays, notices } = task;
      const options: VmOptions = {
        ...task,
        checkpoint,
        saveTo,
        events: this.#hop(shard, events.path, (event) => events.tell(event)),
        relays: relays && this.#hop(shard, relays.path, (line) => relays.tell(line)),
        notices: notices && this.#hop(shard, notices.path, (notice) => notices.tell(notice)),
      };
      const actor = vmActor(options, this.#hypervisor);
      const receive = await actor(context);
      // Nobody else knows that it takes this message.
      this.#actors.set(vm, (context as Context<VmMessage | Crash>).self);
      context.onStop(() => void this.#actors.delete(vm));
      return (message: VmMessage | Crash) => {
        if (message.kind === 'crash (simulated)') throw message.error;
        return receive(message);
      };
    };
    return { start };
  }

  /** The VMs that have an actor. */
  get vms(): readonly number[] {
    return [...this.#actors.keys()];
  }

  crashActor(vm: number): void {
    this.#actors.get(vm)?.tell({ kind: 'crash (simulated)', error: new Error(VM_ACTOR_DEFECT) });
  }

  loseShard(shard: number): void {
    this.#losses[shard] = (this.#losses[shard] ?? 0) + 1;
    const error = new ShoalError('SHARD_LOST', `shard ${shard} is lost (simulated)`);
    for (const [vm, actor] of this.#actors) {
      if (vm % SHARDS === shard) actor.tell({ kind: 'crash (simulated)', error });
    }
  }

  /** A ref on a shard, of something on the main thread. */
  #hop<M>(shard: number, path: string, take: (message: M) => void): Ref<M> {
    const losses = this.#losses[shard];
    return {
      path,
      tell: (message) => {
        if (this.#losses[shard] === losses) {
          this.#process.later(HOP_MS, () => {
            if (this.#losses[shard] === losses) take(message);
          });
        }
        return true;
      },
    };
  }
}
