/** Whatever actors do, Node's timers and I/O have their turn. */
import { expect, it, onTestFinished } from 'vitest';
import { testKit } from './kit/mod.ts';
import { type ActorSystem, createSystem, type Receive, type Ref } from './mod.ts';

/** If nothing else comes first, the actors end after so many messages, because nothing could end them any more. */
const MESSAGES_MAX = 200_000;

/** A promise of another kind than JavaScript's. */
class Thenable implements PromiseLike<void> {
  // biome-ignore lint/suspicious/noThenProperty: it is meant to be a thenable
  then: PromiseLike<void>['then'] = (done, failed) => Promise.resolve().then(done, failed);
}

/** Handlers that pass a message on to the next actor. */
const HANDLERS: Record<string, readonly ((pass: () => void) => Receive<number>)[]> = {
  plain: [(pass) => () => pass()],
  async: [(pass) => async () => pass()],
  'plain and async': [(pass) => () => pass(), (pass) => async () => pass()],
  'async, after an await,': [
    (pass) => async () => {
      await Promise.resolve();
      pass();
    },
  ],
  thenable: [
    (pass) => () => {
      pass();
      return new Thenable();
    },
  ],
};

/** Two actors that send each other messages until somebody ends the system, or there were too many. */
function endless(system: ActorSystem, kind: string): () => number {
  const handlers = HANDLERS[kind] ?? [];
  let messages = 0;
  const refs: Ref<number>[] = [0, 1].map((at) => {
    const pass = (): void => {
      messages += 1;
      if (messages < MESSAGES_MAX) refs[1 - at]?.tell(messages);
    };
    const receive = handlers[at % handlers.length]?.(pass) ?? (() => undefined);
    return system.spawn<number>(() => receive);
  });
  refs[0]?.tell(0);
  return () => messages;
}

it.each(Object.keys(HANDLERS))('timers and I/O have their turn while %s handlers feed each other', async (kind) => {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const messages = endless(system, kind);
  // pause: until a timer has its turn, which is what is tested
  await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(messages()).toBeLessThan(MESSAGES_MAX);
});

it.each(Object.keys(HANDLERS))('they have it under a seed too, with %s handlers', async (kind) => {
  const kit = testKit({ seed: 1 });
  onTestFinished(() => kit.system.shutdown());
  const messages = endless(kit.system, kind);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(messages()).toBeLessThan(MESSAGES_MAX);
});

it('they have it while code outside of actors asks for ever', async () => {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  const echo = system.spawn<Ref<string>>(() => (replyTo) => void replyTo.tell('yes'));
  let asks = 0;
  let isOver = false;
  const asking = (async () => {
    while (!isOver && asks < MESSAGES_MAX) {
      await system.ask(echo, (replyTo: Ref<string>) => replyTo, 60_000);
      asks += 1;
    }
  })();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  isOver = true;
  await asking;
  expect(asks).toBeLessThan(MESSAGES_MAX);
});

it('a backlog of long messages leaves room for a timer after each', async () => {
  const system = createSystem();
  onTestFinished(() => system.shutdown());
  let handled = 0;
  const busy = system.spawn<number>(() => () => {
    handled += 1;
    const startMs = performance.now();
    // pause: until this message was a long one, by the clock that the scheduler reads
    while (performance.now() - startMs < 0.5);
  });
  for (let n = 0; n < 100; n++) busy.tell(n);
  // pause: until a timer has its turn, which is what is tested
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(handled).toBeLessThan(100);
});
