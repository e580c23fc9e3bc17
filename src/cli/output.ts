import { codeOf, ShoalError } from '../errors.ts';
import { asInvoked } from './invoked-as.ts';

/** Output that may wait for a slow reader. More would fill our memory. */
const BEHIND_BYTES_MAX = 16 * 1024 * 1024;

const failing = new AbortController();

/** Aborted once standard output cannot be written. Commands without an end of their own end then. */
export const outputFailed: AbortSignal = failing.signal;

/** Keeps errors of standard output for `checkOutput`; by default they would end the process. Called once, first of all. */
export function guardOutput(): void {
  process.stdout.on('error', (error) => failing.abort(error));
  // An error of standard error has nowhere to go.
  process.stderr.on('error', () => undefined);
}

/**
 * Resolves when all output has been written.
 * @throws OUTPUT_UNWRITABLE if it could not be. A reader that has gone (`| head -1`) is no error.
 */
export async function checkOutput(): Promise<void> {
  // Node emits a stream's error after the callback of the write.
  await new Promise<void>((resolve) => process.stdout.write('', () => setImmediate(resolve)));
  const { reason } = outputFailed;
  if (!outputFailed.aborted || codeOf(reason) === 'EPIPE') return;
  throw new ShoalError(
    'OUTPUT_UNWRITABLE',
    `Standard output cannot be written to (${codeOf(reason) ?? String(reason)})`,
    {
      cause: reason,
    },
  );
}

/** Data goes to standard output, everything else to standard error: a pipe gets data only. */
export function printData(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Bytes as they are, with nothing behind them. */
export function printBytes(bytes: Uint8Array): void {
  process.stdout.write(bytes);
}

/** Text for a person as data, with commands as this user types them. */
export function printText(text: string): void {
  printData(asInvoked(text));
}

/** Resolves when the reader of standard output has caught up or gone. */
export async function readerCaughtUp(): Promise<void> {
  const { stdout } = process;
  if (!stdout.writableNeedDrain || outputFailed.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stdout.off('drain', done);
      outputFailed.removeEventListener('abort', done);
      resolve();
    };
    stdout.on('drain', done);
    outputFailed.addEventListener('abort', done);
  });
}

/** Whether the reader of standard output is too far behind. */
export function isReaderBehind(): boolean {
  return process.stdout.writableLength > BEHIND_BYTES_MAX;
}

export function printJson(value: unknown): void {
  printData(jsonLine(value));
}

/** JSON does not escape the control characters above 0x7e, which a terminal may obey. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A message for a person, with commands as this user types them. */
export function say(text: string): void {
  process.stderr.write(`${asInvoked(text)}\n`);
}

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly cell: (row: Row) => string;
}

/** A table in plain text, as wide as its content. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.cell(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === 'right' ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return `${[line(columns.map(({ title }) => title)), ...cells.map(line)].join('\n')}\n`;
}

/** The text of a table cell without line breaks and control characters. */
function oneLine(text: string): string {
  return printable(text).replace(/[\r\n]/g, '\ufffd');
}

/** Text from outside (a guest, a client) must not steer the terminal that it is shown on. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\r(?!\n)/g, '\ufffd');
}
