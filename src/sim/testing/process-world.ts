import { type ActorSystem, createSystem, type SystemOptions, silentLogger } from '../../actors/mod.ts';
import type { Connection } from '../../transport/mod.ts';
import { connectionOf, SimulatedConnection } from '../nats-connection.ts';
import { NO_NETWORK_FAULTS, SimulatedNats } from '../nats-server.ts';
import { SimulatedProcess } from '../process.ts';
import { Chance } from '../random.ts';
import { VirtualTime } from '../virtual-time.ts';

/** A process with an actor system and a connection to NATS. */
export interface Launched {
  readonly process: SimulatedProcess;
  readonly connection: Connection;
  readonly system: ActorSystem;
}

/** Simulated processes on one simulated NATS server. */
export class ProcessWorld {
  readonly time = new VirtualTime();
  readonly nats: SimulatedNats;
  readonly #chance: Chance;
  readonly #processes: SimulatedProcess[] = [];

  /** @param latencyMsMax of a message; the least is 0.2 */
  constructor(seed: number, latencyMsMax: number) {
    this.#chance = new Chance(seed);
    this.nats = new SimulatedNats({
      time: this.time,
      chance: this.#chance.stream('network'),
      latency: { kind: 'uniform', fromMs: 0.2, toMs: latencyMsMax },
    });
  }

  async run(ms: number): Promise<void> {
    await this.time.run(this.time.nowMs + ms);
  }

  /** Nothing is at fault any more. */
  heal(): void {
    this.nats.faults = NO_NETWORK_FAULTS;
    for (const one of this.#processes) {
      if (!one.isDead) this.nats.join(one);
      this.nats.unstall(one);
      for (const other of this.#processes) this.nats.joinWay(one, other);
      one.resume();
    }
  }

  /** @param stream the name of its chance */
  protected launch(stream: string, hooks: Pick<SystemOptions, 'onFailure' | 'onDeadLetter'>): Launched {
    const chance = this.#chance.stream(stream);
    const process = new SimulatedProcess(this.time, chance);
    this.#processes.push(process);
    const connection = connectionOf(new SimulatedConnection(this.nats, process));
    const { clock, scheduler } = process;
    const system = createSystem({ clock, scheduler, random: chance, logger: silentLogger, ...hooks });
    return { process, connection, system };
  }
}
