import { type Client, type ClientReply, connect } from '../client/mod.ts';
import type { ShoalError } from '../errors.ts';
import { type Command, FIND_FLAGS, type Invocation, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { outputFailed, printable, printData, printJson, readerCaughtUp, say } from './output.ts';
import { usage } from './parse.ts';
import { type RequestFlags, requestOf } from './request-flags.ts';
import { splitLines } from './split-lines.ts';
import { fileSource, givenText, standardInput, type TextSource, wholeText } from './text-source.ts';

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
  async run(invocation) {
    const { flags } = invocation;
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const request = requestOf(sendCommand, flags);
    const place = fleetOf(flags);
    const source = await sourceOf(invocation);
    try {
      await using client = await connect({ ...place, name: 'shoal-send' });
      if (flags.has('lines')) return await sendLines(client, source, request, json);
      print(await client.request(await wholeText(source, client.textBytesMax), request), json);
      return 0;
    } finally {
      await source.close();
    }
  },
};

async function sourceOf({ flags, words }: Invocation): Promise<TextSource> {
  const [word] = words;
  const file = flags.text('file');
  if (word !== undefined && file !== undefined) throw usage(sendCommand, 'give either a text or --file, not both');
  if (word !== undefined) return givenText(word);
  if (file !== undefined) return fileSource(file);
  if (process.stdin.isTTY)
    throw usage(sendCommand, 'there is nothing to send: give a text, --file, or pipe something in');
  return standardInput();
}

/** Prints replies in the order of the lines. A line that fails says so on standard error, and the others go on. */
async function sendLines(client: Client, source: TextSource, request: RequestFlags, json: boolean): Promise<number> {
  let isDone = true;
  const fail = (line: number | undefined, error: ShoalError): void => {
    isDone = false;
    say(printable(`shoal: line ${line}: ${error.message} [${error.code}]`));
  };
  /** Of the lines that were sent and whose outcome has not come; outcomes come in their order. */
  const numbers: number[] = [];
  const texts = async function* (): AsyncGenerator<string, void, undefined> {
    for await (const line of splitLines(source.chunks, client.textBytesMax)) {
      if ('error' in line) {
        fail(line.number, line.error);
        continue;
      }
      numbers.push(line.number);
      yield line.text;
    }
  };
  for await (const outcome of client.lines(texts(), request)) {
    const line = numbers.shift();
    if (outcome.ok) print(outcome, json);
    else fail(line, outcome.error);
    await readerCaughtUp();
    // Without a reader the work is for nobody, and the input may have no end.
    if (outputFailed.aborted) break;
  }
  return isDone ? 0 : 1;
}

/** Another program gets the text as it is; a terminal would obey what is in it. */
function print({ text, vm, host, ms }: ClientReply, json: boolean): void {
  if (json) printJson({ reply: text, vm, host, ms: Math.round(ms * 1000) / 1000 });
  else printData(process.stdout.isTTY ? printable(text) : text);
}
