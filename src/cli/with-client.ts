import { connect } from '../client/mod.ts';

type ConnectOptions = NonNullable<Parameters<typeof connect>[0]>;
type Client = Awaited<ReturnType<typeof connect>>;

/** Does something with a client, which is closed whatever comes of it. `await using` would say so, and Node 22 cannot read it. */
export async function withClient<T>(options: ConnectOptions, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(options);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
