import { type Codec, connect, type Msg, StringCodec } from 'nats';
import { DirectLink } from './direct-link.ts';

/**
 * A NATS queue group in front of VMs, one subscriber for each: the server gives a request to any of them, whether its VM is busy or not, and
 * a subscriber gives its VM one request at a time. Arguments: URL of the server, subject, the VMs' addresses.
 */
const [servers = '', subject = '', ...addresses] = process.argv.slice(2);
const text: Codec<string> = StringCodec();
const connection = await connect({ servers, noAsyncTraces: true });
for (const address of addresses) {
  const [ip = '', port = ''] = address.split(':');
  const link = await DirectLink.open(ip, Number(port));
  let last: Promise<unknown> = Promise.resolve();
  const work = async (message: Msg): Promise<void> => {
    const reply = await link.request(text.decode(message.data), message.headers?.get('Shoal-Op') ?? '');
    message.respond(text.encode(reply));
  };
  connection.subscribe(subject, {
    queue: 'vms',
    callback: (error, message) => {
      if (error === null) last = last.then(() => work(message));
    },
  });
}
await connection.flush();
process.stdout.write('ready\n');
// The links to the VMs would keep it alive.
process.on('SIGTERM', () => process.exit());
