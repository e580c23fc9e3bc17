import { askFleet } from '../app/mod.ts';
import type { News } from '../fleet/mod.ts';
import { connect, subjectsOf } from '../transport/mod.ts';
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
    for (const news of await askFleet<readonly News[]>(where, 'events', { count })) print(news, json);
    if (flags.has('follow')) await follow(where, json);
    return 0;
  },
};

async function follow({ servers, fleet }: { servers: string; fleet: string }, json: boolean): Promise<void> {
  const connection = await connect({ servers, name: 'shoal-events' });
  const subscription = connection.nc.subscribe(subjectsOf(fleet).events);
  const onSignal = (): void => subscription.unsubscribe();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  // What the server publishes there is this type.
  for await (const message of subscription) print(message.json<News>(), json);
  await connection.close();
}

function print(news: News, json: boolean): void {
  if (json) printJson(news);
  else printData(`${new Date(news.atMs).toISOString().slice(11, 23)}  ${printable(news.text)}`);
}
