import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { SHOAL } from '../test/driver/shoal-process.ts';
import { type Goal, type Round, type Row, rowOf } from './compare.ts';
import { Gateway } from './peers/gateway.ts';
import { HttpClient } from './peers/http-client.ts';
import { startQueueGroup } from './peers/node-responder.ts';
import { PlainClient } from './peers/plain-client.ts';

const VMS = 8;
/** Half as many as there are VMs, so that whoever looks finds a free one. `spin` needs a CPU, and two cores do not carry many more. */
const IN_FLIGHT = 4;
const TEXT = 'sixteen byte text';

interface Asked {
  readonly op: string;
  readonly text: string;
  readonly isLong: boolean;
}

interface Load {
  readonly name: 'short' | 'bimodal';
  readonly requests: readonly Asked[];
  readonly rounds: number;
}

const SHORT: Load = {
  name: 'short',
  requests: Array.from({ length: 4_000 }, () => ({ op: 'upper', text: TEXT, isLong: false })),
  rounds: 5,
};
/** One of twenty computes for 50 ms, at places that do not repeat; all others for 1 ms. */
const BIMODAL: Load = {
  name: 'bimodal',
  requests: Array.from({ length: 600 }, (_, at) => {
    const isLong = at % 20 === (Math.floor(at / 20) * 7) % 20;
    return { op: 'spin', text: isLong ? '50' : '1', isLong };
  }),
  // A 99th percentile is that of the six slowest of a round.
  rounds: 15,
};

/** What a way to the VMs is measured by. */
interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the requests that are not long. */
  readonly p99OfShort: number;
}

interface Way {
  request(text: string, op: string): Promise<string>;
}

const PEERS = ['queue-group', 'haproxy-http', 'haproxy-tcp', 'nginx'] as const;
type Peer = (typeof PEERS)[number];

/**
 * The same VMs behind Shoal and behind others that share requests out, the same client on both sides: over NATS beside a queue group, over
 * HTTP beside load balancers.
 */
export async function* gatewaysSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  for (const peer of PEERS) {
    const loads = [SHORT, BIMODAL].filter((load) => claims(load, peer).some(({ name }) => wanted(name)));
    if (loads.length > 0) yield* beside(peer, loads, wanted);
  }
}

async function* beside(peer: Peer, loads: readonly Load[], wanted: (name: string) => boolean): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({
    flags: ['--min', String(VMS), '--http', '0'],
    network: 'user',
    addresses: VMS,
    pool: randomPool(VMS),
    // In a session of its own, as its peers are.
    command: 'setsid',
    before: [SHOAL],
  });
  const addresses = fleet.ready.vms.map(({ address }) => address);
  await using stack = new AsyncDisposableStack();
  const { ours, theirs } = await waysOf(peer, fleet, addresses, stack);
  for (const load of loads) {
    const rounds: { readonly ours: Figures; readonly baseline: Figures }[] = [];
    for (let round = 0; round <= load.rounds; round++) {
      const isFirst = round % 2 === 0;
      const before = isFirst ? undefined : await measure(theirs, load);
      const one = await measure(ours, load);
      const other = before ?? (await measure(theirs, load));
      if (round > 0) rounds.push({ ours: one, baseline: other });
    }
    for (const { name, unit, goal, figure } of claims(load, peer)) {
      if (!wanted(name)) continue;
      const of: readonly Round[] = rounds.map((round) => ({
        ours: figure(round.ours),
        baseline: figure(round.baseline),
      }));
      yield rowOf({ name, unit, ...(goal === undefined ? {} : { goal }) }, of);
    }
  }
}

async function waysOf(
  peer: Peer,
  { ready }: TestFleet,
  addresses: readonly string[],
  stack: AsyncDisposableStack,
): Promise<{ readonly ours: Way; readonly theirs: Way }> {
  if (peer === 'queue-group') {
    const ours = stack.use(await PlainClient.open(ready.nats, ready.fleet));
    return { ours, theirs: stack.use(await startQueueGroup(ready.nats, addresses)) };
  }
  if (ready.http === undefined) throw new Error('the fleet has no HTTP');
  const ours = stack.use(new HttpClient(ready.http, IN_FLIGHT));
  return { ours, theirs: stack.use(await Gateway.start(peer, addresses, IN_FLIGHT)) };
}

interface GatewayClaim {
  readonly name: string;
  readonly unit: string;
  readonly goal: Goal | undefined;
  readonly figure: (figures: Figures) => number;
}

function claims({ name }: Load, peer: Peer): readonly GatewayClaim[] {
  const row = (what: string) => `${name}-${what}-beside-${peer}`;
  const isBimodal = name === 'bimodal';
  return [
    { name: row('requests-per-second'), unit: 'requests/s', goal: undefined, figure: ({ perSecond }) => perSecond },
    { name: row('p50'), unit: 'ms', goal: undefined, figure: ({ p50 }) => p50 },
    { name: row('p99'), unit: 'ms', goal: undefined, figure: ({ p99 }) => p99 },
    ...(isBimodal
      ? [
          {
            name: row('p99-of-short'),
            unit: 'ms',
            goal: { atMost: peer === 'queue-group' ? 0.33 : 1 },
            figure: ({ p99OfShort }: Figures) => p99OfShort,
          },
        ]
      : []),
  ];
}

async function measure(way: Way, { requests }: Load): Promise<Figures> {
  const all: number[] = [];
  const short: number[] = [];
  let at = 0;
  const worker = async (): Promise<void> => {
    for (let next = requests[at++]; next !== undefined; next = requests[at++]) {
      const sentMs = performance.now();
      await way.request(next.text, next.op);
      const ms = performance.now() - sentMs;
      all.push(ms);
      if (!next.isLong) short.push(ms);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const seconds = (performance.now() - startMs) / 1_000;
  return {
    perSecond: requests.length / seconds,
    p50: percentile(all, 0.5),
    p99: percentile(all, 0.99),
    p99OfShort: percentile(short, 0.99),
  };
}

function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
