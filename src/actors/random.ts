/** Chance as a port: production has the machine's, tests and simulations have that of a seed. */
export interface Random {
  /** From 0 up to but not including 1. */
  fraction(): number;
  bytes(count: number): Uint8Array;
}

/** Random bytes as text, for ids. @param bytes how many; the text has two digits for each */
export function randomHex(random: Random, bytes: number): string {
  return Buffer.from(random.bytes(bytes)).toString('hex');
}

export const systemRandom: Random = {
  fraction: () => Math.random(),
  // Some bytes become ids and keys, which nobody may guess.
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};
