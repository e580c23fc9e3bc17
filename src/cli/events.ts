import { askFleet, type FleetAddress } from '../app/mod.ts';
import { logLine } from '../console/mod.ts';
import { ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { EVENTS_KEPT, followEvents } from './follow-events.ts';
import { printable, printData, printJson, say } from './output.ts';

const COUNT_DEFAULT = 50;

export const eventsCommand: Command = {
  name: 'events',
  summary: 'shows what happened in the fleet, with the rule that made it so',
  words: '',
  wordsMax: 0,
  flags: [
    { name: 'count', short: 'n', value: 'N', about: `the latest so many (default: ${COUNT_DEFAULT})` },
    { name: 'follow', short: 'f', about: 'go on with those to come, until Ctrl-C' },
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal events', 'the latest'],
    ['shoal events --follow -o json', 'each as a line of JSON, as they come'],
  ],
  async run({ flags }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const count = flags.whole('count', { min: 1, max: EVENTS_KEPT }) ?? COUNT_DEFAULT;
    if (flags.has('follow')) await follow(() => fleetOf(flags), count, json);
    else
      for (const event of await askFleet<readonly FleetEvent[]>(fleetOf(flags), 'events', { count }))
        print(event, json);
    return 0;
  },
};

/** The latest, and those to come, until Ctrl-C. */
async function follow(find: () => FleetAddress, count: number, json: boolean): Promise<void> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  // Nobody reads what is printed any more (`| head`): what is to come has no end.
  process.stdout.once('error', end);
  await followEvents({
    find,
    count,
    onEvent: (event) => print(event, json),
    onAway: (error) => say(`shoal: ${describe(error)}; waiting for the fleet to come back`),
    onBack: () => say('shoal: the fleet is back; what it knows of the time between follows, and may not be all'),
    signal: ending.signal,
  });
}

function describe(error: unknown): string {
  if (error instanceof ShoalError) return `${error.message} [${error.code}]`;
  return error instanceof Error ? error.message : String(error);
}

function print(event: FleetEvent, json: boolean): void {
  if (json) printJson(event);
  else printData(printable(logLine(event)));
}
