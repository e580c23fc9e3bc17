import { systemClock } from '../actors/mod.ts';
import { Dashboard, FleetWatch, frameText, type Hints } from '../console/mod.ts';
import { type Command, FIND_FLAGS, type Flags } from './command.ts';
import { fleetOf } from './find.ts';
import { printData } from './output.ts';
import { usage } from './parse.ts';
import { onStopSignal } from './signals.ts';
import { columnsOf, hasColours, isOnTerminal, sendHint } from './terminal.ts';

/** Two looks this far apart give `--once` a rate. */
const BETWEEN_LOOKS_MS = 500;
const COLUMNS_IN_PIPE = 120;

export const topCommand: Command = {
  name: 'top',
  summary: 'shows the fleet live on the terminal: VMs, load over time, events',
  words: '',
  wordsMax: 0,
  flags: [{ name: 'once', about: 'print it once as text, which works in a pipe too' }, ...FIND_FLAGS],
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
  const watch = await FleetWatch.open({ find: () => fleetOf(flags), clock: systemClock, onChange: () => undefined });
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
    hints: hintsOf(flags),
    colours: hasColours(),
  });
  // Until here there was nothing to give back, and a signal just ended it.
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
