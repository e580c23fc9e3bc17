import { resolve } from 'node:path';
import { systemClock } from '../actors/mod.ts';
import {
  addressOfRunning,
  askFleet,
  defaultDataDir,
  type FleetCalls,
  findHolder,
  findRunning,
  leftVms,
  refuseMoved,
  refuseOtherFleet,
  refuseUnseen,
  withFleet,
} from '../app/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import { signalProcess, whenGone } from '../process/mod.ts';
import { heard, hostOf } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, type Flags } from './command.ts';
import { fleetNameOf, fleetOf } from './find.ts';
import { say } from './output.ts';
import { usage } from './parse.ts';

const STOP_TIMEOUT_MS = 60_000;

export const downCommand: Command = {
  name: 'down',
  summary: 'ends the Shoal that runs on a data directory, with its VMs and its NATS server; or another host, or all',
  words: '',
  wordsMax: 0,
  flags: [
    { name: 'keep-vms', about: 'leave the VMs running; the next `shoal up` adopts them' },
    { name: 'host', value: 'NAME', about: 'end this host of the fleet instead' },
    { name: 'all', about: 'end all hosts of the fleet' },
    ...FIND_FLAGS,
  ],
  examples: [
    ['shoal down', 'the same as Ctrl-C in the terminal of `shoal up`'],
    ['shoal down --host b', 'ends host b; the other hosts take its requests'],
    ['shoal down --all', 'ends the whole fleet'],
    ['shoal down --keep-vms', 'for an upgrade of Shoal: the VMs and their requests stay'],
  ],
  async run({ flags }) {
    if (flags.has('all') && flags.text('host') !== undefined)
      throw usage(downCommand, 'give --host or --all, not both');
    if (flags.has('all') || flags.text('host') !== undefined) return endHosts(flags);
    if (flags.text('nats') !== undefined)
      throw usage(downCommand, '--nats names a fleet: say with --host which of its hosts is to end, or --all');
    const fleet = fleetNameOf(flags);
    const directory = resolve(flags.text('data') ?? defaultDataDir());
    const running = findRunning(directory);
    const holder = running?.process ?? findHolder(directory);
    if (holder === undefined) return nobodyRuns(directory);
    if (running !== undefined) refuseOtherFleet(directory, running, fleet);
    else if (fleet !== undefined) throw notYet(directory, holder.pid, '--fleet');
    if (!flags.has('keep-vms')) signalProcess(holder, 'SIGTERM');
    else if (running === undefined) throw notYet(directory, holder.pid, '--keep-vms');
    else await askFleet(addressOfRunning(running), 'down', { keep_vms: true });
    if (await whenGone(holder, STOP_TIMEOUT_MS, systemClock)) return 0;
    const { pid } = holder;
    throw new ShoalError(
      'INTERNAL',
      `Shoal with pid ${pid} did not end within ${STOP_TIMEOUT_MS / 1000} s; \`kill -9 ${pid}\` ends it, and the next \`shoal up\` takes its VMs over`,
    );
  },
};

/** Only a Shoal that serves says which fleet it runs, and can be told to keep the VMs. */
function notYet(directory: string, pid: number, flag: string): ShoalError {
  return new ShoalError(
    'DATA_DIR_IN_USE',
    `The Shoal on ${directory} (pid ${pid}) is just starting or stopping, or its running.json was removed; give \`shoal down ${flag}\` once it runs, or name it with --nats and --host`,
    { details: { directory, pid } },
  );
}

/** Only the next `up` can tell which processes a killed Shoal has left, so `down` leaves them to it. */
async function nobodyRuns(directory: string): Promise<number> {
  refuseUnseen(directory);
  await refuseMoved(directory);
  const { count, unknown } = await leftVms(directory);
  if (count === 0 && unknown.length === 0) {
    say(`No Shoal runs on ${directory}; there is nothing to do.`);
    return 0;
  }
  const vms = count === 1 ? '1 VM' : `${count} VMs`;
  const left =
    count === 0
      ? 'there may be VMs of one that was killed'
      : `${vms} of one that was killed: \`shoal up\` takes them over, and can then be ended`;
  say(`No Shoal runs on ${directory}, but ${left}.`);
  for (const one of unknown) say(`${one}. If it is a VM of yours, end its process and remove the directory.`);
  return 1;
}

/** Ends a host, or all, and waits until they no longer answer. */
function endHosts(flags: Flags): Promise<number> {
  const args = { keep_vms: flags.has('keep-vms') };
  return withFleet(fleetOf(flags), 'down', async (calls) => {
    const { values, exitCode } = heard(await calls.every('down', args, hostOf(flags)));
    await Promise.all(values.map(({ host }) => whenSilent(calls, host)));
    return exitCode;
  });
}

const BETWEEN_LOOKS_MS = 200;

async function whenSilent({ ask }: FleetCalls, host: string): Promise<void> {
  const endMs = systemClock.monotonic() + STOP_TIMEOUT_MS;
  while (systemClock.monotonic() < endMs) {
    const error = await ask('version', {}, host).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    // The NATS server may have been that host's own.
    if (error !== undefined && codeOf(error) !== 'REQUEST_DEADLINE') return;
    await new Promise<void>((resolve) => systemClock.timer(BETWEEN_LOOKS_MS, resolve));
  }
  throw new ShoalError('INTERNAL', `Host ${host} did not end within ${STOP_TIMEOUT_MS / 1000} s`);
}
