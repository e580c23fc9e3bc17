import { readFile } from 'node:fs/promises';
import { type Client, type ClientReply, connect } from '../client/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import { type Command, FIND_FLAGS, type Flags, type Input, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printJson } from './output.ts';
import { usage } from './parse.ts';

/** Lines in flight with `--lines`: enough to keep a fleet busy, few enough to keep their order in memory. */
const LINES_IN_FLIGHT = 64;

export const sendCommand: Command = {
  name: 'send',
  summary: 'sends text to the fleet and prints what comes back',
  words: '[TEXT]',
  wordsMax: 1,
  flags: [
    {
      name: 'op',
      value: 'NAME',
      about: 'operation: upper, lower, reverse, count, freq, sha256, ... (default: the service decides)',
    },
    { name: 'file', short: 'f', value: 'FILE', about: 'send the content of a file' },
    { name: 'lines', about: 'send each line as a request of its own; replies come in the order of the lines' },
    { name: 'deadline', value: 'MS', about: 'give up after so many milliseconds (default: 30000)' },
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal send "hello, world"', 'prints HELLO, WORLD'],
    ['shoal send --op count --file README.md', 'lines, words and bytes of a file as JSON'],
    ['cat names.txt | shoal send --lines --op reverse', 'one request a line, from standard input'],
  ],
  async run(input) {
    const { flags } = input;
    const format = flags.oneOf('output', ['table', 'json']);
    const source = sourceOf(input);
    const request = requestOf(flags);
    const client = await connect({ ...fleetOf(flags), name: 'shoal-send' });
    try {
      if (flags.has('lines')) return await sendLines(client, await source.text(), request, format === 'json');
      print(await timed(client, await source.text(), request), format === 'json');
      return 0;
    } finally {
      await client.close();
    }
  },
};

interface RequestFlags {
  readonly op?: string;
  readonly deadlineMs?: number;
}

function requestOf(flags: Flags): RequestFlags {
  const op = flags.text('op');
  const deadlineMs = flags.whole('deadline', { min: 1, max: 3_600_000 });
  return { ...(op === undefined ? {} : { op }), ...(deadlineMs === undefined ? {} : { deadlineMs }) };
}

function sourceOf({ flags, words }: Input): { text: () => Promise<string> } {
  const [word] = words;
  const file = flags.text('file');
  if (word !== undefined && file !== undefined) throw usage(sendCommand, 'give either a text or --file, not both');
  if (word !== undefined) return { text: () => Promise.resolve(word) };
  if (file !== undefined) return { text: () => readText(file) };
  if (process.stdin.isTTY)
    throw usage(sendCommand, 'there is nothing to send: give a text, --file, or pipe something in');
  return { text: readStandardInput };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ShoalError('USAGE', `the file ${file} cannot be read (${codeOf(cause) ?? String(cause)})`, { cause });
  }
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

interface TimedReply extends ClientReply {
  readonly ms: number;
}

async function timed(client: Client, text: string, request: RequestFlags): Promise<TimedReply> {
  const startMs = performance.now();
  const reply = await client.request(text, request);
  return { ...reply, ms: Math.round((performance.now() - startMs) * 1000) / 1000 };
}

/** Replies in the order of the lines; a line that fails says so on standard error and the others go on. */
async function sendLines(client: Client, text: string, request: RequestFlags, json: boolean): Promise<number> {
  let failed = 0;
  const inFlight: Promise<() => void>[] = [];
  const next = async (): Promise<void> => (await inFlight.shift())?.();
  for (const [index, line] of linesOf(text).entries()) {
    const printing = timed(client, line, request).then(
      (reply) => () => print(reply, json),
      (error: unknown) => () => {
        failed += 1;
        const message = error instanceof Error ? error.message : String(error);
        process.stderr.write(`shoal: line ${index + 1}: ${message}\n`);
      },
    );
    inFlight.push(printing);
    if (inFlight.length >= LINES_IN_FLIGHT) await next();
  }
  while (inFlight.length > 0) await next();
  return failed === 0 ? 0 : 1;
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function print({ text, vm, host, ms }: TimedReply, json: boolean): void {
  if (json) printJson({ reply: text, vm, host, ms });
  else process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
