import type { Absences } from './absences.ts';
import type { SimulatedNats } from './nats-server.ts';
import type { SimulatedProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';

interface Around {
  readonly time: VirtualTime;
  readonly nats: SimulatedNats;
  readonly absences: Absences;
}

/** Takes a host away from the others and brings it back, and notes it. */
export class Presence {
  readonly #host: string;
  readonly #around: Around;

  constructor(host: string, around: Around) {
    this.#host = host;
    this.#around = around;
  }

  /** The process loses its connections to NATS. @returns what brings its way back */
  cutOff(process: SimulatedProcess): () => void {
    const { absences, nats, time } = this.#around;
    absences.leaves(this.#host, 'cut-off', time.nowMs);
    nats.cutOff(process);
    return () => this.#join(process);
  }

  /** Its way to NATS is gone, and nobody knows. @returns what brings it back */
  stall(process: SimulatedProcess): () => void {
    const { absences, nats, time } = this.#around;
    absences.leaves(this.#host, 'cut-off', time.nowMs);
    nats.stall(process);
    return () => this.#join(process);
  }

  pause(process: SimulatedProcess): void {
    this.#around.absences.leaves(this.#host, 'pause', this.#around.time.nowMs);
    process.pause();
  }

  wake(process: SimulatedProcess): void {
    this.#around.absences.returns(this.#host, 'pause', this.#around.time.nowMs);
    process.resume();
  }

  /** Messages are lost, though its connections are up. @param mend ends it @returns what ends it */
  loses(mend: () => void): () => void {
    const { absences, time } = this.#around;
    absences.leaves(this.#host, 'loss', time.nowMs);
    return () => {
      absences.returns(this.#host, 'loss', time.nowMs);
      mend();
    };
  }

  /** What it knew is gone. */
  dies(): void {
    this.#around.absences.leaves(this.#host, 'death', this.#around.time.nowMs);
  }

  heal(process: SimulatedProcess): void {
    this.#around.absences.returns(this.#host, 'loss', this.#around.time.nowMs);
    this.#join(process);
    this.wake(process);
  }

  #join(process: SimulatedProcess): void {
    const { absences, nats, time } = this.#around;
    absences.returns(this.#host, 'cut-off', time.nowMs);
    nats.join(process);
    nats.unstall(process);
  }
}
