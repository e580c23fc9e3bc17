import { hostname } from 'node:os';
import { connect } from 'nats';
import { ReplyHeaders } from '../../src/transport/mod.ts';

/**
 * A NATS service in Node that only echoes: the lower bound of any service. Its replies have the headers of Shoal's, so that client and server
 * carry the same messages. Arguments: URL of the server, subject.
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
