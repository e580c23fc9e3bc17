import { expect, test } from 'vitest';
import { connect, type LineOutcome } from '../src/client/mod.ts';
import { signalProcess } from '../src/process/mod.ts';
import { TestFleet } from './driver/fleet.ts';
import { processesOf } from './driver/processes.ts';

/** R11 as a user of the library meets it: whatever part of Shoal dies, the program goes on. */
const LINES = 400;

function* lines(onHalf: () => void): Generator<string> {
  for (let line = 0; line < LINES; line++) {
    if (line === LINES / 2) onHalf();
    yield `line ${line}`;
  }
}

async function outcomesOf(
  fleet: TestFleet,
  onHalf: () => void,
  onState: (state: string) => void = () => undefined,
): Promise<LineOutcome[]> {
  await using client = await connect({
    servers: fleet.ready.nats,
    fleet: fleet.ready.fleet,
    deadlineMs: 60_000,
    onState,
  });
  const outcomes: LineOutcome[] = [];
  for await (const outcome of client.lines(lines(onHalf), { concurrency: 16 })) outcomes.push(outcome);
  return outcomes;
}

const expected = Array.from({ length: LINES }, (_, index) => ({ ok: true, index, text: `LINE ${index}` }));

test('a Shoal that is killed in the midst of many lines and comes back is not noticed', async () => {
  await using fleet = await TestFleet.start();
  const back = Promise.withResolvers<TestFleet>();
  const outcomes = await outcomesOf(fleet, () => {
    back.resolve(fleet.kill().then(() => fleet.resume()));
  });
  await using _ = await back.promise;
  expect(outcomes).toMatchObject(expected);
});

test('a nats-server that is killed in the midst of many lines and is started again is not noticed', async () => {
  await using fleet = await TestFleet.start();
  const states: string[] = [];
  const kill = (): void => {
    const servers = processesOf(fleet).filter(({ kind }) => kind === 'nats-server');
    for (const { identity } of servers) signalProcess(identity, 'SIGKILL');
  };
  const outcomes = await outcomesOf(fleet, kill, (state) => states.push(state));
  expect(outcomes).toMatchObject(expected);
  expect(states).toEqual(['lost', 'connected', 'closed']);
});

test('a VM that is killed with a request is not noticed', async () => {
  await using fleet = await TestFleet.start();
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  const sent = client.request('1000', { op: 'spin' });
  await fleet.until('it is in work', ({ vms }) => vms.some(({ in_flight }) => in_flight > 0));
  for (const { identity } of processesOf(fleet).filter(({ kind }) => kind === 'qemu'))
    signalProcess(identity, 'SIGKILL');
  expect(await sent).toMatchObject({ text: 'spun 1000' });
});
