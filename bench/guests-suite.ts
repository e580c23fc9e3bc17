import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { defaultImage } from '../src/app/mod.ts';
import { type ImageInfo, loadImage, SHIPPED_PROFILES } from '../src/hypervisor/mod.ts';
import { linuxGuest } from '../test/linux-guest/linux-guest.ts';
import { type Goal, type Round, type Row, rowOf } from './compare.ts';
import { alive, openRoom, type Room } from './guest-room.ts';
import { cpuMsOf, pssBytesOf } from './proc.ts';

const ROUNDS = 3;
const SETTLE_MS = 2_000;
const IDLE_MS = 5_000;

/** One guest, by the name that its rows have. */
interface Guest {
  readonly name: string;
  readonly image: ImageInfo;
  readonly bytes: number;
}

/** One life of a guest. */
interface Life {
  readonly replyMs: number;
  readonly pssBytes: number;
  readonly idleMs: number;
}

const GOALS = {
  size: { atMost: 1 / 50 },
  'first-reply': { atMost: 1 / 20 },
  'least-memory': { atMost: 1 / 5 },
  pss: { atMost: 1 / 2 },
  'idle-cpu': { atMost: 1 },
} as const satisfies Record<string, Goal>;
type Claim = keyof typeof GOALS;

/**
 * The built-in image beside a Linux guest with the same service, and beside every image that is named: what one guest
 * takes to be there. All run emulated, since not every guest runs under every KVM.
 */
export async function* guestsSuite(wanted: (name: string) => boolean, images: readonly string[]): AsyncIterable<Row> {
  using linux = linuxGuest({ ...SHIPPED_PROFILES['linux'] });
  await using room = openRoom('tcg');
  const ours = await guestOf('built-in', defaultImage());
  const others = [await guestOf('linux', linux.image('frames'))];
  for (const path of images) others.push(await guestOf(nameOf(path), path));
  for (const other of others) {
    const nameFor = (claim: Claim): string => `guest-${claim}-beside-${other.name}`;
    const row = (claim: Claim, unit: string, rounds: readonly Round[]): Row =>
      rowOf({ name: nameFor(claim), unit, goal: GOALS[claim] }, rounds);
    if (wanted(nameFor('size'))) yield row('size', 'bytes', [{ ours: ours.bytes, baseline: other.bytes }]);
    const lived = (['first-reply', 'pss', 'idle-cpu'] as const).filter((claim) => wanted(nameFor(claim)));
    if (lived.length > 0) {
      const rounds = await lives(room, ours, other);
      const pick = (of: (life: Life) => number): Round[] => rounds.map(([a, b]) => ({ ours: of(a), baseline: of(b) }));
      if (lived.includes('first-reply'))
        yield row(
          'first-reply',
          'ms',
          pick(({ replyMs }) => replyMs),
        );
      if (lived.includes('pss'))
        yield row(
          'pss',
          'bytes',
          pick(({ pssBytes }) => pssBytes),
        );
      const unit = `ms of CPU in ${IDLE_MS / 1_000} s`;
      if (lived.includes('idle-cpu'))
        yield row(
          'idle-cpu',
          unit,
          pick(({ idleMs }) => idleMs),
        );
    }
    if (wanted(nameFor('least-memory'))) {
      const least = { ours: await leastMib(room, ours), baseline: await leastMib(room, other) };
      yield row('least-memory', 'MiB', [least]);
    }
  }
}

async function guestOf(name: string, path: string): Promise<Guest> {
  const image = await loadImage(path, {});
  const companion = image.companion === undefined ? 0 : statSync(image.companion.path).size;
  return { name, image, bytes: statSync(path).size + companion };
}

function nameOf(path: string): string {
  return basename(path) === 'vmlinuz' ? basename(dirname(path)) : basename(path).replace(/\.\w+$/, '');
}

/** Alternately, so that other load on the machine affects both. */
async function lives(room: Room, ours: Guest, other: Guest): Promise<[Life, Life][]> {
  const rounds: [Life, Life][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push([await life(room, ours), await life(room, other)]);
  }
  return rounds;
}

async function life(room: Room, guest: Guest): Promise<Life> {
  const startMs = performance.now();
  return await alive(room, guest.image, guest.image.profile.memoryMib, async ({ pid }) => {
    const replyMs = performance.now() - startMs;
    await pause(SETTLE_MS);
    const beforeMs = cpuMsOf(pid);
    await pause(IDLE_MS);
    return { replyMs, idleMs: cpuMsOf(pid) - beforeMs, pssBytes: pssBytesOf(pid) };
  });
}

/** The least memory with which a guest answers, found by halving. */
async function leastMib(room: Room, guest: Guest): Promise<number> {
  let [fails, works] = [0, guest.image.profile.memoryMib];
  while (works - fails > 1) {
    const tried = Math.floor((works + fails) / 2);
    const answers = await alive(room, guest.image, tried, async () => true).catch(() => false);
    if (answers) works = tried;
    else fails = tried;
  }
  return works;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
