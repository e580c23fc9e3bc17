/**
 * `host-process.ts URL`: a host named `far` with an actor that replies, that fails when it is told to, and that counts
 * notes. Prints a line once it has joined. It ends when its standard input does.
 */
import { createSystem, type Ref, silentLogger } from '../../actors/mod.ts';
import { joinHosts, natsPort } from '../../remote/mod.ts';
import { connect } from '../mod.ts';

export type FarMessage =
  | { readonly kind: 'note'; readonly n: number }
  | { readonly kind: 'notes'; readonly replyTo: Ref<readonly number[]> }
  | { readonly kind: 'keep'; readonly replyTo: Ref<never> }
  | { readonly kind: 'fail' };

const [servers = ''] = process.argv.slice(2);
const { nc, close } = await connect({ servers, name: 'far' });
const system = createSystem({ logger: silentLogger });
const hosts = joinHosts({
  system,
  port: natsPort(nc),
  group: 'test.hosts',
  host: 'far',
  about: `process ${process.pid}`,
});
hosts.expose('actor', spawn());
hosts.expose('other', spawn());
process.stdout.write('joined\n');
process.stdin.resume().on('end', () => {
  hosts.leave();
  void system.shutdown().then(close);
});

function spawn(): Ref<FarMessage> {
  return system.spawn<FarMessage>(() => {
    const notes: number[] = [];
    return (message) => {
      switch (message.kind) {
        case 'note':
          notes.push(message.n);
          return;
        case 'notes':
          message.replyTo.tell(notes);
          return;
        case 'keep':
          return;
        case 'fail':
          throw new Error('as told');
      }
    };
  });
}
