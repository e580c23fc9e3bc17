import { type Behaviour, createSystem } from '../../src/actors/mod.ts';
import { child, supervisor, whichChildren } from '../../src/supervisor/mod.ts';

let attempts = 0;
let connected = (): void => undefined;
const success = new Promise<void>((resolve) => {
  connected = resolve;
});

/** Connects to a peer that does not answer twice. */
const peer: Behaviour<'break'> = () => {
  attempts += 1;
  console.log(`attempt ${attempts}`);
  if (attempts === 2 || attempts === 3) throw new Error('the peer does not answer');
  if (attempts === 4) connected();
  return () => {
    throw new Error('the connection broke');
  };
};

const system = createSystem();
const root = await system.start(
  supervisor({
    // The back-off sets the pace, so the supervisor need not give up.
    intensity: Number.POSITIVE_INFINITY,
    backOff: { minMs: 5, maxMs: 1_000, factor: 2, jitter: 0.2 },
    children: [child<'break'>({ id: 'peer', start: peer, onRef: (ref) => attempts === 0 && ref.tell('break') })],
  }),
);

const [info] = await whichChildren(system, root);
console.log(info?.state);
await success;
await system.shutdown();

// prints: attempt 1
// prints: restarting
// prints: attempt 2
// prints: attempt 3
// prints: attempt 4
