import { type Behaviour, createSystem, type Ref } from '../../src/actors/mod.ts';
import { countChildren, dynamicSupervisor, startInstance, terminateInstance } from '../../src/supervisor/mod.ts';

type Question = { readonly kind: 'greet'; readonly replyTo: Ref<string> } | { readonly kind: 'leave' };

const guest =
  (name: string): Behaviour<Question> =>
  (context) =>
  (question) => {
    if (question.kind === 'leave') context.exit();
    else question.replyTo.tell(`${name} greets you`);
  };

const system = createSystem();
const guests = await system.start(dynamicSupervisor({ template: { start: guest, restart: 'transient' } }));

const ann = await startInstance(system, guests, 'Ann');
const bob = await startInstance(system, guests, 'Bob');
if (ann === undefined || bob === undefined) throw new Error('a guest was not wanted');

console.log(await system.ask<Question, string>(ann, (replyTo) => ({ kind: 'greet', replyTo }), 1_000));
const left = system.ended(bob);
bob.tell({ kind: 'leave' });
await left;
console.log(await countChildren(system, guests));
await terminateInstance(system, guests, ann);
console.log(await countChildren(system, guests));
await system.shutdown();

// prints: Ann greets you
// prints: { specs: 1, active: 1, supervisors: 0, workers: 1 }
// prints: { specs: 1, active: 0, supervisors: 0, workers: 0 }
