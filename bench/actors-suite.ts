import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compare, type Round, type Row, rowOf } from './compare.ts';

const ROUNDS = 3;
const COUNTS = [10, 1_000, 100_000, 1_000_000];
/** A lower bound that is tighter where few actors have much to do. */
const RUN_QUEUE_COUNTS = [10, 1_000];
const PEERS = ['nact', 'comedy', 'xstate', 'effect', 'event-emitter'];
const ASKED_PEERS = ['nact', 'comedy', 'effect'];
const PEER_ACTORS = 1_000;
/** Callers of one actor, each of which asks again as soon as it has its reply. */
const IN_FLIGHT = [100, 1_000];
const MANY_ACTORS = 100_000;
/** The aims beside the peers that take so many actors: the others overflow the stack, or take minutes. */
const MANY_PEERS: Readonly<Record<string, number>> = { 'run-queue': 1.5, comedy: 1 / 3 };
const SPAWNED = 100_000;
const SPAWN_MICROSECONDS_MAX = 10;
const BYTES_MAX = 1_000;
/** A measurement takes a few seconds; with a million actors on a busy machine, less than a minute. */
const MEASUREMENT_MS_MAX = 120_000;
const HEAP_MIB_MAX = 4_096;

const MEASURE = fileURLToPath(new URL('./actors/measure.ts', import.meta.url));
const run = promisify(execFile);

/** The cost of the actor runtime within one thread, beside the smallest possible mailbox and beside libraries from npm. */
export async function* actorsSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  for (const count of COUNTS) {
    const name = `tell-among-${count}`;
    if (wanted(name)) yield await beside('array-mailbox', { name, what: 'pass', count, atMost: 1.5 });
  }
  for (const count of RUN_QUEUE_COUNTS) {
    const name = `tell-beside-run-queue-among-${count}`;
    if (wanted(name)) yield await beside('run-queue', { name, what: 'pass', count, atMost: 2 });
  }
  for (const peer of PEERS) {
    const name = `tell-beside-${peer}`;
    // An emitter is no actor: it has no mailbox and calls its listeners at once.
    const atMost = peer === 'event-emitter' ? 2 : 1 / 3;
    if (wanted(name)) yield await beside(peer, { name, what: 'tell', count: PEER_ACTORS, atMost });
  }
  for (const peer of ASKED_PEERS) {
    const name = `ask-beside-${peer}`;
    if (wanted(name)) yield await beside(peer, { name, what: 'ask', count: 1, atMost: 1 });
  }
  for (const inFlight of IN_FLIGHT) {
    for (const peer of ASKED_PEERS) {
      const name = `ask-${inFlight}-in-flight-beside-${peer}`;
      if (wanted(name)) yield await beside(peer, { name, what: 'ask-in-flight', count: inFlight, atMost: 0.5 });
    }
  }
  for (const what of ['ring', 'fan'] as const) {
    for (const [peer, atMost] of Object.entries(MANY_PEERS)) {
      const name = `${what}-of-${MANY_ACTORS}-beside-${peer}`;
      if (wanted(name)) yield await beside(peer, { name, what, count: MANY_ACTORS, atMost });
    }
  }
  if (wanted('spawn')) yield await within('spawn', 'us', SPAWN_MICROSECONDS_MAX);
  if (wanted('bytes')) yield await within('bytes', 'bytes', BYTES_MAX);
}

const UNITS = {
  pass: 'ns of CPU a message',
  tell: 'ns of CPU a message',
  ring: 'ns of CPU a message',
  fan: 'ns of CPU a message',
  ask: 'us (median)',
  'ask-in-flight': 'us of CPU an ask',
};

interface Beside {
  readonly name: string;
  readonly what: keyof typeof UNITS;
  /** Actors, or asks in flight. */
  readonly count: number;
  readonly atMost: number;
}

function beside(peer: string, { name, what, count, atMost }: Beside): Promise<Row> {
  return compare({
    name,
    unit: UNITS[what],
    goal: { atMost },
    rounds: ROUNDS,
    ours: () => measure(what, 'shoal', count),
    baseline: () => measure(what, peer, count),
  });
}

/** Measures beside a promised figure. */
async function within(what: 'spawn' | 'bytes', unit: string, baseline: number): Promise<Row> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push({ ours: await measure(what, 'shoal', SPAWNED), baseline });
  return rowOf({ name: `${what}-an-actor`, unit, goal: { atMost: 1 } }, rounds);
}

/** @throws Error if the measurement fails, such as for a message that did not arrive */
async function measure(what: string, library: string, count: number): Promise<number> {
  const flags = ['--expose-gc', `--max-old-space-size=${HEAP_MIB_MAX}`];
  const { stdout } = await run(process.execPath, [...flags, MEASURE, what, library, String(count)], {
    timeout: MEASUREMENT_MS_MAX,
  });
  return Number(stdout.trim().split('\n').at(-1));
}
