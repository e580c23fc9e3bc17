import { Decoder, Encoder } from '@msgpack/msgpack';
import { isWhole } from './scan.ts';

/** Hosts of another version are told of and left alone. It and the kind stand at the same place in all versions. */
export const VERSION = 1;

/** A message to an actor, or an operation of the link. */
export interface Item {
  /** The number of a ref of the receiver (from 1 up), a number that the sender has bound to a name (from -1 down), or `OP`. */
  readonly to: number;
  /** Whether it waits at the other end while the mailbox there is full; any other is refused then. */
  readonly waits: boolean;
  readonly bytes: Uint8Array;
}

/** The address of an operation. */
export const OP = 0;

/** What hosts send each other. `from` is the incarnation of the sender. */
export type Frame =
  | Beat
  /** The host leaves in good order. */
  | { readonly kind: 'bye'; readonly host: string; readonly from: string }
  /** The sender has that name, and came first. */
  | { readonly kind: 'refuse'; readonly host: string; readonly from: string; readonly about: string }
  /** The caller of a pair asks for a link, and the other end agrees. */
  | { readonly kind: 'hello' | 'welcome'; readonly from: string; readonly epoch: number }
  /** The link of that epoch is lost for good. `taken`: the last frame that was taken of it; -1 if that is not known. */
  | { readonly kind: 'lost'; readonly from: string; readonly epoch: number; readonly taken: number }
  | Data;

/** A sign of life, to all hosts of a group. */
export interface Beat {
  readonly kind: 'beat';
  readonly host: string;
  readonly from: string;
  /** How long the host has been in the group without having been away. */
  readonly ageMs: number;
  /** It does not hear its own beats, so it hears nobody. */
  readonly isDeaf: boolean;
  /** What errors call it, for people: such as its machine and process. */
  readonly about: string;
}

export interface Data {
  readonly kind: 'data';
  readonly from: string;
  readonly epoch: number;
  /** Counts from 1; 0 for a frame that only acknowledges. */
  readonly seq: number;
  /** All frames up to this one were taken. */
  readonly ack: number;
  /** A frame behind that one came before its time: send anew what follows. */
  readonly isGap: boolean;
  readonly items: readonly Item[];
}

const KINDS = ['beat', 'bye', 'refuse', 'hello', 'welcome', 'lost', 'data'] as const;

/** The parts of a frame: version, kind, host (or nothing), sender, and what the kind needs. */
type Parts = readonly unknown[];

const encoder = new Encoder();
const decoder = new Decoder({ keyDecoder: null });
const DEPTH_MAX = 4;
/** Parts of an item. */
const PARTS = 3;

export function encodeFrame(frame: Frame): Uint8Array {
  return encoder.encode([VERSION, KINDS.indexOf(frame.kind), ...partsOf(frame)]);
}

/** @returns the version for a frame of another one; undefined for what is none */
export function decodeFrame(
  bytes: Uint8Array,
): Frame | { readonly kind: 'foreign'; readonly version: number } | undefined {
  if (!isWhole(bytes, DEPTH_MAX)) return undefined;
  try {
    const parts = decoder.decode(bytes);
    if (!Array.isArray(parts)) return undefined;
    const [version, kind, ...rest]: Parts = parts;
    if (version !== VERSION) return isCount(version) ? { kind: 'foreign', version } : undefined;
    return isCount(kind) ? frameOf(KINDS[kind], rest) : undefined;
  } catch {
    return undefined;
  }
}

function partsOf(frame: Frame): Parts {
  switch (frame.kind) {
    case 'beat':
      return [frame.host, frame.from, frame.ageMs, frame.isDeaf, frame.about];
    case 'bye':
      return [frame.host, frame.from];
    case 'refuse':
      return [frame.host, frame.from, frame.about];
    case 'hello':
    case 'welcome':
      return [null, frame.from, frame.epoch];
    case 'lost':
      return [null, frame.from, frame.epoch, frame.taken];
    case 'data':
      return [
        null,
        frame.from,
        frame.epoch,
        frame.seq,
        frame.ack,
        frame.isGap,
        frame.items.flatMap(({ to, waits, bytes }) => [to, waits, bytes]),
      ];
  }
}

function frameOf(kind: Frame['kind'] | undefined, parts: Parts): Frame | undefined {
  const [host, from, one, two, three, four, five] = parts;
  if (!isIncarnation(from)) return undefined;
  switch (kind) {
    case 'beat':
      if (!isHostName(host) || !isAmount(one) || typeof two !== 'boolean' || !isAbout(three)) return undefined;
      return { kind, host, from, ageMs: one, isDeaf: two, about: three };
    case 'bye':
      return isHostName(host) ? { kind, host, from } : undefined;
    case 'refuse':
      return isHostName(host) && isAbout(one) ? { kind, host, from, about: one } : undefined;
    case 'hello':
    case 'welcome':
      return isCount(one) ? { kind, from, epoch: one } : undefined;
    case 'lost':
      return isCount(one) && (two === -1 || isCount(two)) ? { kind, from, epoch: one, taken: two } : undefined;
    case 'data': {
      const items = itemsOf(five);
      if (!isCount(one) || !isCount(two) || !isCount(three) || typeof four !== 'boolean' || items === undefined) {
        return undefined;
      }
      return { kind, from, epoch: one, seq: two, ack: three, isGap: four, items };
    }
    case undefined:
      return undefined;
  }
}

function itemsOf(value: unknown): readonly Item[] | undefined {
  if (!Array.isArray(value) || value.length % PARTS !== 0) return undefined;
  const parts: Parts = value;
  const items: Item[] = [];
  for (let index = 0; index < parts.length; index += PARTS) {
    const [to, waits, bytes] = parts.slice(index, index + PARTS);
    if (typeof to !== 'number' || !Number.isSafeInteger(to)) return undefined;
    if (typeof waits !== 'boolean' || !(bytes instanceof Uint8Array)) return undefined;
    items.push({ to, waits, bytes });
  }
  return items;
}

const ABOUT_CHARS_MAX = 200;
const HOST_CHARS_MAX = 100;

/** A slash would make the paths of refs ambiguous. */
export function isHostName(value: unknown): value is string {
  return typeof value === 'string' && new RegExp(`^[^\\p{C}\\s/]{1,${HOST_CHARS_MAX}}$`, 'u').test(value);
}

export function isAbout(value: unknown): value is string {
  return typeof value === 'string' && value.length <= ABOUT_CHARS_MAX && !/\p{C}/u.test(value);
}

/** It is a token of a subject. */
function isIncarnation(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}

function isCount(value: unknown): value is number {
  return isAmount(value) && Number.isSafeInteger(value);
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
