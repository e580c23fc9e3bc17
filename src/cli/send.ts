import { createReadStream } from 'node:fs';
import { type Client, type ClientReply, connect } from '../client/mod.ts';
import type { ShoalError } from '../errors.ts';
import { type Command, FIND_FLAGS, type Invocation, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { printData, printJson, say } from './output.ts';
import { usage } from './parse.ts';
import { type RequestFlags, requestOf, unreadable } from './request-flags.ts';
import { splitLines } from './split-lines.ts';
import { textOfInput } from './utf8.ts';

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
    const request = requestOf(sendCommand, flags);
    const client = await connect({ ...fleetOf(flags), name: 'shoal-send' });
    try {
      if (flags.has('lines')) return await sendLines(client, source, request, format === 'json');
      print(await client.request(await textOf(source), request), format === 'json');
      return 0;
    } finally {
      await client.close();
    }
  },
};

function sourceOf({ flags, words }: Invocation): AsyncIterable<Uint8Array> {
  const [word] = words;
  const file = flags.text('file');
  if (word !== undefined && file !== undefined) throw usage(sendCommand, 'give either a text or --file, not both');
  if (word !== undefined) return oneChunk(word);
  if (file !== undefined) return fileChunks(file);
  if (process.stdin.isTTY)
    throw usage(sendCommand, 'there is nothing to send: give a text, --file, or pipe something in');
  return process.stdin;
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text);
}

async function* fileChunks(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return textOfInput(Buffer.concat(parts));
}

/** Replies in the order of the lines; a line that fails says so on standard error and the others go on. */
async function sendLines(
  client: Client,
  source: AsyncIterable<Uint8Array>,
  request: RequestFlags,
  json: boolean,
): Promise<number> {
  let isDone = true;
  let isHeard = true;
  process.stdout.once('error', () => {
    isHeard = false;
  });
  const fail = (line: number | undefined, error: ShoalError): void => {
    isDone = false;
    say(`shoal: line ${line}: ${error.message} [${error.code}]`);
  };
  /** Of the lines that were sent and whose outcome has not come; outcomes come in their order. */
  const numbers: number[] = [];
  const texts = async function* (): AsyncGenerator<string, void, undefined> {
    for await (const line of splitLines(source)) {
      if ('error' in line) {
        fail(line.number, line.error);
        continue;
      }
      numbers.push(line.number);
      yield line.text;
    }
  };
  for await (const outcome of client.lines(texts(), request)) {
    // Nobody reads what is printed any more, and the input may have no end.
    if (!isHeard) break;
    const line = numbers.shift();
    if (outcome.ok) print(outcome, json);
    else fail(line, outcome.error);
  }
  return isDone ? 0 : 1;
}

function print({ text, vm, host, ms }: ClientReply, json: boolean): void {
  if (json) printJson({ reply: text, vm, host, ms: Math.round(ms * 1000) / 1000 });
  else printData(text);
}
