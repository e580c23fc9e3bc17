import { askFleet, type FleetAddress } from '../app/mod.ts';
import { logLine } from '../console/mod.ts';
import type { News } from '../fleet/mod.ts';
import { connect, newsIn, subjectsOf } from '../transport/mod.ts';
import { type Command, FIND_FLAGS, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printable, printData, printJson } from './output.ts';

const COUNT_DEFAULT = 50;
const COUNT_MAX = 1_000;

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
    const count = flags.whole('count', { min: 1, max: COUNT_MAX }) ?? COUNT_DEFAULT;
    const where = fleetOf(flags);
    const latest = (): Promise<readonly News[]> => askFleet<readonly News[]>(where, 'events', { count });
    if (flags.has('follow')) await follow(where, latest, json);
    else for (const news of await latest()) print(news, json);
    return 0;
  },
};

/** The latest, and those to come. It listens before it asks for the latest, so that none falls between. */
async function follow(
  { servers, fleet }: FleetAddress,
  latest: () => Promise<readonly News[]>,
  json: boolean,
): Promise<void> {
  const connection = await connect({ servers, name: 'shoal-events' });
  try {
    const subscription = connection.nc.subscribe(subjectsOf(fleet).events);
    const end = (): void => subscription.unsubscribe();
    process.once('SIGINT', end).once('SIGTERM', end);
    // Nobody reads what is printed any more (`| head`): what is to come has no end.
    process.stdout.once('error', end);
    await connection.nc.flush();
    const known = new Set<string>();
    for (const news of await latest()) {
      known.add(JSON.stringify(news));
      print(news, json);
    }
    for await (const message of subscription) {
      const news = newsIn(message);
      if (news !== undefined && !known.delete(JSON.stringify(news))) print(news, json);
    }
  } finally {
    await connection.close();
  }
}

function print(news: News, json: boolean): void {
  if (json) printJson(news);
  else printData(printable(logLine(news)));
}
