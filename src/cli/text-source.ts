import { constants, fstatSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ShoalError, whyUnreadable } from '../errors.ts';
import { textOfInput } from './utf8.ts';

/** Where a command reads its text from. */
export interface TextSource {
  /** For error messages: `standard input`, or the file's path. */
  readonly name: string;
  /** Can be read once. @throws USAGE if reading fails */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Releases the source. Closing twice is closing once. */
  close(): Promise<void>;
}

/** Opens a plain file. A FIFO could hang, and a device may be endless. @throws USAGE */
export async function fileSource(path: string): Promise<TextSource> {
  const name = `the file ${path}`;
  const handle = await openPlainFile(path).catch((cause: unknown) => {
    throw cause instanceof ShoalError ? cause : unreadable(name, cause);
  });
  return {
    name,
    chunks: readable(name, handle.createReadStream()),
    // The stream may have closed it.
    close: () => handle.close().catch(() => undefined),
  };
}

/** @throws USAGE if it is a directory, which Node would take for an empty text */
export function standardInput(): TextSource {
  const name = 'standard input';
  if (fstatSync(0).isDirectory()) throw new ShoalError('USAGE', `${name} cannot be read: it is a folder (EISDIR)`);
  return { name, chunks: readable(name, process.stdin), close: async () => void process.stdin.destroy() };
}

export function givenText(text: string): TextSource {
  const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from(text);
  };
  return { name: 'the text', chunks: chunks(), close: () => Promise.resolve() };
}

/** @throws REQUEST_TOO_LARGE as soon as it has more than `bytesMax`; REQUEST_INVALID if it is not UTF-8; USAGE if it cannot be read */
export async function wholeText(source: TextSource, bytesMax: number): Promise<string> {
  return textOfInput(await wholeBytes(source, bytesMax));
}

/** @throws REQUEST_TOO_LARGE as soon as it has more than `bytesMax`; USAGE if it cannot be read */
export async function wholeBytes({ name, chunks }: TextSource, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(name, bytesMax);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function tooLarge(name: string, bytesMax: number): ShoalError {
  const why = `Expected at most ${bytesMax} bytes from ${name}, which is what the NATS server takes, and there are more`;
  return new ShoalError('REQUEST_TOO_LARGE', `${why}; split the text, or raise \`max_payload\` of the server`, {
    details: { bytesMax },
  });
}

async function openPlainFile(path: string): Promise<FileHandle> {
  // Checked before opening too: opening a FIFO would wake its writer.
  checkPlain(path, await stat(path));
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    checkPlain(path, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function checkPlain(path: string, stats: Awaited<ReturnType<typeof stat>>): void {
  if (stats.isFile()) return;
  const what = stats.isDirectory()
    ? 'a directory'
    : stats.isFIFO()
      ? 'a pipe'
      : stats.isSocket()
        ? 'a socket'
        : 'a device';
  const hint = stats.isDirectory() ? '' : '; what is no file can be piped in';
  throw new ShoalError('USAGE', `expected --file to name a plain file, got ${path}, which is ${what}${hint}`);
}

async function* readable(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* chunks;
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

function unreadable(name: string, cause: unknown): ShoalError {
  return new ShoalError('USAGE', `${name} cannot be read: ${whyUnreadable(cause)}`, { cause });
}
