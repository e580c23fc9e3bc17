import { systemClock } from '../actors/mod.ts';
import { Dashboard, FleetWatch, frameText, type Hints } from '../console/mod.ts';
import { hostOf } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, type Flags, HOST_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printData } from './output.ts';
import { usage } from './parse.ts';
import { onStopSignal } from './signals.ts';
import { columnsOf, hasColours, isOnTerminal, sendHint } from './terminal.ts';

/** Time between the two snapshots from which `--once` computes a rate. */
const BETWEEN_LOOKS_MS = 500;
const COLUMNS_IN_PIPE = 120;

export const topCommand: Command = {
  name: 'top',
  summary: 'shows the fleet live on the terminal: VMs, load over time, events',
  words: '',
  wordsMax: 0,
  flags: [{ name: 'once', about: 'print one frame as text, also into a pipe' }, HOST_FLAG, ...FIND_FLAGS],
  examples: [
    ['shoal top', '`?` shows the keys, `q` leaves'],
    ['shoal top --nats nats://127.0.0.1:4222 --fleet blue', 'a fleet elsewhere'],
    ['shoal top --once', 'one frame as text'],
  ],
  async run({ flags }) {
    if (flags.has('once')) {
      printData(await once(flags));
      return 0;
    }
    if (!isOnTerminal()) {
      throw usage(
        topCommand,
        'top needs a terminal to draw on, in the foreground; without one there are `shoal top --once`, `shoal ps` and `shoal events --follow`',
      );
    }
    await live(flags);
    return 0;
  },
};

async function once(flags: Flags): Promise<string> {
  const watch = await FleetWatch.open({
    find: () => fleetOf(flags),
    host: hostOf(flags),
    clock: systemClock,
    onChange: () => undefined,
  });
  try {
    await new Promise<void>((resolve) => systemClock.timer(BETWEEN_LOOKS_MS, resolve));
    await watch.look();
    return frameText(watch.facts, hintsOf(flags), columnsOf(process.stdout, COLUMNS_IN_PIPE));
  } finally {
    await watch.close();
  }
}

async function live(flags: Flags): Promise<void> {
  const dashboard = await Dashboard.open({
    find: () => fleetOf(flags),
    host: hostOf(flags),
    hints: hintsOf(flags),
    colours: hasColours(),
  });
  // Before the terminal is taken, a signal may simply end the process.
  const told = Promise.withResolvers<unknown>();
  const stopListening = onStopSignal(told.resolve);
  try {
    await Promise.race([dashboard.left, told.promise]);
  } finally {
    await dashboard.close();
    stopListening();
  }
}

function hintsOf(flags: Flags): Hints {
  return { send: sendHint(flags), quit: 'quit', canSuspend: true };
}
