import { type Client, type ClientOptions, connect } from '../client/mod.ts';

/** Does something with a client, which is closed whatever comes of it. `await using` would say so, and Node 22 cannot read it. */
export async function withClient<T>(options: ClientOptions, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(options);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
