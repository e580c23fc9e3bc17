import { PassThrough } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import { systemClock } from '../actors/mod.ts';
import { isInForeground } from './foreground.ts';
import { PasteFilter } from './paste-filter.ts';

const ENDS = ['end', 'close', 'error'] as const;

/** What a person types: standard input of a terminal, without pasted text. It is what blessed reads. */
export class TerminalInput extends PassThrough {
  readonly isTTY = true;
  readonly #source: ReadStream;
  readonly #onGone: () => void;
  readonly #filter = new PasteFilter();

  /** @param onGone called when the terminal can be read no more */
  constructor(source: ReadStream, onGone: () => void) {
    super();
    this.#source = source;
    this.#onGone = onGone;
    source.on('data', this.#take);
    for (const event of ENDS) source.on(event, this.#lose);
    // Another input may have paused it.
    source.resume();
  }

  get isRaw(): boolean {
    return this.#source.isRaw;
  }

  /** Called by blessed. In the background it does nothing, because the kernel would stop the process. */
  setRawMode(isRaw: boolean): this {
    if (isInForeground()) this.#source.setRawMode(isRaw);
    return this;
  }

  /** Reads no more. */
  release(): void {
    this.#source.off('data', this.#take);
    for (const event of ENDS) this.#source.off(event, this.#lose);
    this.#source.pause();
    ignoreErrors(this.#source);
  }

  readonly #take = (bytes: Buffer): void => {
    // Latin-1 maps bytes to characters one to one, so split UTF-8 stays intact.
    const typed = this.#filter.typed(bytes.toString('latin1'), systemClock.monotonic());
    if (typed !== '') this.write(Buffer.from(typed, 'latin1'));
  };

  readonly #lose = (): void => this.#onGone();
}

/** Ignores errors for good: restoring a terminal that has gone causes more of them. */
export function ignoreErrors(stream: ReadStream | WriteStream): void {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
}

function ignore(): void {
  // The first error was handled.
}
