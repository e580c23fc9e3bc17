import { expect, test } from 'vitest';
import { memoryInUse } from '../../../../test/memory-in-use.ts';
import type { ConsoleProfile } from '../../profile/profile.ts';
import { ConsoleParser } from '../console-parser.ts';
import { formatOf } from './format-of.ts';

const MIB = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const FLOOD_BYTES = 1024 * MIB;
/** A parser that kept a five-hundredth of the flood would need more. What others hold in this process changes by less than this. */
const GROWTH_BYTES_MAX = 2 * MIB;
const LOOKS = 16;
/** As fast as an emulated serial port is at its best. */
const BYTES_A_MS = 4 * 1024;

const GUEST = {
  bind: '10.0.2.15/24',
  addr: '127.0.10.1:9000',
  textBytesMax: 65_536,
  idempotent: undefined,
  ramBytesMax: 96 * MIB,
  measured: () => ({ seq: 1, cpuPercent: 0, ramBytes: 0 }),
};

const FORMATS: Record<string, { profile: ConsoleProfile; pieces: readonly string[] }> = {
  shoal: { profile: { format: 'shoal' }, pieces: ['\nshoal1 status seq=', 'shoal1 ', '\n', 'x'.repeat(5_000)] },
  'key=value': {
    profile: { format: 'key=value', kind: 'kind', names: {} },
    pieces: ['\nkind=status cpu=1 ', 'kind="', 'kind=bye\n', '=', '\n', 'kind=x a=b '.repeat(500)],
  },
  json: {
    profile: { format: 'json', kind: 'kind', names: {} },
    pieces: ['\n{"kind":"status","cpu":1}\n', '\n{"kind":', '[', '\n', '{"kind":"status","a":'.repeat(300)],
  },
  regex: {
    profile: { format: 'regex', ready: '^up$', status: '(a|aa)+(?<cpu>[0-9.]+)?b.*c.*d$' },
    pieces: ['\nup\n', 'a'.repeat(1_000), '\naab', 'c', '\n', 'b'.repeat(900)],
  },
};

function bytesInUse(): number {
  const { heapBytes, bufferBytes } = memoryInUse();
  return heapBytes + bufferBytes;
}

test.each(Object.keys(FORMATS))('1 GiB of hostile lines through the parser of %s takes no memory', (name) => {
  const format = FORMATS[name];
  if (format === undefined) throw new Error(name);
  const parser = new ConsoleParser(formatOf(format.profile, GUEST));
  const { pieces } = format;
  let [made, next, pushed, events] = ['', 0, 0, 0];
  const memory: number[] = [];
  while (pushed < FLOOD_BYTES) {
    while (made.length < CHUNK_BYTES) made += pieces[(next++ * 7 + (next >> 3)) % pieces.length];
    const chunk = Buffer.from(made.slice(0, CHUNK_BYTES), 'latin1');
    made = made.slice(CHUNK_BYTES);
    events += parser.push(chunk, pushed / BYTES_A_MS).length;
    pushed += chunk.length;
    if (pushed % (FLOOD_BYTES / LOOKS) === 0) memory.push(bytesInUse());
  }
  // Lines were told all the time, within their rates.
  expect(events).toBeGreaterThan(1_000);
  const [first = 0] = memory;
  expect(Math.max(...memory) - first).toBeLessThan(GROWTH_BYTES_MAX);
});
