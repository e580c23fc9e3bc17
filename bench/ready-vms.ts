import { type Connection, connect, fleetEventIn, subjectsOf } from '../src/transport/mod.ts';

const PATIENCE_MS = 60_000;

/** Hears of VMs that become ready. To look at the fleet again and again would take CPU time from what is measured. */
export class ReadyVms implements AsyncDisposable {
  readonly #connection: Connection;
  #missing = 0;
  #onAll = (): void => undefined;

  private constructor(connection: Connection, fleet: string) {
    this.#connection = connection;
    connection.nc.subscribe(subjectsOf(fleet).events, {
      callback: (_error, message) => {
        if (fleetEventIn(message)?.kind === 'vm-ready' && --this.#missing === 0) this.#onAll();
      },
    });
  }

  /** Resolves when the server has the subscription. */
  static async open({ nats, fleet }: { readonly nats: string; readonly fleet: string }): Promise<ReadyVms> {
    const connection = await connect({ servers: nats, name: `bench-${fleet}-ready` });
    const ready = new ReadyVms(connection, fleet);
    await connection.nc.flush();
    return ready;
  }

  /** Resolves when as many more VMs are ready; to be called before they are started. @throws Error after a minute */
  more(count: number): Promise<void> {
    this.#missing = count;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#missing} of ${count} VMs are not ready`)), PATIENCE_MS);
      this.#onAll = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }
}
