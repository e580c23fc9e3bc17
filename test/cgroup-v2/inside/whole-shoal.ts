import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { defaultImage, examine } from '../../../src/app/mod.ts';
import { type Client, connect } from '../../../src/client/mod.ts';
import { eventually, TestFleet } from '../../driver/fleet.ts';
import { qemusOf } from '../../driver/processes.ts';
import type { CapsSeen, FactLine, Facts } from '../facts.ts';
import { CGROUP_ROOT, capsSeen, Group, groupsBelow, killsSoFar } from './group.ts';

/** An emulated machine is ten times slower, so its timeouts are longer. */
const PATIENCE = ['boot_timeout_ms=60000', 'ip_reserve_ms=120000', 'last_connect_ms=60000'];
const DEADLINE_MS = 120_000;
const PERIODS = 40;
const BUSY = 'while :; do :; done';

/** `shoal up` with one VM, as a user runs it. */
export async function wholeShoal(tell: (line: FactLine) => void): Promise<void> {
  const fleet = await started();
  const client = await connect({ servers: fleet.ready.nats, fleet: fleet.ready.fleet });
  const reply = (text: string): Promise<string> => replyTo(client, text);

  const first = capsOfOnlyVm(fleet);
  const checks = await examine({ image: defaultImage(), dataDir: fleet.data, accelerator: undefined });
  const doctor = checks.find(({ name }) => name === 'caps');
  tell({ name: 'placed', value: { doctor, caps: first, reply: await reply('placed') } });

  const group = new Group(first.group);
  tell({ name: 'busy', value: await keepBusy(group, () => reply('busy')) });

  const endedBy = await takeMemory(group, 2 * Number(first.memoryMax));
  const greedy = { endedBy, killsInGroup: group.figure('memory.events', 'oom_kill') };
  const vms = (await fleet.snapshot()).vms.map(({ id_vmachine }) => id_vmachine);
  tell({ name: 'greedy', value: { ...greedy, vms, reply: await reply('greedy') } });

  const killsBefore = killsSoFar();
  // Less than the kernel can reclaim from QEMU.
  group.write('memory.max', '1048576');
  await fleet.until('another VM is ready', ({ vms }) =>
    vms.some(({ id_vmachine, state }) => id_vmachine !== first.vm && state === 'ready'),
  );
  const gone = (await fleet.events()).find(({ kind, vm }) => kind === 'vm-gone' && vm === first.vm);
  const second = capsOfOnlyVm(fleet);
  const groups = groupsBelow(CGROUP_ROOT).filter((name) => name === `vm-${first.vm}`);
  const replaced = { kills: killsSoFar() - killsBefore, leftGroups: groups, event: JSON.stringify(gone), caps: second };
  tell({ name: 'replaced', value: { ...replaced, reply: await reply('replaced') } });

  await client.close();
  const { exitCode } = await fleet.stop();
  tell({ name: 'stopped', value: { exitCode, leftGroups: groupsBelow(CGROUP_ROOT) } });
}

/** Retries, because on a busy host fixed limits can be too tight, such as that on the start of the launcher. */
async function started(triesLeft = 2): Promise<TestFleet> {
  const flags = ['--accel', 'tcg', '--shards', '0', ...PATIENCE.flatMap((setting) => ['--set', setting])];
  try {
    return await TestFleet.start({ addresses: 1, flags });
  } catch (error) {
    if (triesLeft === 0) throw error;
    console.error(error);
    return started(triesLeft - 1);
  }
}

async function replyTo(client: Client, text: string): Promise<string> {
  return (await client.request(text, { deadlineMs: DEADLINE_MS })).text;
}

function capsOfOnlyVm(fleet: TestFleet): CapsSeen {
  const [qemu] = qemusOf(fleet);
  if (qemu?.vm === undefined) throw new Error('no VM runs');
  return capsSeen(qemu.vm, qemu.identity.pid);
}

async function keepBusy(group: Group, ask: () => Promise<string>): Promise<Facts['busy']> {
  const figure = (name: string): number => group.figure('cpu.stat', name);
  const names = ['nr_periods', 'nr_throttled', 'usage_usec'];
  const busy = [1, 2].map(() => spawn('sh', ['-c', BUSY], { stdio: 'ignore' }));
  try {
    for (const { pid } of busy) if (pid !== undefined) group.add(pid);
    const before = names.map(figure);
    const reply = await ask();
    const [periodsBefore = 0, throttledBefore = 0] = before;
    const isEnough = (): boolean =>
      figure('nr_periods') >= periodsBefore + PERIODS && figure('nr_throttled') > throttledBefore;
    await eventually('the group is throttled', () => isEnough() || undefined);
    const [periods = 0, throttledPeriods = 0, usageUs = 0] = names.map(
      (name, index) => figure(name) - (before[index] ?? 0),
    );
    return { periods, throttledPeriods, cpuMs: usageUs / 1000, reply };
  } finally {
    await Promise.all(busy.map(end));
  }
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** A process in the group that fills that much memory. @returns the signal that ended it, if one did */
async function takeMemory(group: Group, bytes: number): Promise<string | null> {
  const script = 'echo $$ >"$0/cgroup.procs"; exec dd if=/dev/zero of=/dev/null count=1 bs="$1"';
  const child = spawn('sh', ['-c', script, group.path, String(bytes)], { stdio: 'ignore' });
  await once(child, 'close');
  return child.signalCode;
}
