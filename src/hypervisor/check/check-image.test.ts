import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import type { Address } from '../../fleet/mod.ts';
import { FramedGuest } from '../link/testing/fake-guest.ts';
import type { CloseListener, GuestConnection, Hypervisor, Machine, MachineExit, MachineSpec } from '../port.ts';
import { parseProfile } from '../profile/parse-profile.ts';
import { checkImage } from './check-image.ts';
import type { CheckPoint } from './check-point.ts';

/** What a guest does otherwise than the contract has it. */
interface Lies {
  /** @returns a code for an error, or a text for a reply; undefined: no answer */
  readonly answer?: (op: string, textBytes: number) => number | string | undefined;
  /** Fields of a report. */
  readonly report?: (seq: number) => string;
  readonly firstReportMs?: number;
  /** From this report to the next. */
  readonly gapMs?: (seq: number) => number;
  readonly bye?: string | undefined;
  readonly exitCode?: number;
  readonly answersPings?: boolean;
  readonly closesOnGarbage?: boolean;
  readonly keepsTokens?: boolean;
  /** In its ready line. */
  readonly addr?: string;
  /** Lines that it prints at once when it is ready. */
  readonly linesAtOnce?: number;
  /** It ends by itself with this report. */
  readonly endsAt?: number;
}

const ADDRESS: Address = { id: 1, ip: '127.0.0.1', port: 9000 };

/** A machine whose guest keeps the contract, but for its lies. */
function machineOf(lies: Lies, spec: MachineSpec, clock: ManualClock, guest: FramedGuest): Machine {
  let print: (bytes: Uint8Array) => void = () => undefined;
  const exits: ((exit: MachineExit) => void)[] = [];
  let isOver = false;
  const say = (line: string): void => {
    if (!isOver) print(Buffer.from(`${line}\n`));
  };
  const end = (exitCode: number | null): void => {
    if (isOver) return;
    isOver = true;
    for (const tell of exits) tell({ exitCode, signal: null, stderr: '' });
  };
  let seq = 0;
  const report = (): void => {
    seq += 1;
    if (seq === lies.endsAt) end(1);
    const { report: told = (number) => `seq=${number} cpu=1.0 ram=1000 inflight=0 served=${guest.got.length}` } = lies;
    say(`shoal1 status ${told(seq)}`);
    clock.timer(lies.gapMs?.(seq) ?? spec.statusIntervalMs, report);
  };
  const refused = (): never => {
    throw new Error('a check does not do that');
  };
  return {
    async start() {
      const { ip, port } = spec.address;
      guest.up();
      clock.timer(10, () => {
        say(
          `shoal1 ready bind=10.0.2.15/24 addr=${lies.addr ?? `${ip}:${port}`} max=${spec.textBytesMax} idempotent=1 ops=upper`,
        );
        for (let count = 0; count < (lies.linesAtOnce ?? 0); count++)
          say(`shoal1 status seq=${count} cpu=1 ram=1 inflight=0 served=9`);
        clock.timer(lies.firstReportMs ?? 1, report);
      });
    },
    pause: refused,
    onConsole: (listener) => {
      print = listener;
    },
    onExit: (listener) => void exits.push(listener),
    writeConsole: () => {
      const { bye = 'stop', exitCode = 67 } = lies;
      if (!('bye' in lies) || lies.bye !== undefined) say(`shoal1 bye reason=${bye}`);
      clock.timer(5, () => end(exitCode));
    },
    pressPowerButton: async () => end(0),
    signal: () => end(null),
    cpuDemandMs: () => clock.monotonic() / 20,
    cpuUsedMs: () => clock.monotonic() / 20,
    remove: async () => undefined,
    get manifest() {
      return refused();
    },
    get process() {
      return refused();
    },
    ...{ remember: refused, isRunning: refused, quit: refused, release: refused },
    ...{ onFault: () => undefined, listen: () => undefined },
  };
}

/** The guest's end throws at bytes that are no frame, where a real guest closes the connection. */
function closing(connection: GuestConnection, closes: boolean): GuestConnection {
  let tell: CloseListener = () => undefined;
  return {
    onOpen: (listener) => connection.onOpen(listener),
    onBytes: (listener) => connection.onBytes(listener),
    onDrain: (listener) => connection.onDrain(listener),
    onClose(listener) {
      tell = listener;
      connection.onClose(listener);
    },
    write(bytes) {
      try {
        // Bytes that wait for the connection are written when it opens.
        if (bytes[0] === 0xff) throw new Error('no frame');
        return connection.write(bytes);
      } catch (error) {
        if (closes) tell(String(error), true);
        return true;
      }
    },
    close: () => connection.close(),
  };
}

interface CheckedWith {
  readonly stepMs?: number;
  readonly signal?: AbortSignal;
  /** Fields of the image's profile. */
  readonly profile?: Readonly<Record<string, unknown>>;
}

async function checked(
  lies: Lies,
  { stepMs = 1_000, signal, profile = {} }: CheckedWith = {},
): Promise<readonly CheckPoint[]> {
  const clock = new ManualClock();
  const guest = new FramedGuest();
  guest.answers = lies.answersPings ?? true;
  guest.keepsTokens = lies.keepsTokens ?? true;
  const hypervisor: Pick<Hypervisor, 'prepare' | 'connect'> = {
    prepare: async (spec) => machineOf(lies, spec, clock, guest),
    connect: () => closing(guest.connect(), lies.closesOnGarbage ?? true),
  };
  const { answer = (op: string) => (op === '' ? 'REPLY' : 404) } = lies;
  const image = { path: '/image', digest: 'd', fileDigest: 'd', bytes: 1, companion: undefined };
  let points: readonly CheckPoint[] | undefined;
  const checking = checkImage({
    // Nothing else of it is used.
    hypervisor: hypervisor as Hypervisor,
    image: { ...image, profile: parseProfile(profile, 'test') },
    accelerator: 'tcg',
    address: ADDRESS,
    clock,
    stepMs,
    ...(signal === undefined ? {} : { signal }),
  }).then((found) => {
    points = found;
  });
  let answered = 0;
  for (let rounds = 0; points === undefined && rounds < 10_000; rounds++) {
    for (const got of guest.got.slice(answered)) {
      const said = answer(got.op, got.payload.length);
      if (typeof said === 'string') got.reply(said);
      else if (said !== undefined) got.fail(said, 'no');
    }
    answered = guest.got.length;
    await clock.advance(5);
  }
  await checking;
  expect(guest.openConnections).toBe(0);
  return points ?? [];
}

const failed = (points: readonly CheckPoint[]): readonly string[] =>
  points.filter(({ state }) => state === 'failed').map(({ name, why }) => `${name}: ${why}`);

describe('a check', () => {
  it('finds nothing wrong with a guest that keeps the contract, and says what it could not see', async () => {
    const points = await checked({});
    expect(failed(points)).toEqual([]);
    expect(points.find(({ name }) => name === 'at-work')).toMatchObject({ state: 'skipped' });
  });

  it('finds nothing wrong with one that paused once: its host may have been busy', async () => {
    expect(failed(await checked({ gapMs: (seq) => (seq === 3 ? 2_000 : 200) }))).toEqual([]);
  });

  it('finds nothing wrong with one that was busy until it was ready, or that has no room for the longest text', async () => {
    const report = (seq: number) => `seq=${seq} cpu=${seq === 2 ? 99 : 25} ram=1000 inflight=0 served=99`;
    expect(failed(await checked({ report }))).toEqual([]);
    expect(failed(await checked({ answer: (op, bytes) => (op !== '' ? 404 : bytes > 1_000 ? 503 : 'x') }))).toEqual([]);
  });

  it('finds that a report does not come at once, also where guests may take longer to answer', async () => {
    const found = failed(await checked({ firstReportMs: 1_500 }, { stepMs: 3_000 }));
    expect(found).toEqual(['first-report: only 1500 ms after ready; it must come at once']);
  });

  it('asks a guest to stop as its profile says', async () => {
    const profile = { machine: 'pc', powerOff: { by: 'exit', ask: 'powerdown' } };
    const points = await checked({ bye: 'tired', exitCode: 1 }, { profile });
    expect(failed(points)).toEqual([]);
    expect(points.at(-1)).toMatchObject({ name: 'exit', state: 'ok' });
  });

  it('ends when it is told to, before it begins or in the middle', async () => {
    const early = await checked({}, { signal: AbortSignal.abort() });
    expect(early.filter(({ state }) => state === 'ok').map(({ name }) => name)).toEqual(['file', 'start']);
    const controller = new AbortController();
    const answer = () => {
      controller.abort();
      return 'x';
    };
    const late = await checked({ answer }, { signal: controller.signal });
    expect(late.find(({ name }) => name === 'exit')).toMatchObject({ state: 'skipped' });
  });

  it.each<[string, Lies, RegExp]>([
    ['answers wrongly', { answer: () => 500 }, /^request: 500/],
    [
      'answers every operation',
      { answer: () => 'x' },
      /^unknown-operation: it answers "shoal-no-such-operation" with 200/,
    ],
    ['forgets tokens', { keepsTokens: false }, /^request: its answer does not carry the token/],
    ['takes another address', { addr: '127.0.0.1:1' }, /^terms: it says addr=127.0.0.1:1, and was told 127.0.0.1:9000/],
    [
      'does not count its reports',
      { report: () => 'seq=5 cpu=0 ram=1 inflight=0 served=99' },
      /^reports: report 5 came after report 5/,
    ],
    ['prints too much', { linesAtOnce: 10_000 }, /^console: \d+ lines were dropped because they came too fast/],
    ['ends in the middle', { endsAt: 9 }, /^stop: QEMU ended \(exit code 1\) before it was asked to/],
    ['answers nothing', { answer: () => undefined }, /^request: .*no answer within 1000 ms/],
    ['has no pong', { answersPings: false }, /^link: no answer within 1000 ms on port 9000/],
    [
      'counts back',
      { report: (seq) => `seq=${10 - seq} cpu=0 ram=1 inflight=0 served=99` },
      /^reports: report 8 came after/,
    ],
    ['says nothing of itself', { report: () => 'seq=x' }, /^first-report: no report within/],
    ['pauses again and again', { gapMs: (seq) => (seq % 6 === 0 ? 1_500 : 50) }, /^reports: 1\d{3} ms passed between/],
    ['reports late', { firstReportMs: 1_500 }, /^first-report: /],
    [
      'is said to be busy',
      { report: (seq) => `seq=${seq} cpu=99 ram=1 inflight=0 served=99` },
      /^load: it reports cpu=99.0 at rest/,
    ],
    [
      'has something in flight',
      { report: (seq) => `seq=${seq} cpu=0 ram=1 inflight=3 served=99` },
      /^load: it reports inflight=3/,
    ],
    [
      'has one thing in flight',
      { report: (seq) => `seq=${seq} cpu=0 ram=1 inflight=1 served=99` },
      /^load: it reports inflight=1/,
    ],
    [
      'does not answer the longest text',
      { answer: (op, bytes) => (op !== '' ? 404 : bytes > 1_000 ? undefined : 'x') },
      /^largest-text: .*no answer within 3000 ms/,
    ],
    [
      'breaks at the longest text',
      { answer: (op, bytes) => (op !== '' ? 404 : bytes > 1_000 ? 500 : 'x') },
      /^largest-text: 1048576 bytes are answered with 50[02]/,
    ],
    [
      'counts no answers',
      { report: (seq) => `seq=${seq} cpu=0 ram=1 inflight=0 served=0` },
      /^load: it reports served=0, and has answered 4/,
    ],
    [
      'has more memory than there is',
      { report: (seq) => `seq=${seq} cpu=0 ram=99999999999 inflight=0 served=9` },
      /^console: \d+ lines were refused/,
    ],
    ['says no bye', { bye: undefined }, /^stop: no bye/],
    ['says another bye', { bye: 'tired' }, /^stop: it says bye reason=tired/],
    ['ends otherwise', { exitCode: 69 }, /^exit: the guest could not use what it was told \(exit code 69\)/],
    ['swallows garbage', { closesOnGarbage: false }, /^garbage: the connection was left open for 1000 ms/],
  ])('finds that a guest %s', async (_, lies, why) => {
    expect(failed(await checked(lies))).toContainEqual(expect.stringMatching(why));
  });
});
