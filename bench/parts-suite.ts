import { TestFleet } from '../test/driver/fleet.ts';
import { processesOf } from '../test/driver/processes.ts';
import { type Row, rowOf } from './compare.ts';
import { startEcho } from './peers/node-responder.ts';
import { PlainClient } from './peers/plain-client.ts';
import { cpuMsOf } from './proc.ts';
import { qemuPids } from './qemu-pids.ts';
import { BUSY_FLAGS, manyRequests } from './throughput.ts';

const ROUNDS = 7;
const REQUESTS = 20_000;
const TEXT = 'sixteen byte text';

/** CPU time by the name of the process, in microseconds a request. */
type Parts = ReadonlyMap<string, number>;

/**
 * The CPU time of each part of a request, with as many in flight as in `requests-per-second`, as a share of the total of an echo. With all cores
 * busy, these parts bound that claim.
 */
export async function* partsSuite(): AsyncIterable<Row> {
  await using fleet = await TestFleet.start({ flags: BUSY_FLAGS });
  await using echo = await startEcho(fleet.ready.nats);
  await using client = await PlainClient.open(fleet.ready.nats, fleet.ready.fleet);
  const nats = processesOf(fleet).flatMap(({ kind, identity }) => (kind === 'nats-server' ? [identity.pid] : []));
  const carrying: [string, number[]][] = [
    ['client', [process.pid]],
    ['nats-server', nats],
  ];
  const ours = new Map([...carrying, ['shoal', [fleet.up.pid]], ['qemu', await qemuPids(fleet)]]);
  const baseline = new Map([...carrying, ['responder', [echo.pid]]]);
  const rounds: { ours: Parts; echo: Parts }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = {
      ours: await partsOf(ours, () => client.request(TEXT)),
      echo: await partsOf(baseline, () => echo.request(TEXT)),
    };
    if (round > 0) rounds.push(measured);
  }
  for (const side of ['ours', 'echo'] as const) {
    for (const part of [...(rounds[0]?.[side].keys() ?? []), IN_ALL]) {
      yield rowOf(
        { name: `cpu-of-a-request-${side}-${part}`, unit: 'us of CPU' },
        rounds.map((one) => ({ ours: figure(one[side], part), baseline: figure(one.echo, IN_ALL) })),
      );
    }
  }
}

const IN_ALL = 'in-all';

function figure(parts: Parts, name: string): number {
  if (name !== IN_ALL) return parts.get(name) ?? Number.NaN;
  return [...parts.values()].reduce((sum, part) => sum + part, 0);
}

async function partsOf(pids: ReadonlyMap<string, readonly number[]>, one: () => Promise<unknown>): Promise<Parts> {
  const used = (): [string, number][] => [...pids].map(([name, all]) => [name, all.reduce(addCpuMs, 0)]);
  const before = new Map(used());
  await manyRequests(REQUESTS, one);
  return new Map(used().map(([name, ms]) => [name, ((ms - (before.get(name) ?? 0)) * 1_000) / REQUESTS]));
}

function addCpuMs(sum: number, pid: number): number {
  return sum + cpuMsOf(pid);
}
