import { ShoalError } from '../errors.ts';
import { inOrder } from './in-order.ts';
import type { ClientReply } from './reply.ts';

/** What became of one line: the processed text, or the error that stands in its place. */
export type LineOutcome = LineReply | LineFailure;

export interface LineReply extends ClientReply {
  readonly ok: true;
  /** Of the line, from 0. */
  readonly index: number;
}

export interface LineFailure {
  readonly ok: false;
  /** Of the line, from 0. */
  readonly index: number;
  readonly error: ShoalError;
}

export type Lines = AsyncIterable<string> | Iterable<string>;

export interface LineSending {
  readonly concurrency: number;
  readonly send: (line: string, signal: AbortSignal) => Promise<ClientReply>;
  /** The caller's own: ends what is in flight. */
  readonly signal: AbortSignal | undefined;
  /** The client's: what is in flight is the client's to end. */
  readonly closing: AbortSignal;
}

/** Keeps a fleet busy, and is few enough to be held in memory in order. */
export const CONCURRENCY_DEFAULT = 64;
const CONCURRENCY_MAX = 1_024;

/** @throws REQUEST_INVALID for what is no source of lines */
export function checkLines(lines: unknown, concurrency: number): void {
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > CONCURRENCY_MAX) {
    const why = `Expected \`concurrency\` to be a whole number from 1 to ${CONCURRENCY_MAX}, got ${String(concurrency)}`;
    throw new ShoalError('REQUEST_INVALID', why);
  }
  // A string would be taken for a sequence of its characters.
  const isSource =
    typeof lines === 'object' && lines !== null && (Symbol.asyncIterator in lines || Symbol.iterator in lines);
  if (isSource) return;
  const why = `Expected the lines as an array, a stream of lines or another iterable of strings, got ${typeof lines}`;
  throw new ShoalError('REQUEST_INVALID', why);
}

/**
 * @throws what the source threw; REQUEST_CANCELLED by the signal, or because the client was closed. The outcomes of lines that had been sent come
 * first.
 */
export async function* sendLines(
  lines: Lines,
  { concurrency, send, signal, closing }: LineSending,
): AsyncGenerator<LineOutcome, void, undefined> {
  const leaving = new AbortController();
  const stop = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  const cancel = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]);
  const work = async (line: string, index: number): Promise<LineOutcome> => {
    try {
      return { ok: true, index, ...(await send(line, cancel)) };
    } catch (error) {
      if (error instanceof ShoalError) return { ok: false, index, error };
      throw error;
    }
  };
  try {
    const isComplete = yield* inOrder(lines, { concurrency, work, stop });
    if (!isComplete) throw stopped(signal);
  } finally {
    // Whoever leaves early wants no more of what is in flight.
    leaving.abort();
  }
}

function stopped(signal: AbortSignal | undefined): ShoalError {
  if (signal?.aborted !== true)
    return new ShoalError('REQUEST_CANCELLED', 'The client was closed before all lines were read');
  return new ShoalError('REQUEST_CANCELLED', 'The lines were cancelled by their signal', { cause: signal.reason });
}
