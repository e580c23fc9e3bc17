import { type Behaviour, createSystem, type Ref } from '../../src/actors/mod.ts';
import { child, supervisor } from '../../src/supervisor/mod.ts';

const helper: Behaviour<never> = (context) => {
  context.onStop(() => console.log('the helper is gone'));
  return () => undefined;
};
const job: Behaviour<'go'> = (context) => () => {
  console.log('the job is done');
  context.exit();
};

const system = createSystem();
let task: Ref<'go'> | undefined;
const root = await system.start(
  supervisor({
    autoShutdown: 'any_significant',
    children: [
      child({ id: 'helper', start: helper }),
      child({ id: 'job', start: job, restart: 'transient', significant: true, onRef: (ref) => (task = ref) }),
    ],
  }),
);
const over = system.ended(root);
task?.tell('go');
console.log((await over).reason.kind);

// prints: the job is done
// prints: the helper is gone
// prints: normal
