import { accessSync, constants, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultImage } from '../src/app/mod.ts';
import { type Accelerator, type ImageInfo, loadImage } from '../src/hypervisor/mod.ts';
import { compare, type Row, rowOf } from './compare.ts';
import { type Alive, alive, openRoom, type Room } from './guest-room.ts';
import { pssBytesOf } from './proc.ts';
import { serviceFleetSuite } from './service-fleet-suite.ts';

const BOOT_ROUNDS = 9;
const ROUNDS = 7;
/** These take a second or two in all; many rounds make little of a moment with other load. */
const TRIVIAL_ROUNDS = 41;
const TRIVIAL_REQUESTS = 300;
const WORDS_REQUESTS = 5;
const SHORT = Buffer.from('sixteen byte text');
const LONG = Buffer.from(Array.from({ length: 12_500 }, (_, i) => `word${(i * 7919) % 1000}`).join(' ')).subarray(
  0,
  100_000,
);

/** What the C++ image has under these names, in JavaScript. */
const SERVICE = `var shoalService = { default: {
  upper: (text) => text.toUpperCase(),
  freq: (text) => {
    const counts = new Map();
    for (const word of text.split(/\\s+/)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1]).map(([word, count]) => word + ' ' + count).join('\\n');
  },
} };`;

/** A service as a script in the engine's image, beside the same service in C++ in the image of its own, under KVM where there is one. */
export async function* servicesSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-services-'));
  try {
    await using room = openRoom(accelerator());
    const cpp = await loadImage(defaultImage(), {});
    yield* rows(wanted, room, await scriptIn(folder), cpp);
    yield* serviceFleetSuite(wanted);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* rows(wanted: (name: string) => boolean, room: Room, script: ImageInfo, cpp: ImageInfo) {
  if (wanted('service-first-reply-beside-cpp')) {
    yield await compare({
      name: 'service-first-reply-beside-cpp',
      unit: 'ms',
      goal: { atMost: 1.1 },
      rounds: BOOT_ROUNDS,
      ours: () => firstReplyMs(room, script),
      baseline: () => firstReplyMs(room, cpp),
    });
  }
  const memoryMib = script.profile.memoryMib;
  yield* await alive(room, script, memoryMib, (ours) =>
    alive(room, cpp, memoryMib, (baseline) => requests(wanted, ours, baseline)),
  );
}

async function requests(wanted: (name: string) => boolean, ours: Alive, baseline: Alive): Promise<Row[]> {
  const found: Row[] = [];
  const both = (
    name: string,
    rounds: number,
    count: number,
    operation: string,
    text: Uint8Array,
    goal?: { atMost: number },
  ) =>
    compare({
      ...{ name, unit: 'ms', rounds, ...(goal === undefined ? {} : { goal }) },
      ours: () => meanMs(ours, count, operation, text),
      baseline: () => meanMs(baseline, count, operation, text),
    });
  const trivial = 'service-trivial-request-beside-cpp';
  const words = 'service-words-of-100-kb-beside-cpp';
  const memory = 'service-memory-beside-cpp';
  if (wanted(trivial))
    found.push(await both(trivial, TRIVIAL_ROUNDS, TRIVIAL_REQUESTS, 'upper', SHORT, { atMost: 1.1 }));
  if (wanted(words)) found.push(await both(words, ROUNDS, WORDS_REQUESTS, 'freq', LONG));
  if (wanted(words)) found.push(await besideNode(ours));
  const pss = { ours: pssBytesOf(ours.pid), baseline: pssBytesOf(baseline.pid) };
  if (wanted(memory)) found.push(rowOf({ name: memory, unit: 'bytes' }, [pss]));
  return found;
}

/** The same script in Node itself, which compiles what it runs often. */
async function besideNode(ours: Alive): Promise<Row> {
  // The script is the suite's own, above.
  const operations: Record<string, (text: string) => string> = new Function(
    `${SERVICE}\nreturn shoalService.default`,
  )();
  const text = LONG.toString();
  return await compare({
    ...{ name: 'service-words-of-100-kb-beside-node', unit: 'ms', rounds: ROUNDS },
    ours: () => meanMs(ours, WORDS_REQUESTS, 'freq', LONG),
    baseline: async () => {
      const startMs = performance.now();
      for (let i = 0; i < WORDS_REQUESTS; i++) operations['freq']?.(text);
      return (performance.now() - startMs) / WORDS_REQUESTS;
    },
  });
}

async function meanMs(guest: Alive, count: number, operation: string, text: Uint8Array): Promise<number> {
  const startMs = performance.now();
  for (let i = 0; i < count; i++) await guest.ask(operation, text);
  return (performance.now() - startMs) / count;
}

async function firstReplyMs(room: Room, image: ImageInfo): Promise<number> {
  const startMs = performance.now();
  return await alive(room, image, image.profile.memoryMib, async () => performance.now() - startMs);
}

/** The engine's image with the service file and profile beside it, as `shoal service build` lays them out. */
async function scriptIn(folder: string): Promise<ImageInfo> {
  const image = join(folder, 'service.elf');
  copyFileSync(join(import.meta.dirname, '../includeos/build/shoal-engine.elf'), image);
  const head = ['shoal-service 1', 'operations upper,freq', 'idempotent 1', 'state fresh', 'payload text'];
  writeFileSync(
    join(folder, 'upper.service'),
    `${head.join('\n')}\nsource ${Buffer.byteLength(SERVICE)}\n\n${SERVICE}`,
  );
  const profile = join(folder, 'profile.json');
  writeFileSync(profile, JSON.stringify({ machine: 'microvm', boot: 'pvh', initrd: 'upper.service', memoryMib: 16 }));
  return await loadImage(image, { profile });
}

function accelerator(): Accelerator {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return 'kvm';
  } catch {
    return 'tcg';
  }
}
