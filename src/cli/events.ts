import { systemClock } from '../actors/mod.ts';
import { askFleet, type FleetAddress } from '../app/mod.ts';
import { EVENTS_KEPT, eventsIn, FleetFollower, logLine } from '../console/mod.ts';
import { ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { decisionLines } from './decision-lines.ts';
import { fleetOf } from './find.ts';
import { isReaderBehind, outputFailed, printable, printData, printJson, say } from './output.ts';
import { onReaderGone } from './reader-gone.ts';
import { onStopSignal } from './signals.ts';

const COUNT_DEFAULT = 50;

/** One line an event; in words with all that it was decided on; or as JSON. */
type Form = 'line' | 'why' | 'json';

export const eventsCommand: Command = {
  name: 'events',
  summary: 'shows what happened in the fleet, and the rule behind it',
  words: '',
  wordsMax: 0,
  flags: [
    { name: 'count', short: 'n', value: 'N', about: `how many of the latest events (default: ${COUNT_DEFAULT})` },
    { name: 'why', about: 'with figures and reason, and with what else was considered and why it was not chosen' },
    { name: 'follow', short: 'f', about: 'go on with new events until Ctrl-C' },
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal events', 'the latest'],
    ['shoal events --why -n 5', 'the latest five, each with its figures and with what else was considered'],
    ['shoal events --follow -o json', 'one line of JSON per event, as they happen'],
  ],
  async run({ flags }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const count = flags.whole('count', { min: 1, max: EVENTS_KEPT }) ?? COUNT_DEFAULT;
    const form = json ? 'json' : flags.has('why') ? 'why' : 'line';
    if (flags.has('follow')) await follow(() => fleetOf(flags), count, form);
    else for (const event of eventsIn(await askFleet(fleetOf(flags), 'events', { count }))) print(event, form);
    return 0;
  },
};

/** Prints the latest events and then new ones until Ctrl-C. */
async function follow(find: () => FleetAddress, count: number, form: Form): Promise<void> {
  const ending = Promise.withResolvers<unknown>();
  onStopSignal(ending.resolve);
  // Without a reader nothing else would end this command.
  outputFailed.addEventListener('abort', ending.resolve);
  const unwatch = onReaderGone(() => ending.resolve(undefined));
  try {
    await followUntil(ending, find, count, form);
  } finally {
    unwatch();
  }
}

async function followUntil(
  ending: PromiseWithResolvers<unknown>,
  find: () => FleetAddress,
  count: number,
  form: Form,
): Promise<void> {
  let isAway = false;
  const follower = await FleetFollower.open({
    find,
    name: 'shoal-events',
    eventsAtStart: count,
    clock: systemClock,
    onEvent: (event) => {
      print(event, form);
      if (isReaderBehind()) ending.reject(new ShoalError('OUTPUT_UNWRITABLE', 'Nobody reads standard output'));
    },
    look: async ({ ask }) => void (await ask('events', { count: 1 })),
    onLost: (error) => {
      if (!isAway) say(printable(`shoal: ${describe(error)}; waiting for the fleet to come back`));
      isAway = true;
    },
    onBack: () => {
      isAway = false;
      say('shoal: the fleet is back; the events that it remembers of the time between follow, and may not be all');
    },
  });
  void follower.follow();
  try {
    await ending.promise;
  } finally {
    await follower.close();
  }
}

function describe(error: unknown): string {
  if (error instanceof ShoalError) return `${error.message} [${error.code}]`;
  return error instanceof Error ? error.message : String(error);
}

function print(event: FleetEvent, form: Form): void {
  if (form === 'json') printJson(event);
  else printData(form === 'why' ? decisionLines(event).join('\n') : printable(logLine(event)));
}
