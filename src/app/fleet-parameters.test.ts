import { expect, onTestFinished, test, vi } from 'vitest';
import { type Clock, type Random, systemClock, systemRandom } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { changedParams, compareFleetParams, type FleetEvent, type FleetParams } from '../fleet/mod.ts';
import {
  type BucketState,
  fleetParamsFromBytes,
  fleetParamsToBytes,
  MemoryBucket,
  memoryKnownParams,
  openMemoryStore,
  type ParamsBucket,
} from '../store/mod.ts';
import { EventLog } from './event-log.ts';
import { FleetParameters, type FleetParametersOptions } from './fleet-parameters.ts';
import { Settings } from './settings.ts';

/** A bucket that a test takes away, or whose answers get lost. */
class FaultyBucket extends MemoryBucket {
  isAway = false;
  hasJetStream = true;
  /** Of the next writes: how each ends. */
  readonly faults: ('unknown, made' | 'unknown, not made' | 'refused')[] = [];
  /** Runs before a write, as another host would. */
  beforeWrite: (() => Promise<unknown>) | undefined;

  override async read(): Promise<BucketState> {
    if (this.isAway) throw away();
    if (!this.hasJetStream) return { kind: 'none' };
    return super.read();
  }

  override async write(bytes: Uint8Array, revision: number): ReturnType<ParamsBucket['write']> {
    if (this.isAway) throw away();
    const before = this.beforeWrite;
    this.beforeWrite = undefined;
    await before?.();
    const fault = this.faults.shift();
    if (fault === 'refused') throw away();
    if (fault === 'unknown, not made') return 'unknown';
    const result = await super.write(bytes, revision);
    return fault === 'unknown, made' ? 'unknown' : result;
  }
}

function away(): ShoalError {
  return new ShoalError('PARAMS_UNAVAILABLE', 'the bucket is away');
}

/** Each short pause is over at once, and time has moved by it. What shall happen later waits for the test. */
class HastyClock implements Clock {
  readonly later: (() => void)[] = [];
  #nowMs = 1_000;

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  timer(delayMs: number, callback: () => void): () => void {
    if (delayMs < 1_000) {
      this.#nowMs += delayMs;
      queueMicrotask(callback);
    } else this.later.push(callback);
    return () => {
      const at = this.later.indexOf(callback);
      if (at >= 0) this.later.splice(at, 1);
    };
  }

  soon(callback: () => void): void {
    queueMicrotask(callback);
  }
}

interface HostOptions {
  readonly known?: FleetParams;
  readonly wanted?: Readonly<Record<string, number | string>>;
  readonly random?: Random;
  /** Hosts in reach, and what each knows. */
  readonly others?: readonly (() => FleetParams | undefined)[];
}

/** One host of a fleet. */
async function host(
  bucket: ParamsBucket,
  name = 'a',
  { known, wanted, random = systemRandom, others = [] }: HostOptions = {},
) {
  const store = await openMemoryStore({ clock: systemClock });
  onTestFinished(() => store.close());
  const eventLog = new EventLog(systemClock);
  const events: FleetEvent[] = [];
  eventLog.listen((event) => events.push(event));
  const inForce: number[] = [];
  const nobody = { path: 'nobody', tell: () => true };
  const router = {
    path: 'router',
    tell: (message: { kind: string }) => {
      if (message.kind === 'params') inForce.push(settings.params.deadlineMs);
      return true;
    },
  };
  const settings: Settings = new Settings(store, router, nobody, nobody);
  if (wanted !== undefined) await store.setParams(wanted);
  const told: FleetParams[] = [];
  const clock = new HastyClock();
  const kept = memoryKnownParams(known);
  const options: FleetParametersOptions = {
    bucket,
    known: kept,
    host: name,
    clock,
    random,
    eventLog,
    params: () => settings.params,
    apply: (values) => settings.set(values),
    tellHosts: async (params) => {
      told.push(params);
      return ['c'];
    },
    askHosts: async () => others.flatMap((one) => one() ?? []),
    announce: () => undefined,
    ...(wanted === undefined ? {} : { wanted }),
  };
  const parameters = new FleetParameters(options);
  onTestFinished(() => parameters.close());
  await parameters.start();
  await parameters.look();
  const texts = (): string[] => events.map(({ text }) => text);
  return { parameters, settings, kept, told, inForce, texts, clock, events };
}

/** What a host that has set `deadline_ms` to this knows. */
function document(deadlineMs: number, version: number, more: Partial<FleetParams> = {}): FleetParams {
  const base = { lineage: 'one', version: version - 1, atMs: 0, changes: [], values: {}, ...more };
  return changedParams(base, { deadline_ms: deadlineMs }, { id: `id${version}`, atMs: 0 });
}

const inBucket = (bucket: MemoryBucket): FleetParams => fleetParamsFromBytes(bucket.bytes ?? new Uint8Array());

test('a change is in the bucket, and in force on each host once it has looked', async () => {
  const bucket = new FaultyBucket();
  const [a, b] = [await host(bucket, 'a'), await host(bucket, 'b')];
  expect(await a.parameters.set({ deadline_ms: '4000' })).toEqual([]);
  expect(a.inForce.at(-1)).toBe(4_000);
  expect(b.settings.params.deadlineMs).toBe(30_000);
  expect(a.settings.digest).not.toBe(b.settings.digest);
  await b.parameters.look();
  expect(b.inForce.at(-1)).toBe(4_000);
  expect(b.settings.digest).toBe(a.settings.digest);
  expect(b.texts().at(-1)).toBe('parameters of the fleet: version 1 is in force: deadline_ms 30000 -> 4000');
  expect(b.kept.last).toEqual(inBucket(bucket));
});

test('a host looks by itself every few seconds', async () => {
  const bucket = new FaultyBucket();
  const [a, b] = [await host(bucket, 'a'), await host(bucket, 'b')];
  await a.parameters.set({ deadline_ms: 4_000 });
  const looks = b.clock.later.splice(0);
  expect(looks).toHaveLength(1);
  for (const look of looks) look();
  await vi.waitFor(() => expect(b.settings.params.deadlineMs).toBe(4_000));
  expect(b.clock.later).toHaveLength(1);
});

test('of two changes at the same moment neither is lost', async () => {
  const bucket = new FaultyBucket();
  const [a, b] = [await host(bucket, 'a'), await host(bucket, 'b')];
  bucket.beforeWrite = () => b.parameters.set({ dedup_ms: 7 });
  await a.parameters.set({ deadline_ms: 4_000 });
  expect(inBucket(bucket)).toMatchObject({ version: 2, values: { deadline_ms: 4_000, dedup_ms: 7 } });
  await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 ? a : b).parameters.set({ free_count: n + 1 })));
  expect(inBucket(bucket).version).toBe(10);
});

test('parameters of two hosts that fit one by one and not together are refused to the second', async () => {
  const bucket = new FaultyBucket();
  const [a, b] = [await host(bucket, 'a'), await host(bucket, 'b')];
  bucket.beforeWrite = () => b.parameters.set({ last_connect_ms: 3_000 });
  const refused = a.parameters.set({ status_interval_ms: 1_500 });
  await expect(refused).rejects.toMatchObject({ code: 'CONFIG_VALUE' });
  expect(inBucket(bucket).values).toMatchObject({ last_connect_ms: 3_000, status_interval_ms: 1_000 });
});

test('while the bucket is away a change is refused, hosts go on, and one event says so', async () => {
  const bucket = new FaultyBucket();
  const a = await host(bucket);
  await a.parameters.set({ deadline_ms: 4_000 });
  bucket.isAway = true;
  await a.parameters.look();
  await a.parameters.look();
  await expect(a.parameters.set({ deadline_ms: 5_000 })).rejects.toMatchObject({ code: 'PARAMS_UNAVAILABLE' });
  expect(a.settings.params.deadlineMs).toBe(4_000);
  const about = a.texts().filter((text) => text.includes('the bucket is away'));
  expect(about).toHaveLength(1);
  bucket.isAway = false;
  await a.parameters.look();
  expect(a.texts().at(-1)).toContain('the bucket is back');
});

test('a write without an answer is looked after: it was made once, however often it was tried', async () => {
  const bucket = new FaultyBucket();
  const a = await host(bucket);
  bucket.faults.push('unknown, made');
  await a.parameters.set({ deadline_ms: 4_000 });
  expect(inBucket(bucket).version).toBe(1);
  bucket.faults.push('unknown, not made', 'unknown, not made');
  await a.parameters.set({ deadline_ms: 5_000 });
  expect(inBucket(bucket)).toMatchObject({ version: 2, values: { deadline_ms: 5_000 } });
});

test('a change that nobody answers in time is told as one that may have been made', async () => {
  const bucket = new FaultyBucket();
  const a = await host(bucket);
  bucket.faults.push(...Array.from({ length: 1_000 }, () => 'unknown, not made' as const));
  await expect(a.parameters.set({ deadline_ms: 4_000 })).rejects.toMatchObject({ code: 'PARAMS_UNCERTAIN' });
  bucket.faults.splice(0);
  bucket.faults.push('unknown, not made', 'refused');
  await expect(a.parameters.set({ deadline_ms: 4_000 })).rejects.toMatchObject({ code: 'PARAMS_UNCERTAIN' });
  expect(a.settings.params.deadlineMs).toBe(30_000);
});

test('an unanswered write that another one has overtaken is made anew, on top of the other', async () => {
  const bucket = new FaultyBucket();
  const [a, b] = [await host(bucket, 'a'), await host(bucket, 'b')];
  bucket.faults.push('unknown, not made');
  const setting = a.parameters.set({ deadline_ms: 4_000 });
  await b.parameters.set({ dedup_ms: 7 });
  await setting;
  expect(inBucket(bucket)).toMatchObject({ version: 2, values: { deadline_ms: 4_000, dedup_ms: 7 } });
});

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['a parameter that is none', { values: { nonsense: 1 } }],
  ['a parameter of a host', { values: { min_vm_count: 3 } }],
  ['a name of the prototype', '{"lineage":"x","version":1,"atMs":1,"changes":[],"values":{"__proto__":1}}'],
  ['a value out of range', { values: { deadline_ms: -1 } }],
  ['a value that is no number', { values: { deadline_ms: '4000' } }],
  ['values that do not fit together', { values: { last_connect_ms: 1_000, status_interval_ms: 1_000 } }],
  ['a version that leaves no room', { version: Number.MAX_SAFE_INTEGER }],
  ['a time that is none', { atMs: -1 }],
  ['changes without end', { changes: Array.from({ length: 17 }, () => 'x') }],
  ['no lineage', { lineage: 7 }],
  ['too much', `${' '.repeat(20_000)}{}`],
])('%s in the bucket is told once, and ignored', async (_, content) => {
  const bucket = new FaultyBucket();
  const a = await host(bucket);
  await a.parameters.set({ deadline_ms: 4_000 });
  const text = typeof content === 'string' ? content : JSON.stringify({ ...document(9_000, 9), ...content });
  bucket.bytes = new TextEncoder().encode(text);
  bucket.revision += 1;
  const before = a.events.length;
  await a.parameters.look();
  await a.parameters.look();
  expect(a.events.slice(before)).toMatchObject([{ kind: 'warning', error: { code: 'PARAMS_DAMAGED' } }]);
  expect(a.settings.params.deadlineMs).toBe(4_000);
  expect(bucket.bytes).toEqual(new TextEncoder().encode(text));
  // The next change writes what the fleet had, and the change.
  await a.parameters.set({ dedup_ms: 7 });
  expect(inBucket(bucket).values).toMatchObject({ deadline_ms: 4_000, dedup_ms: 7 });
});

test('a lost bucket is made again from the latest that any host knows, whoever comes first', async () => {
  for (const isNewerFirst of [true, false]) {
    const bucket = new FaultyBucket();
    const [a, b] = [await host(bucket, 'a'), await host(bucket, 'b')];
    await a.parameters.set({ deadline_ms: 4_000 });
    await b.parameters.look();
    await a.parameters.set({ deadline_ms: 5_000 });
    bucket.lose();
    // Host b has not seen the second change.
    for (const one of isNewerFirst ? [a, b] : [b, a]) await one.parameters.look();
    for (const one of [a, b]) await one.parameters.look();
    expect([a, b].map(({ settings }) => settings.params.deadlineMs)).toEqual([5_000, 5_000]);
    expect(inBucket(bucket)).toMatchObject({ version: 2, values: { deadline_ms: 5_000 } });
    const first = isNewerFirst ? a : b;
    expect(first.texts().join()).toContain('the bucket was empty: it is made again');
    if (!isNewerFirst) expect(a.texts().at(-1)).toContain('the bucket had version 1: version 2 of this host is later');
  }
});

test('a host that starts after the loss of the bucket does not bring its defaults to the others', async () => {
  const bucket = new FaultyBucket();
  const a = await host(bucket, 'a');
  await a.parameters.set({ deadline_ms: 4_000 });
  bucket.lose();
  const fresh = await host(bucket, 'fresh');
  await a.parameters.look();
  await fresh.parameters.look();
  expect(fresh.settings.params.deadlineMs).toBe(4_000);
});

test('a host that comes from another fleet takes over the parameters that are there, and says so', async () => {
  const bucket = new FaultyBucket();
  const a = await host(bucket, 'a');
  await a.parameters.set({ deadline_ms: 4_000 });
  const comer = await host(bucket, 'b', { known: document(9_000, 9, { lineage: 'another' }) });
  expect(comer.settings.params.deadlineMs).toBe(4_000);
  expect(comer.texts().join()).toContain('this host comes from another fleet');
  expect(inBucket(bucket).version).toBe(1);
});

test('what this start was given is set for the whole fleet, on top of what others have set', async () => {
  const bucket = new FaultyBucket();
  const a = await host(bucket, 'a');
  await a.parameters.set({ deadline_ms: 4_000 });
  const b = await host(bucket, 'b', { wanted: { dedup_ms: '7' } });
  await a.parameters.look();
  for (const { settings } of [a, b]) expect(settings.params).toMatchObject({ deadlineMs: 4_000, dedupMs: 7 });
});

test('a host that starts while the bucket is away has in force what it knew last', async () => {
  const bucket = new FaultyBucket();
  bucket.isAway = true;
  const a = await host(bucket, 'a', { known: document(4_000, 3) });
  expect(a.settings.params.deadlineMs).toBe(4_000);
});

test('without JetStream a change is told to each host, the later one counts, and those not reached are named', async () => {
  const bucket = new FaultyBucket();
  bucket.hasJetStream = false;
  const [a, b] = [await host(bucket, 'a'), await host(bucket, 'b')];
  expect(await a.parameters.set({ deadline_ms: 4_000 })).toEqual(['c']);
  expect(await a.parameters.set({ deadline_ms: 5_000 })).toEqual(['c']);
  const [first, second] = a.told;
  if (first === undefined || second === undefined) throw new Error('two changes were told');
  await b.parameters.adopt(second);
  await b.parameters.adopt(first);
  expect(b.settings.params.deadlineMs).toBe(5_000);
  expect(b.settings.digest).toBe(a.settings.digest);
});

test('two documents have the same order for whoever compares them', () => {
  const documents = [document(1, 1), document(2, 1), document(1, 2), document(1, 1, { lineage: 'two' })];
  for (const a of documents) {
    for (const b of documents) {
      expect(Math.sign(compareFleetParams(a, b))).toBe(-Math.sign(compareFleetParams(b, a)) + 0);
      expect(compareFleetParams(a, b) === 0).toBe(a === b);
    }
  }
  expect(fleetParamsFromBytes(fleetParamsToBytes(document(1, 1)))).toEqual(document(1, 1));
});

test('without JetStream a host that was away learns from the others what it has missed', async () => {
  const bucket = new FaultyBucket();
  bucket.hasJetStream = false;
  const others = [() => document(5_000, 2), () => undefined, () => document(7_000, 4), () => document(6_000, 3)];
  const back = await host(bucket, 'a', { known: document(4_000, 1), others });
  expect(back.settings.params.deadlineMs).toBe(7_000);
  expect(back.kept.last?.version).toBe(4);
  const ahead = await host(bucket, 'b', { known: document(9_000, 5), others });
  expect(ahead.settings.params.deadlineMs).toBe(9_000);
});

test('without JetStream a host of another fleet takes over what the others have, whichever is later', async () => {
  const bucket = new FaultyBucket();
  bucket.hasJetStream = false;
  const others = [() => document(5_000, 1)];
  const { settings, texts } = await host(bucket, 'a', { known: document(4_000, 9, { lineage: 'two' }), others });
  expect(settings.params.deadlineMs).toBe(5_000);
  expect(texts()).toContain(
    'parameters of the fleet: this host comes from another fleet, or the fleet was made anew: it takes over what the other hosts have',
  );
});

test('without JetStream a host that was cut off learns it at its next look', async () => {
  const bucket = new FaultyBucket();
  bucket.hasJetStream = false;
  let known: FleetParams | undefined;
  const { settings, clock } = await host(bucket, 'a', { others: [() => known] });
  expect(settings.params.deadlineMs).toBe(30_000);
  known = document(5_000, 1);
  for (const look of clock.later.splice(0)) look();
  await vi.waitFor(() => expect(settings.params.deadlineMs).toBe(5_000));
});
