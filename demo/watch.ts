import type { FleetEvent, FleetSnapshot } from '../src/fleet/mod.ts';
import { type Connection, callAdmin, connect, fleetEventIn, subjectsOf } from '../src/transport/mod.ts';

/** What the demo sees of its fleet: the VMs of this moment, and what has been told since. */
export class Watch implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #fleet: string;
  started = 0;
  gone = 0;

  private constructor(connection: Connection, fleet: string) {
    this.#connection = connection;
    this.#fleet = fleet;
    connection.nc.subscribe(subjectsOf(fleet).events, {
      callback: (error, message) => {
        if (error === null) this.#see(fleetEventIn(message));
      },
    });
  }

  static async open(servers: string, fleet: string): Promise<Watch> {
    const connection = await connect({ servers, name: 'shoal-demo-watch' });
    const watch = new Watch(connection, fleet);
    await connection.nc.flush();
    return watch;
  }

  async snapshot(): Promise<FleetSnapshot> {
    // The verb `ps` returns this type.
    return (await callAdmin(this.#connection.nc, this.#fleet, 'ps', {})) as FleetSnapshot;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }

  #see(event: FleetEvent | undefined): void {
    if (event?.kind === 'vm-start') this.started += 1;
    if (event?.kind === 'vm-gone') this.gone += 1;
  }
}
