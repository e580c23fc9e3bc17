import { type Connection, connect, createRequester, type Requester } from '../../src/transport/mod.ts';

/** Calls a fleet and its peer in the same way: by the requester, without the resending of the client library. */
export class PlainClient implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #requester: Requester;

  private constructor(connection: Connection, fleet: string) {
    this.#connection = connection;
    this.#requester = createRequester(connection.nc, { fleet });
  }

  static async open(servers: string, fleet: string): Promise<PlainClient> {
    return new PlainClient(await connect({ servers, name: `bench-${fleet}` }), fleet);
  }

  async request(text: string, op = ''): Promise<string> {
    const { payload } = await this.#requester.request(new TextEncoder().encode(text), { op });
    return new TextDecoder().decode(payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#requester.close();
    await this.#connection.close();
  }
}
