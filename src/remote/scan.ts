/**
 * Whether bytes are one whole value of MessagePack, no deeper than `depthMax`. The decoder makes a list of any length
 * that the bytes claim, and as deep as they claim: a message of 1 MiB could take all memory. After this check it makes
 * no more items than there are bytes.
 */
export function isWhole(bytes: Uint8Array, depthMax: number): boolean {
  /** For each list that is open: how many of its items are to come. */
  const open: number[] = [];
  let at = 0;
  for (;;) {
    const head = bytes[at];
    if (head === undefined) return false;
    const { skip, items } = partAt(bytes, at, head);
    at += skip;
    // Each item takes a byte at least.
    if (at > bytes.length || items > bytes.length - at) return false;
    if (items > 0) {
      if (open.length >= depthMax) return false;
      open.push(items);
      continue;
    }
    for (;;) {
      const left = open.pop();
      if (left === undefined) return at === bytes.length;
      if (left === 1) continue;
      open.push(left - 1);
      break;
    }
  }
}

interface Part {
  /** Bytes up to the next value. */
  readonly skip: number;
  /** How many values follow that are part of this one. */
  readonly items: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** Bytes of the types of fixed size from 0xc0 on: what follows the head, or never for a type that is not used. */
const FIXED: Readonly<Record<number, number>> = {
  192: 0,
  194: 0,
  195: 0,
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
  // Extensions of fixed size: their type, then their bytes.
  212: 2,
  213: 3,
  214: 5,
  215: 9,
  216: 17,
};

/** The types whose length is in the bytes after the head: how many bytes, and what else stands before the content. */
const SIZED: Readonly<Record<number, readonly [lengthBytes: number, extra: number]>> = {
  196: [1, 0],
  197: [2, 0],
  198: [4, 0],
  199: [1, 1],
  200: [2, 1],
  201: [4, 1],
  217: [1, 0],
  218: [2, 0],
  219: [4, 0],
};

function partAt(bytes: Uint8Array, at: number, head: number): Part {
  if (head < 0x80 || head >= 0xe0) return { skip: 1, items: 0 };
  if (head < 0x90) return { skip: 1, items: 2 * (head & 0x0f) };
  if (head < 0xa0) return { skip: 1, items: head & 0x0f };
  if (head < 0xc0) return { skip: 1 + (head & 0x1f), items: 0 };
  if (head >= 0xdc) {
    const lengthBytes = head % 2 === 0 ? 2 : 4;
    const length = numberAt(bytes, at + 1, lengthBytes);
    return { skip: 1 + lengthBytes, items: head < 0xde ? length : 2 * length };
  }
  const sized = SIZED[head];
  if (sized === undefined) return { skip: 1 + (FIXED[head] ?? NEVER), items: 0 };
  const [lengthBytes, extra] = sized;
  return { skip: 1 + lengthBytes + extra + numberAt(bytes, at + 1, lengthBytes), items: 0 };
}

function numberAt(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = at; index < at + length; index++) value = value * 256 + (bytes[index] ?? NEVER);
  return value;
}
