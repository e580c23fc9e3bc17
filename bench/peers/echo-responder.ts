import { hostname } from 'node:os';
import { connect } from 'nats';
import { ReplyHeaders } from '../../src/transport/mod.ts';

/**
 * A NATS service in Node that does nothing: the floor under a service that does something. Its replies have the headers of ours, so that
 * client and server have the same messages to carry. Arguments: the server's URL, the subject.
 */
const [servers = '', subject = ''] = process.argv.slice(2);
const headers = new ReplyHeaders().of(1, hostname());
const connection = await connect({ servers, noAsyncTraces: true });
connection.subscribe(subject, {
  queue: 'echo',
  callback: (error, message) => {
    if (error === null) message.respond(message.data, { headers });
  },
});
await connection.flush();
process.stdout.write('ready\n');
process.on('SIGTERM', () => void connection.close());
