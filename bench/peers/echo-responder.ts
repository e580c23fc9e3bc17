import { connect } from 'nats';

/** A NATS service in Node that does nothing: the floor under a service that does something. Argument: the server's URL, the subject. */
const [servers = '', subject = ''] = process.argv.slice(2);
const connection = await connect({ servers, noAsyncTraces: true });
connection.subscribe(subject, {
  queue: 'echo',
  callback: (error, message) => {
    if (error === null) message.respond(message.data);
  },
});
await connection.flush();
process.stdout.write('ready\n');
process.on('SIGTERM', () => void connection.close());
