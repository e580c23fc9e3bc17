import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { defaultDataDir, defaultImage, FLEET_DEFAULT, type Shoal, startShoal, type UpOptions } from '../app/mod.ts';
import { makeParams, type News, parsePool } from '../fleet/mod.ts';
import { type Command, DATA_FLAG, FLEET_FLAG, type Flags, OUTPUT_FLAG } from './command.ts';
import { printable, printJson, say } from './output.ts';
import { usage } from './parse.ts';

const POOL_DEFAULT = '127.0.10.1-127.0.10.50:9000';
const GREETING = 'Hello from a unikernel';

export const upCommand: Command = {
  name: 'up',
  summary:
    'runs a whole Shoal on this machine until Ctrl-C: server, controller, VMs, and a NATS server if none is named',
  words: '',
  wordsMax: 0,
  flags: [
    DATA_FLAG,
    FLEET_FLAG,
    { name: 'nats', value: 'URL', about: 'use this NATS server instead of one of our own' },
    { name: 'pool', value: 'RANGE:PORT', about: `addresses for the VMs (default: ${POOL_DEFAULT})` },
    { name: 'min', value: 'N', about: 'VMs to keep running: the parameter min_vm_count (default: 1)' },
    { name: 'image', value: 'FILE', about: 'guest image (default: the built-in one)' },
    { name: 'accel', value: 'NAME', about: 'auto, kvm or tcg (default: auto, which measures once)' },
    { name: 'set', value: 'KEY=VALUE', multiple: true, about: 'sets a parameter; may be repeated' },
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal up', 'one VM at least, more as requests come; Ctrl-C ends everything'],
    ['shoal up --min 3 --set vm_requests_max=8', 'three VMs, each free while it works on fewer than eight requests'],
    ['shoal up --nats nats://127.0.0.1:4222 --fleet blue', 'uses a NATS server that runs already'],
  ],
  async run({ flags }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const stopping = new AbortController();
    let firstMs = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping.signal.aborted) {
        // The second Ctrl-C does not wait for what the first began.
        if (performance.now() - firstMs >= samePressMs()) hurry?.();
        return;
      }
      firstMs = performance.now();
      say(`${signal}: ending everything that was started; once more ends it at once`);
      stopping.abort();
    };
    let hurry: (() => void) | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    const shoal = await startShoal(optionsOf(flags, json), stopping.signal);
    hurry = () => shoal.hurry();
    try {
      if (!stopping.signal.aborted) await greet(shoal, json);
      const failure = await Promise.race([shoal.failed, aborted(stopping.signal)]);
      if (failure !== undefined) throw failure;
    } finally {
      await shoal.stop();
    }
    return 0;
  },
};

function optionsOf(flags: Flags, json: boolean): UpOptions {
  const nats = flags.text('nats');
  return {
    dataDir: resolve(flags.text('data') ?? defaultDataDir()),
    fleet: flags.text('fleet') ?? FLEET_DEFAULT,
    ...(nats === undefined ? {} : { nats }),
    pool: parsePool(flags.text('pool') ?? POOL_DEFAULT),
    params: makeParams(parametersOf(flags)),
    image: resolve(flags.text('image') ?? defaultImage()),
    accelerator: flags.oneOf('accel', ['auto', 'kvm', 'tcg']) ?? 'auto',
    host: hostname(),
    onNews: json ? () => undefined : tellNews,
    onProgress: json ? () => undefined : say,
  };
}

function parametersOf(flags: Flags): Record<string, string> {
  const values: Record<string, string> = {};
  for (const setting of flags.list('set')) {
    const at = setting.indexOf('=');
    if (at < 1) throw usage(upCommand, `expected --set KEY=VALUE, got ${JSON.stringify(setting)}`);
    values[setting.slice(0, at)] = setting.slice(at + 1);
  }
  const min = flags.text('min');
  return min === undefined ? values : { ...values, min_vm_count: min };
}

/** One request of our own through the whole path: what is said to be ready has answered. */
async function greet(shoal: Shoal, json: boolean): Promise<void> {
  const { text, vm, ms } = await shoal.greet(GREETING);
  const { vms } = await shoal.snapshot();
  if (json) {
    const { nats, fleet, subject, accelerator } = shoal;
    printJson({ ready: true, nats, fleet, subject, accelerator, vms });
    return;
  }
  say(`Ready: "${GREETING}" went to VM ${vm} and came back as "${printable(text)}" after ${ms.toFixed(1)} ms.`);
  say(
    `Send more with \`shoal send "some text"\`, or to the subject ${shoal.subject} at ${shoal.nats}. Ctrl-C ends everything.`,
  );
}

function tellNews(news: News): void {
  say(`${new Date(news.atMs).toISOString().slice(11, 23)}  ${printable(news.text)}`);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Under npm one Ctrl-C comes twice: from the terminal, and handed on by npm. */
function samePressMs(): number {
  return process.env['npm_lifecycle_event'] === undefined ? 0 : 300;
}
