import { type ActorSystem, createSystem, type DeadLetter, type Ref } from '../../src/actors/mod.ts';
import { createShards, moduleBeside, type Shards, transfer } from '../../src/shards/mod.ts';
import { add, type behaviours, COUNTS, type CountedMessage, send } from './counted.ts';

export interface Totals {
  readonly sent: number;
  readonly refused: number;
  readonly handled: number;
  readonly deadLetters: number;
}

/** A system with shards whose actors count their messages. */
export interface CountedSystem extends AsyncDisposable {
  readonly system: ActorSystem;
  readonly shards: Shards<typeof behaviours>;
  readonly counts: Int32Array;
  readonly letters: readonly DeadLetter[];
  readonly totals: Totals;
  tell(to: Ref<CountedMessage>, message: CountedMessage): void;
  offer(to: Ref<CountedMessage>, message: CountedMessage): Promise<void>;
  /** An actor on a shard, at the top. */
  placed(name: string, options?: { readonly capacity?: number }): Promise<Ref<CountedMessage>>;
  /** Resolves when each message that was sent is accounted for. Rejects if that never happens. */
  settled(expected?: Expected): Promise<void>;
}

export interface Expected {
  /** How many messages there will be; by default nothing may change for a while. */
  readonly sent?: number;
  /** So many messages may be missing or counted twice; default 0. */
  readonly slack?: number;
}

/** What supervisors tell themselves may be a dead letter too, when they end. */
function isCounted({ message }: DeadLetter): boolean {
  return typeof message === 'string' || (typeof message === 'object' && message !== null && 'steps' in message);
}

const SETTLE_MS = 30_000;
const LOOK_MS = 5;
/** Looks without a change after which we believe that all is quiet. */
const QUIET_LOOKS = 10;

export function countedSystem(count: number): CountedSystem {
  const counts = new Int32Array(new SharedArrayBuffer(COUNTS.length * Int32Array.BYTES_PER_ELEMENT));
  // The arguments of actors on shards.
  transfer(counts, [counts.buffer]);
  const letters: DeadLetter[] = [];
  const system = createSystem({
    onDeadLetter: (letter) => letters.push(letter),
    onFailure: () => undefined,
  });
  const shards = createShards<typeof behaviours>({
    system,
    count,
    module: moduleBeside(import.meta.url, 'counted'),
    // The module takes none.
    options: undefined as never,
    onFailure: () => undefined,
    beatMs: 50,
  });
  const counted: CountedSystem = {
    system,
    shards,
    counts,
    letters,
    get totals() {
      const [sent = 0, refused = 0, handled = 0] = counts;
      const deadLetters = letters.filter(isCounted).reduce((sum, { count = 1 }) => sum + count, 0);
      return { sent, refused, handled, deadLetters };
    },
    tell: (to, message) => send(counts, to, message),
    async offer(to, message) {
      add(counts, 'sent');
      if (!(await system.offer(to, message))) add(counts, 'refused');
    },
    placed(name, options = {}) {
      const { start, ...spawn } = shards.actor('counted', counts, options);
      return system.start(start, { ...spawn, name });
    },
    async settled({ sent: expected, slack = 0 } = {}) {
      const limitMs = performance.now() + SETTLE_MS;
      let last = '';
      for (let quiet = 0; quiet < QUIET_LOOKS; ) {
        const { sent, handled, deadLetters } = counted.totals;
        const isSettled = Math.abs(sent - handled - deadLetters) <= slack;
        if (isSettled && sent === expected) return;
        const now = JSON.stringify(counted.totals);
        quiet = isSettled && expected === undefined && now === last ? quiet + 1 : 0;
        last = now;
        if (performance.now() > limitMs) throw new Error(`not accounted for: ${now}`);
        // pause: until the messages have arrived
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    async [Symbol.asyncDispose]() {
      await system.shutdown();
      await shards.stop();
    },
  };
  return counted;
}
