import { resolve } from 'node:path';
import { systemClock } from '../actors/mod.ts';
import { addressOfRunning, askFleet, defaultDataDir, findHolder, findRunning, orphanedVms } from '../app/mod.ts';
import { ShoalError } from '../errors.ts';
import { signalProcess, whenGone } from '../process/mod.ts';
import { type Command, DATA_FLAG } from './command.ts';
import { say } from './output.ts';

const STOP_TIMEOUT_MS = 60_000;

export const downCommand: Command = {
  name: 'down',
  summary: 'ends the Shoal that runs on a data directory, with its VMs and its NATS server',
  words: '',
  wordsMax: 0,
  flags: [{ name: 'keep-vms', about: 'leave the VMs running; the next `shoal up` adopts them' }, DATA_FLAG],
  examples: [
    ['shoal down', 'the same as Ctrl-C in the terminal of `shoal up`'],
    ['shoal down --keep-vms', 'for an upgrade of Shoal: the VMs and their requests stay'],
  ],
  async run({ flags }) {
    const directory = resolve(flags.text('data') ?? defaultDataDir());
    const running = findRunning(directory);
    const holder = running?.process ?? findHolder(directory);
    if (holder === undefined) return nobodyRuns(directory);
    if (!flags.has('keep-vms')) signalProcess(holder, 'SIGTERM');
    else if (running === undefined) throw notYet(directory, holder.pid);
    else await askFleet(addressOfRunning(running), 'down', { keep_vms: true });
    if (await whenGone(holder, STOP_TIMEOUT_MS, systemClock)) return 0;
    const { pid } = holder;
    throw new ShoalError(
      'INTERNAL',
      `Shoal with pid ${pid} did not end within ${STOP_TIMEOUT_MS / 1000} s; \`kill -9 ${pid}\` ends it, and the next \`shoal up\` takes its VMs over`,
    );
  },
};

/** Only an administration that serves can be told to keep the VMs. */
function notYet(directory: string, pid: number): ShoalError {
  return new ShoalError(
    'DATA_DIR_IN_USE',
    `The Shoal on ${directory} (pid ${pid}) is just starting or stopping; give \`shoal down --keep-vms\` once it runs`,
    { details: { directory, pid } },
  );
}

/** Only the next `up` can tell which processes a killed Shoal has left, so `down` leaves them to it. */
async function nobodyRuns(directory: string): Promise<number> {
  const left = await orphanedVms(directory);
  if (left === 0) {
    say(`No Shoal runs on ${directory}; there is nothing to do.`);
    return 0;
  }
  const vms = left === 1 ? '1 VM' : `${left} VMs`;
  say(
    `No Shoal runs on ${directory}, but ${vms} of one that was killed: \`shoal up\` takes them over, and can then be ended.`,
  );
  return 1;
}
