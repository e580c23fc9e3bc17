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
    if (wanted(name)) yield await beside('array-mailbox', { name, what: 'pass', actors: count, atMost: 1.5 });
  }
  for (const count of RUN_QUEUE_COUNTS) {
    const name = `tell-beside-run-queue-among-${count}`;
    if (wanted(name)) yield await beside('run-queue', { name, what: 'pass', actors: count, atMost: 2 });
  }
  for (const peer of PEERS) {
    const name = `tell-beside-${peer}`;
    // An emitter is no actor: it has no mailbox and calls its listeners at once.
    const atMost = peer === 'event-emitter' ? 2 : 1 / 3;
    if (wanted(name)) yield await beside(peer, { name, what: 'tell', actors: PEER_ACTORS, atMost });
  }
  for (const peer of ASKED_PEERS) {
    const name = `ask-beside-${peer}`;
    if (wanted(name)) yield await beside(peer, { name, what: 'ask', actors: 1, atMost: 1 });
  }
  if (wanted('spawn')) yield await within('spawn', 'us', SPAWN_MICROSECONDS_MAX);
  if (wanted('bytes')) yield await within('bytes', 'bytes', BYTES_MAX);
}

interface Beside {
  readonly name: string;
  readonly what: 'pass' | 'tell' | 'ask';
  readonly actors: number;
  readonly atMost: number;
}

function beside(peer: string, { name, what, actors, atMost }: Beside): Promise<Row> {
  return compare({
    name,
    unit: what === 'ask' ? 'us (median)' : 'ns of CPU a message',
    goal: { atMost },
    rounds: ROUNDS,
    ours: () => measure(what, 'shoal', actors),
    baseline: () => measure(what, peer, actors),
  });
}

/** Measures beside a promised figure. */
async function within(what: 'spawn' | 'bytes', unit: string, baseline: number): Promise<Row> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push({ ours: await measure(what, 'shoal', SPAWNED), baseline });
  return rowOf({ name: `${what}-an-actor`, unit, goal: { atMost: 1 } }, rounds);
}

async function measure(what: string, library: string, actors: number): Promise<number> {
  const flags = ['--expose-gc', `--max-old-space-size=${HEAP_MIB_MAX}`];
  const { stdout } = await run(process.execPath, [...flags, MEASURE, what, library, String(actors)], {
    timeout: MEASUREMENT_MS_MAX,
  });
  return Number(stdout.trim().split('\n').at(-1));
}
