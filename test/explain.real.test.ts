import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../src/client/mod.ts';
import { eventually, TestFleet } from './driver/fleet.ts';

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start({ addresses: 2 });
});
afterAll(() => fleet?.stop());

test('a VM is explained by all that was decided about it, with rules and figures, also when it has gone', async () => {
  await fleet.run('drain', ['1']);
  await fleet.until('another has taken its place', ({ vms }) =>
    vms.every((vm) => vm.id_vmachine !== 1 && vm.state === 'ready'),
  );
  const { stdout, exitCode } = await fleet.run('explain', ['vm', '1']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/VM 1 is started at .* \(R1\)\n +on running 0, min_vm_count 1\n/);
  expect(stdout).toMatch(/VM 1 is drained.*\(command\)\n/);
  expect(stdout).toMatch(/VM 1 is gone/);
  expect(stdout).toContain('R1 First VM: `shoal explain R1`');
  expect(stdout).toContain('command: an administrator asked for it');
  expect(stdout).not.toContain('VM 2');
});

test('the latest decisions are explained: the rule, the figures, and what was considered and why not', async () => {
  expect(await fleet.run('scale', ['2'])).toMatchObject({ exitCode: 0 });
  await fleet.until('two are ready', ({ vms }) => vms.filter((vm) => vm.state === 'ready').length === 2);
  const { stdout } = await fleet.run('explain', ['last']);
  expect(stdout).toMatch(
    /VM \d+ is started at .* \(R1\)\n +on running 1, min_vm_count 2\n +not a prepared spare: there is none\n/,
  );
  expect(stdout).toMatch(
    / +not another address: of 2, 1 are held or set aside, and 0 more are free with a higher id\n/,
  );
  expect(await fleet.json('explain', ['last', '3'])).toMatchObject({
    kind: 'last',
    events: [{}, {}, { kind: 'vm-start', rule: 'R1', considered: [{ what: 'a prepared spare' }, {}] }],
  });
  const { stdout: events } = await fleet.run('events', ['--why']);
  expect(events).toMatch(/VM 1 is drained.*\n.*\n +reason drained\n/);
});

test('a request is explained: where it went and why, and how it ended', async () => {
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  await client.request('hello', { id: 'greeting' });
  const { stdout, exitCode } = await fleet.run('explain', ['request', 'greeting']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/it goes to VM \d+, which has 0 in flight before it \(R2\)\n +on waiting 0, serving 2/);
  expect(stdout).toMatch(/ +not another free VM: of the free VMs, VM \d+ has the most requests in flight \(0\)/);
  expect(stdout).toMatch(/VM \d+ has replied\n.*took_ms/);
  // Once, with the time at which it ended, and not that of the question.
  expect(stdout.match(/has replied/g)).toHaveLength(1);
  expect(stdout).toContain('R2 Free VM: `shoal explain R2`');
  expect(await fleet.json('explain', ['request', 'greeting'])).toMatchObject({
    kind: 'request',
    now: { state: 'ended', reason: 'replied' },
    steps: [
      { kind: 'routed', rule: 'R2' },
      { kind: 'ended', reason: 'replied' },
    ],
  });
});

test('a request that waits is told why, by an event, when it is asked for, and by its error', async () => {
  await using client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  expect(await fleet.run('params', ['set', 'vm_backlog_max=0'])).toMatchObject({ exitCode: 0 });
  // Two VMs, and no address for a third.
  const over = new AbortController();
  const options = { op: 'spin', deadlineMs: 60_000, signal: over.signal };
  // Longer than anybody here asks.
  const spinning = ['a', 'b', 'c'].map((id) => client.request('50000', { ...options, id }));
  await eventually('an event says what it waits for', async () => {
    const events = await fleet.events();
    return events.find(({ kind, reason }) => kind === 'waiting' && reason === 'no-address');
  });
  const told = await Promise.all(['a', 'b', 'c'].map((id) => fleet.run('explain', ['request', id])));
  expect(told.map(({ stdout }) => stdout).join()).toMatch(/it waits for \d+ ms: no address is free.* \(R3\)/);
  expect(await fleet.run('send', ['--deadline', '500', 'd'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /its deadline passed.*; no VM can be started: no address is free.*\[REQUEST_DEADLINE\]\n$/,
    ),
  });
  over.abort();
  await Promise.allSettled(spinning);
});

test('a request of which nothing is known is said to be so, with what is kept', async () => {
  expect(await fleet.run('explain', ['request', 'nobody'])).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /"nobody".*Kept are.*dedup_ms \(60000 ms\).*first 20.*the oldest of \d\d:\d\d:\d\d\.\d{3} \[REQUEST_UNKNOWN\]/,
    ),
  });
});

test('a VM of which nothing is known is said to be so', async () => {
  expect(await fleet.run('explain', ['vm', '77'])).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /VM 77\. .*latest 2000 decisions.*, the oldest of \d\d:\d\d:\d\d\.\d{3};.*\[VM_UNKNOWN\]/,
    ),
  });
});

test.each([
  [[], /nothing to explain.*\[USAGE\]/],
  [['R99'], /"R99" is no rule, error code, reason or parameter.*\[USAGE\]/],
  [['deadline'], /there are REQUEST_DEADLINE, deadline_ms/],
  [['R5', 'R6'], /unexpected argument "R6"/],
  [['vm'], /number of a VM/],
  [['request'], /id of a request/],
  [['last', '0'], /how many decisions \(1 to 500\), got "0"/],
])('explain %j is refused with what there is', async (args, message) => {
  expect(await fleet.run('explain', args)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringMatching(message),
  });
});
