import type { Client, ClientBytesReply, ClientReply } from '../client/mod.ts';
import { messageWithCode, type ShoalError } from '../errors.ts';
import { CONTENT_TYPE_FORM, isContentType } from '../fleet/mod.ts';
import { type Command, FIND_FLAGS, type Flags, type Invocation, OUTPUT_FLAG } from './command.ts';
import { fleetOf } from './find.ts';
import { outputFailed, printable, printBytes, printData, printJson, readerCaughtUp, say } from './output.ts';
import { usage } from './parse.ts';
import { type RequestFlags, requestOf } from './request-flags.ts';
import { splitLines } from './split-lines.ts';
import { fileSource, givenText, standardInput, type TextSource, wholeBytes, wholeText } from './text-source.ts';
import { decodeUtf8 } from './utf8.ts';
import { withClient } from './with-client.ts';

export const sendCommand: Command = {
  name: 'send',
  summary: 'sends text to the fleet and prints the reply',
  words: '[TEXT]',
  wordsMax: 1,
  flags: [
    {
      name: 'op',
      value: 'NAME',
      about: 'operation: upper, lower, reverse, count, freq, sha256, ... (default: the service decides)',
    },
    { name: 'file', short: 'f', value: 'FILE', about: 'send the content of a file' },
    {
      name: 'content-type',
      value: 'TYPE',
      about: 'what is sent, to an image that takes bytes: any bytes are then sent as they are, UTF-8 or not',
    },
    { name: 'lines', about: 'send each line as its own request; replies come in the order of the lines' },
    { name: 'deadline', value: 'MS', about: 'give up after this many milliseconds (default: 30000)' },
    ...FIND_FLAGS,
    OUTPUT_FLAG,
  ],
  examples: [
    ['shoal send "hello, world"', 'prints HELLO, WORLD'],
    ['shoal send --op count --file README.md', 'lines, words and bytes of a file as JSON'],
    ['shoal send --file in.png --content-type image/png > out.png', 'any bytes in and out, if the image takes them'],
    ['cat names.txt | shoal send --lines --op reverse', 'one request per line, from standard input'],
  ],
  async run(invocation) {
    const { flags } = invocation;
    const json = flags.oneOf('output', ['table', 'json']) === 'json';
    const contentType = contentTypeOf(flags);
    const request = requestOf(sendCommand, flags);
    const place = fleetOf(flags);
    const source = await sourceOf(invocation);
    try {
      return await withClient({ ...place, name: 'shoal-send' }, async (client) => {
        if (flags.has('lines')) return sendLines(client, source, request, json);
        const bytesMax = client.textBytesMax;
        if (contentType === undefined) {
          const text = await wholeText(source, bytesMax);
          printReply(await client.requestBytes(Buffer.from(text), request), json);
        } else {
          printReply(await client.requestBytes(await wholeBytes(source, bytesMax), { ...request, contentType }), json);
        }
        return 0;
      });
    } finally {
      await source.close();
    }
  },
};

/** @throws USAGE naming flag and value */
function contentTypeOf(flags: Flags): string | undefined {
  const type = flags.text('content-type');
  if (type === undefined) return undefined;
  if (flags.has('lines'))
    throw usage(sendCommand, 'give either --lines, which sends text, or --content-type, not both');
  if (isContentType(type)) return type;
  throw usage(sendCommand, `expected --content-type to be ${CONTENT_TYPE_FORM}, got ${JSON.stringify(type)}`);
}

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
    say(printable(`shoal: line ${line}: ${messageWithCode(error)}`));
  };
  /** Numbers of the lines that await their outcome. Outcomes arrive in the order of the lines. */
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
    // Without a reader the work is useless, and the input may be endless.
    if (outputFailed.aborted) break;
  }
  return isDone ? 0 : 1;
}

/** Only bytes have a content type. */
function printReply({ bytes, contentType, vm, host, ms }: ClientBytesReply, json: boolean): void {
  if (contentType === undefined) return print({ text: decoder.decode(bytes), vm, host, ms }, json);
  if (json) {
    const reply_base64 = Buffer.from(bytes).toString('base64');
    return printJson({ reply_base64, content_type: contentType, vm, host, ms: rounded(ms) });
  }
  if (!process.stdout.isTTY) return printBytes(bytes);
  const text = decodeUtf8(bytes);
  if (text !== undefined) return printData(printable(text));
  say(printable(`shoal: the reply is ${bytes.length} bytes of ${contentType}: send it to a file or a program`));
}

/** A byte order mark at the beginning is part of the text. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** A pipe gets the text unchanged. On a terminal, which would obey them, control characters are replaced. */
function print({ text, vm, host, ms }: ClientReply, json: boolean): void {
  if (json) printJson({ reply: text, vm, host, ms: rounded(ms) });
  else printData(process.stdout.isTTY ? printable(text) : text);
}
