import { systemClock } from '../actors/mod.ts';
import type { FleetAddress } from '../app/mod.ts';
import { EVENTS_KEPT, eventsIn, FleetFollower, logLine } from '../console/mod.ts';
import { messageWithCode, ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { askHosts, hostOf } from './asked-hosts.ts';
import { type Command, FIND_FLAGS, type Flags, HOST_FLAG, OUTPUT_FLAG } from './command.ts';
import { decisionLines } from './decision-lines.ts';
import { inTime, named, withHost } from './explain-fleet.ts';
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
    HOST_FLAG,
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal events', 'the latest'],
    ['shoal events --host b', 'those of host b'],
    ['shoal events --why -n 5', 'the latest five, each with its figures and with what else was considered'],
    ['shoal events --follow -o json', 'one line of JSON per event, as they happen'],
  ],
  async run({ flags }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const count = flags.whole('count', { min: 1, max: EVENTS_KEPT }) ?? COUNT_DEFAULT;
    const form = json ? 'json' : flags.has('why') ? 'why' : 'line';
    if (!flags.has('follow')) return latest(flags, count, form);
    await follow(() => fleetOf(flags), count, form, hostOf(flags));
    return 0;
  },
};

async function latest(flags: Flags, count: number, form: Form): Promise<number> {
  const { values, isMany, exitCode } = await askHosts(flags, 'events', { count });
  const events = inTime(values.flatMap(({ host, value }) => withHost(host, eventsIn(value)))).slice(-count);
  for (const event of form === 'json' ? events : named(events, isMany)) print(event, form);
  return exitCode;
}

/** Prints the latest events and then new ones until Ctrl-C. */
async function follow(find: () => FleetAddress, count: number, form: Form, host?: string): Promise<void> {
  const ending = Promise.withResolvers<unknown>();
  onStopSignal(ending.resolve);
  // Without a reader nothing else would end this command.
  outputFailed.addEventListener('abort', ending.resolve);
  const unwatch = onReaderGone(() => ending.resolve(undefined));
  try {
    await followUntil(ending, find, count, form, host);
  } finally {
    unwatch();
  }
}

async function followUntil(
  ending: PromiseWithResolvers<unknown>,
  find: () => FleetAddress,
  count: number,
  form: Form,
  host: string | undefined,
): Promise<void> {
  let isAway = false;
  const hosts = new Set<string>();
  const follower = await FleetFollower.open({
    find,
    name: 'shoal-events',
    eventsAtStart: count,
    clock: systemClock,
    onEvent: (event) => {
      if (event.host !== undefined) hosts.add(event.host);
      const [shown = event] = form === 'json' ? [] : named([event], hosts.size > 1);
      print(shown, form);
      if (isReaderBehind()) ending.reject(new ShoalError('OUTPUT_UNWRITABLE', 'Nobody reads standard output'));
    },
    host,
    look: async ({ every }) => void (await every('version', {})),
    onLost: (error) => {
      if (!isAway) say(printable(`shoal: ${messageWithCode(error)}; waiting for the fleet to come back`));
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

function print(event: FleetEvent, form: Form): void {
  if (form === 'json') printJson(event);
  else printData(form === 'why' ? decisionLines(event).join('\n') : printable(logLine(event)));
}
