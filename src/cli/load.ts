import { systemClock } from '../actors/mod.ts';
import type { Client } from '../client/mod.ts';
import { type Bounds, type Load, type LoadReport, type Pace, randomTexts, reportOf, startLoad } from '../load/mod.ts';
import { type Command, FIND_FLAGS, type Flags, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { showLoad } from './load-line.ts';
import { summaryOf } from './load-summary.ts';
import { printData, printJson, say } from './output.ts';
import { usage } from './parse.ts';
import { type RequestFlags, requestOf } from './request-flags.ts';
import { interruption } from './signals.ts';
import { fileSource, givenText, wholeText } from './text-source.ts';
import { withClient } from './with-client.ts';

const CONCURRENCY_DEFAULT = 8;
const CONCURRENCY_MAX = 4_096;
const RATE_MAX = 100_000;
/** Below the client's own limit, so that requests wait here, where their waiting time is counted. */
const IN_FLIGHT_MAX = 10_000;
const DURATION_S_DEFAULT = 10;
const DURATION_S_MAX = 3_600;
const REQUESTS_MAX = 100_000_000;
/** NATS takes a megabyte with its headers unless it is configured otherwise. */
const SIZE_BYTES_MAX = 60_000_000;
const TEXT_DEFAULT = 'Hello from a unikernel';

export const loadCommand: Command = {
  name: 'load',
  summary: 'sends many requests at a set pace and reports their latencies',
  words: '',
  wordsMax: 0,
  flags: [
    {
      name: 'rate',
      value: 'N',
      about: `requests a second, each sent when it is due however the fleet does (at most ${RATE_MAX})`,
    },
    {
      name: 'concurrency',
      short: 'c',
      value: 'N',
      about: `requests in flight, the end of one begins the next (default: ${CONCURRENCY_DEFAULT}; at most ${CONCURRENCY_MAX})`,
    },
    {
      name: 'duration',
      short: 'd',
      value: 'S',
      about: `seconds (default: ${DURATION_S_DEFAULT}, at most ${DURATION_S_MAX})`,
    },
    {
      name: 'requests',
      short: 'n',
      value: 'N',
      about: 'end after this many requests; the time is then limited only by --duration',
    },
    { name: 'ramp', value: 'S', about: 'seconds over which the pace grows to the full one (default: 0)' },
    { name: 'op', value: 'NAME', about: 'operation (default: the service decides)' },
    { name: 'text', value: 'TEXT', about: `what to send (default: "${TEXT_DEFAULT}")` },
    { name: 'size', value: 'BYTES', about: 'send random text of this size' },
    { name: 'file', short: 'f', value: 'FILE', about: 'send the content of a file' },
    { name: 'deadline', value: 'MS', about: 'of each request (default: 30000)' },
    { name: 'fail-on-error', about: 'exit with 1 if any request failed, not only if all did' },
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal load', `${CONCURRENCY_DEFAULT} requests in flight for ${DURATION_S_DEFAULT} seconds`],
    [
      'shoal load --rate 200 --ramp 5 --duration 20 --op count --size 4096',
      '200 texts of 4 KiB a second, after five seconds of growing',
    ],
    [
      'shoal load -c 64 -n 10000 --op spin --text 5 -o json',
      'ten thousand requests that compute for 5 ms each, for a program',
    ],
  ],
  async run({ flags }) {
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const pace = paceOf(flags);
    const bounds = boundsOf(flags, pace);
    const request = requestOf(loadCommand, flags);
    const place = fleetOf(flags);
    const texts = await textsOf(flags);
    try {
      return await withClient({ ...place, name: 'shoal-load' }, async (client) => {
        const report = await runLoad({ client, pace, bounds, request, texts: await texts.read(client.textBytesMax) });
        if (json) printJson(report);
        else printData(summaryOf(report));
        return exitCodeOf(report, flags.has('fail-on-error'));
      });
    } finally {
      await texts.close();
    }
  },
};

interface Texts {
  readonly read: (bytesMax: number) => Promise<readonly [string, ...string[]]>;
  close(): Promise<void>;
}

interface Run {
  readonly client: Client;
  readonly pace: Pace;
  readonly bounds: Bounds;
  readonly request: RequestFlags;
  /** Sent in turns. */
  readonly texts: readonly [string, ...string[]];
}

/** The first Ctrl-C ends the load and shows what there is; the second ends the program. */
async function runLoad({ client, pace, bounds, request, texts }: Run): Promise<LoadReport> {
  const { signal: interrupted, over } = interruption();
  const load: Load = startLoad({
    pace,
    bounds,
    clock: systemClock,
    signal: interrupted,
    send: (index, signal) => client.request(texts[index % texts.length] ?? texts[0], { ...request, signal }),
  });
  const clearLine = showLoad(load, bounds);
  try {
    await load.done;
  } finally {
    clearLine();
    over();
  }
  if (interrupted.aborted) say('interrupted: this is what there was until then');
  return reportOf({
    load,
    pace,
    op: request.op,
    bytes: Buffer.byteLength(texts[0]),
    isInterrupted: interrupted.aborted,
  });
}

/** A load test fails only if no request succeeded, or, with --fail-on-error, if any failed. */
function exitCodeOf({ ok, failed, not_sent }: LoadReport, failOnError: boolean): number {
  return ok === 0 || (failOnError && failed + not_sent > 0) ? 1 : 0;
}

function paceOf(flags: Flags): Pace {
  const perSecond = flags.whole('rate', { min: 1, max: RATE_MAX });
  const clients = flags.whole('concurrency', { min: 1, max: CONCURRENCY_MAX });
  const rampMs = (flags.whole('ramp', { min: 0, max: DURATION_S_MAX }) ?? 0) * 1000;
  if (perSecond !== undefined && clients !== undefined)
    throw usage(loadCommand, 'give either --rate or --concurrency, not both');
  if (perSecond !== undefined) return { kind: 'rate', perSecond, rampMs };
  return { kind: 'concurrency', clients: clients ?? CONCURRENCY_DEFAULT, rampMs };
}

function boundsOf(flags: Flags, { rampMs }: Pace): Bounds {
  const requests = flags.whole('requests', { min: 1, max: REQUESTS_MAX });
  const durationS =
    flags.whole('duration', { min: 1, max: DURATION_S_MAX }) ??
    (requests === undefined ? DURATION_S_DEFAULT : DURATION_S_MAX);
  if (rampMs > durationS * 1000) {
    throw usage(
      loadCommand,
      `expected --ramp to be no longer than the duration of ${durationS} s, got ${rampMs / 1000}`,
    );
  }
  return { durationMs: durationS * 1000, requestsMax: requests ?? REQUESTS_MAX, inFlightMax: IN_FLIGHT_MAX };
}

/** Opens the source of the texts before anything connects. @throws USAGE if it cannot be read */
async function textsOf(flags: Flags): Promise<Texts> {
  const text = flags.text('text');
  const file = flags.text('file');
  const bytes = flags.whole('size', { min: 0, max: SIZE_BYTES_MAX });
  if ([text, file, bytes].filter((given) => given !== undefined).length > 1) {
    throw usage(loadCommand, 'give one of --text, --size and --file');
  }
  const source = file === undefined ? givenText(text ?? TEXT_DEFAULT) : await fileSource(file);
  return {
    read: async (bytesMax) => (bytes === undefined ? [await wholeText(source, bytesMax)] : randomTexts(bytes)),
    close: () => source.close(),
  };
}
