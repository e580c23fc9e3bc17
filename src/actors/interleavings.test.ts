/**
 * What holds whatever takes its turn when: each run is another plan and another interleaving, and a failure names its
 * seed.
 */
import { expect, it } from 'vitest';
import { interleavings, seededRandom, type TestKit } from './kit/mod.ts';
import type { Behaviour, Exit, Overflow, Ref } from './mod.ts';

const RUNS = 200;
const ACTORS = 5;
/** Fewer than the dead letters that the system keeps. */
const STEPS = 45;
const OVERFLOWS: readonly Overflow[] = ['fail', 'drop-oldest', 'drop-newest', 'backpressure'];

/** Numbered separately for each sender and receiver. */
interface Letter {
  readonly kind: 'letter';
  readonly from: number;
  readonly to: number;
  readonly n: number;
}

type Message = Letter | { readonly kind: 'send'; readonly to: number } | { readonly kind: 'crash' | 'exit' | 'open' };

/** What a run records, to be checked at its end. */
class Log {
  readonly sent: Letter[] = [];
  readonly received: Letter[] = [];
  readonly wrongs: string[] = [];
  readonly #inHand = new Set<number>();
  readonly #running = new Set<number>();

  letter(from: number, to: number): Letter {
    const n = this.sent.filter((other) => other.from === from && other.to === to).length;
    const letter: Letter = { kind: 'letter', from, to, n };
    this.sent.push(letter);
    return letter;
  }

  started(actor: number): void {
    this.#running.add(actor);
  }

  ended(actor: number): void {
    this.#running.delete(actor);
    this.#inHand.delete(actor);
  }

  begins(actor: number): void {
    if (this.#inHand.has(actor)) this.wrongs.push(`${actor} was re-entered`);
    if (!this.#running.has(actor)) this.wrongs.push(`${actor} got a message after its end`);
    this.#inHand.add(actor);
  }

  done(actor: number): void {
    this.#inHand.delete(actor);
  }
}

it('order between a pair, no loss without a dead letter, nothing after the end, never re-entrant, nobody waits for ever', async () => {
  await interleavings(oneRun, { runs: RUNS });
});

async function oneRun(kit: TestKit): Promise<void> {
  const random = seededRandom(kit.seed ?? 0);
  const pick = (below: number): number => Math.floor(random() * below);
  const log = new Log();
  const refs: Ref<Message>[] = [];
  const owner = kit.system.spawn<Exit>((context) => {
    for (let actor = 0; actor < ACTORS; actor++) {
      const options = { name: String(actor), capacity: 1 + pick(6), overflow: OVERFLOWS[pick(4)] ?? 'fail' };
      refs.push(context.spawn(member(actor, refs, log, random), options));
    }
    for (const ref of refs) context.watch(ref, (exit) => exit);
    return async ({ path }) => {
      const ended = refs.find((ref) => ref.path === path);
      if (ended === undefined || random() < 0.3) return;
      await context.restart(ended);
      context.watch(ended, (exit) => exit);
    };
  });
  for (let step = 0; step < STEPS; step++) {
    const kind = random() < 0.8 ? 'send' : ((['crash', 'exit', 'open'] as const)[pick(3)] ?? 'open');
    refs[pick(ACTORS)]?.tell(kind === 'send' ? { kind, to: pick(ACTORS) } : { kind });
    if (random() < 0.3) await Promise.resolve();
    if (random() < 0.1) await kit.advance(1);
  }
  await kit.advance(1);
  const waiting = kit.system.tree().children.flatMap(({ children }) => children.map(({ depth }) => depth));
  expect(waiting.filter((depth) => depth > 0)).toEqual([]);
  await kit.system.stop(owner);
  judge(log, kit);
}

/** Handles letters at once, or puts them aside until it is opened. Some of its handlers take a while. */
function member(self: number, refs: readonly Ref<Message>[], log: Log, random: () => number): Behaviour<Message> {
  return (context) => {
    let isOpen = random() < 0.6;
    log.started(self);
    context.onStop(() => log.ended(self));
    return async (message) => {
      log.begins(self);
      if (message.kind === 'send') refs[message.to]?.tell(log.letter(self, message.to));
      if (message.kind === 'letter' && isOpen) log.received.push(message);
      if (message.kind === 'letter' && !isOpen) context.stash(message);
      if (random() < 0.3) await Promise.resolve();
      if (random() < 0.1) await new Promise((resolve) => context.clock.timer(0, () => resolve(undefined)));
      if (message.kind === 'open') {
        isOpen = true;
        context.unstashAll();
      }
      log.done(self);
      if (message.kind === 'exit') context.exit();
      if (message.kind === 'crash') throw new Error('crash');
    };
  };
}

function judge(log: Log, kit: TestKit): void {
  expect(log.wrongs).toEqual([]);
  const { deadLetters } = kit.system;
  const letters = deadLetters.latest().filter(({ message }) => log.sent.includes(message as Letter)); // Identity alone counts.
  expect(deadLetters.count).toBe(deadLetters.latest().length);
  for (const letter of log.sent) {
    const dead = letters.filter(({ message }) => message === letter);
    const arrivals = log.received.filter((other) => other === letter).length;
    expect([arrivals + dead.length, letter]).toEqual([1, letter]);
    for (const { from, to } of dead)
      expect([from, to].map((path) => path.at(-1))).toEqual([`${letter.from}`, `${letter.to}`]);
  }
  for (let from = 0; from < ACTORS; from++) {
    for (let to = 0; to < ACTORS; to++) {
      const arrived = log.received.filter((letter) => letter.from === from && letter.to === to).map(({ n }) => n);
      expect(arrived).toEqual([...arrived].sort((one, other) => one - other));
    }
  }
}
