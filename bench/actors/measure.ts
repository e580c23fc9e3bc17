/**
 * `measure.ts WHAT LIBRARY COUNT` prints one figure; COUNT is the number of actors, or of asks in flight. Each measurement has a process of its own, so that heap and compiled code of another
 * library do not affect it.
 */
import { open as openArrayMailbox } from '../peers/actors/array-mailbox.ts';
import type { ActorLibrary } from '../peers/actors/library.ts';
import { open as openRunQueue } from '../peers/actors/run-queue.ts';
import { open as openShoal } from '../peers/actors/shoal.ts';
import { askInFlightMicroseconds, askMicroseconds } from './ask.ts';
import { bytesAnActor, spawnMicroseconds } from './spawn.ts';
import { fanNanoseconds, passNanoseconds, ringNanoseconds, tellNanoseconds } from './tell.ts';

/** Only the measured library is loaded. */
const LIBRARIES: Readonly<Record<string, () => ActorLibrary | Promise<ActorLibrary>>> = {
  shoal: openShoal,
  'array-mailbox': openArrayMailbox,
  'run-queue': openRunQueue,
  nact: async () => (await import('../peers/actors/nact.ts')).open(),
  comedy: async () => (await import('../peers/actors/comedy.ts')).open(),
  xstate: async () => (await import('../peers/actors/xstate.ts')).open(),
  effect: async () => (await import('../peers/actors/effect.ts')).open(),
  'event-emitter': async () => (await import('../peers/actors/event-emitter.ts')).open(),
};

const MEASUREMENTS: Readonly<Record<string, (library: ActorLibrary, actors: number) => Promise<number>>> = {
  pass: passNanoseconds,
  tell: tellNanoseconds,
  ring: ringNanoseconds,
  fan: fanNanoseconds,
  ask: askMicroseconds,
  'ask-in-flight': askInFlightMicroseconds,
  spawn: spawnMicroseconds,
  bytes: bytesAnActor,
};

const [what = '', name = '', actors = '1'] = process.argv.slice(2);
const measurement = MEASUREMENTS[what];
const openLibrary = LIBRARIES[name];
if (measurement === undefined || openLibrary === undefined) throw new Error(`there is no ${what} of ${name}`);
const library = await openLibrary();
process.stdout.write(`${await measurement(library, Number(actors))}\n`);
await library.close();
// Some libraries leave timers behind.
process.exit(0);
