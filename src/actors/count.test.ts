/**
 * The one count of messages: whatever was sent was handled, or is a dead letter, and never both. Messages that were
 * refused at the sender are dead letters too. Each run is another plan and another interleaving.
 */
import { expect, it } from 'vitest';
import { interleavings, seededRandom, type TestKit } from './kit/mod.ts';
import type { Behaviour, Exit, Overflow, Ref } from './mod.ts';

const RUNS = 200;
const ACTORS = 5;
const STEPS = 60;
const OVERFLOWS: readonly Overflow[] = ['fail', 'drop-oldest', 'drop-newest', 'backpressure'];

interface Reply {
  readonly kind: 'reply';
}

type Message =
  | { readonly kind: 'letter' | 'crash' | 'exit' | 'open' | 'tick' }
  | { readonly kind: 'send'; readonly to: number; readonly how: 'tell' | 'offer' | 'ask' }
  | { readonly kind: 'question'; readonly replyTo: Ref<Reply> };

/** How often each message has come to an end. */
class Ledger {
  readonly ends = new Map<unknown, string[]>();
  deadLetters = 0;

  send<T>(message: T): T {
    this.ends.set(message, []);
    return message;
  }

  /** What actors send themselves is not counted. */
  end(message: unknown, how: string): void {
    this.ends.get(message)?.push(how);
  }
}

interface World {
  readonly kit: TestKit;
  readonly ledger: Ledger;
  readonly refs: readonly Ref<Message>[];
  readonly random: () => number;
}

it('sent = handled + dead letters, whatever fails, ends, waits or is put aside meanwhile', async () => {
  let ledger = new Ledger();
  const onDeadLetter = ({ message, why }: { message: unknown; why: string }): void => {
    ledger.deadLetters += 1;
    ledger.end(message, why);
  };
  const seen = new Set<string>();
  await interleavings(
    async (kit) => {
      ledger = new Ledger();
      await oneRun(kit, ledger);
      expect(ledger.deadLetters).toBe(kit.system.deadLetters.count);
      for (const [message, ends] of ledger.ends) expect([message, ends.length]).toEqual([message, 1]);
      for (const ends of ledger.ends.values()) seen.add(ends[0] ?? '');
    },
    { runs: RUNS, onDeadLetter },
  );
  // Each kind of end has happened, so the plan is not vacuous.
  if (process.env['SHOAL_SEED'] !== undefined && process.env['SHOAL_SEED'] !== '') return;
  expect([...seen].sort()).toEqual(
    ['dropped', 'handled', 'late-reply', 'mailbox-full', 'second-reply', 'stash-full', 'stopped'].sort(),
  );
});

async function oneRun(kit: TestKit, ledger: Ledger): Promise<void> {
  const random = seededRandom(kit.seed ?? 0);
  const pick = (below: number): number => Math.floor(random() * below);
  const refs: Ref<Message>[] = [];
  const world: World = { kit, ledger, refs, random };
  const owner = kit.system.spawn<Exit>((context) => {
    for (let actor = 0; actor < ACTORS; actor++) {
      const options = { name: String(actor), capacity: 1 + pick(5), overflow: OVERFLOWS[pick(4)] ?? 'fail' };
      refs.push(context.spawn(member(world), options));
    }
    for (const ref of refs) context.watch(ref, (exit) => exit);
    return async ({ path }) => {
      const ended = refs.find((ref) => ref.path === path);
      if (ended === undefined || random() < 0.3) return;
      await context.restart(ended).catch(() => undefined);
      context.watch(ended, (exit) => exit);
    };
  });
  for (let step = 0; step < STEPS; step++) {
    const to = refs[pick(ACTORS)];
    const how = (['tell', 'offer', 'ask'] as const)[pick(3)] ?? 'tell';
    const kind = (['crash', 'exit', 'open', 'open'] as const)[pick(4)] ?? 'open';
    to?.tell(ledger.send<Message>(random() < 0.85 ? { kind: 'send', to: pick(ACTORS), how } : { kind }));
    if (random() < 0.3) await Promise.resolve();
    if (random() < 0.1) await kit.advance(1);
  }
  await kit.advance(1);
  const stopped = kit.system.stop(owner);
  // After this, all handlers, asks and late replies are over.
  await kit.advance(10);
  await stopped;
}

function member({ kit, ledger, refs, random }: World): Behaviour<Message> {
  const chance = (of: number): boolean => random() < of;
  const send = (to: Ref<Message> | undefined, how: 'tell' | 'offer' | 'ask'): void => {
    if (to === undefined) return;
    if (how === 'tell') to.tell(ledger.send<Message>({ kind: 'letter' }));
    else if (how === 'offer') void kit.system.offer(to, ledger.send<Message>({ kind: 'letter' }));
    else {
      const question = (replyTo: Ref<Reply>): Message => ledger.send<Message>({ kind: 'question', replyTo });
      kit.system.ask(to, question, 1 + random() * 2).then(
        (reply) => ledger.end(reply, 'handled'),
        () => undefined,
      );
    }
  };
  const reply = (to: Ref<Reply>): void => void to.tell(ledger.send<Reply>({ kind: 'reply' }));
  return async (context) => {
    let isOpen = chance(0.6);
    const cancel = context.every(1, () => ({ kind: 'tick' }));
    if (chance(0.3)) await Promise.resolve();
    if (chance(0.1)) throw new Error('it does not start');
    return (message) => {
      if (message.kind === 'letter' && !isOpen) return context.stash(message);
      ledger.end(message, 'handled');
      if (message.kind === 'send') send(refs[message.to], message.how);
      if (message.kind === 'tick' && chance(0.3)) cancel();
      if (message.kind === 'question') {
        if (chance(0.6)) reply(message.replyTo);
        if (chance(0.3)) reply(message.replyTo);
        if (chance(0.3)) context.clock.timer(random() * 4, () => reply(message.replyTo));
      }
      if (message.kind === 'open') {
        isOpen = true;
        context.unstashAll();
      }
      if (message.kind === 'exit') context.exit();
      if (message.kind === 'crash') throw new Error('crash');
      if (chance(0.2)) return Promise.resolve();
      if (chance(0.1)) return new Promise((resolve) => context.clock.timer(random(), () => resolve()));
      return undefined;
    };
  };
}
