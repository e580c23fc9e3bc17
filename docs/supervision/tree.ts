import { type Behaviour, createSystem, type Ref } from '../../src/actors/mod.ts';
import { child, supervisor, whichChildren } from '../../src/supervisor/mod.ts';

type Command = 'work' | 'fail';

/** Prints when it starts and when it ends. */
const part =
  (name: string): Behaviour<Command> =>
  (context) => {
    console.log(`${name} starts`);
    context.onStop(() => console.log(`${name} ends`));
    return (command) => {
      if (command === 'fail') throw new Error(`${name} failed`);
    };
  };

const system = createSystem();
let connection: Ref<Command> | undefined;

// Each child uses the children on its left: it starts after them, ends before them, and is restarted with them.
const root = await system.start(
  supervisor({
    strategy: 'rest_for_one',
    intensity: 3,
    periodMs: 10_000,
    children: [
      child({ id: 'settings', start: part('settings') }),
      child({ id: 'connection', start: part('connection'), onRef: (ref) => (connection = ref) }),
      child({ id: 'subscription', start: part('subscription'), shutdown: 500 }),
    ],
  }),
);
console.log('all have started');

if (connection === undefined) throw new Error('it has been started above');
const failed = system.ended(connection);
connection.tell('fail');
await failed;
// A supervisor does one thing at a time: it answers when the restart is done.
console.log((await whichChildren(system, root)).map(({ id, state }) => `${id} ${state}`).join(', '));
await system.stop(root);

// prints: settings starts
// prints: connection starts
// prints: subscription starts
// prints: all have started
// prints: connection ends
// prints: subscription ends
// prints: connection starts
// prints: subscription starts
// prints: settings running, connection running, subscription running
// prints: subscription ends
// prints: connection ends
// prints: settings ends
