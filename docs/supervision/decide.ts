import { type Behaviour, createSystem } from '../../src/actors/mod.ts';
import { child, childRef, type Directive, supervisor, whichChildren } from '../../src/supervisor/mod.ts';

class BadAmount extends Error {}

const ledger: Behaviour<number> = () => {
  let sum = 0;
  return (amount) => {
    if (Number.isNaN(amount)) throw new BadAmount('an amount is a number');
    if (amount > 1_000) throw new RangeError('the ledger is too small');
    sum += amount;
    console.log(sum);
  };
};

/** A bad amount harms nothing, and no restart makes the ledger larger. */
const onError = (error: unknown): Directive => {
  if (error instanceof BadAmount) return 'resume';
  return error instanceof RangeError ? 'stop' : 'restart';
};

const system = createSystem();
const spec = child({ id: 'ledger', start: ledger, onError });
const root = await system.start(supervisor({ children: [spec] }));
const ref = await childRef(system, root, spec);
if (ref === undefined) throw new Error('it has been started above');
const ended = system.ended(ref);
for (const amount of [1, Number.NaN, 2, 5_000]) ref.tell(amount);
await ended;
console.log((await whichChildren(system, root)).map(({ id, state }) => `${id} ${state}`).join());
await system.shutdown();

// prints: 1
// prints: 3
// prints: ledger stopped
