import type { ConsoleEvent } from './console-event.ts';
import { CONTRACT_PREFIX, parseContractLine, type ReportLimits, refused } from './contract-line.ts';
import { printable } from './printable.ts';
import { RateLimit } from './rate-limit.ts';

/** A longer line is cut. The longest line of the contract, `ready`, has at most half of this. */
export const LINE_BYTES_MAX = 4096;
/** Room for a line at first. It grows with the lines: those of the contract fit, and most guests print no others. */
const LINE_BYTES_FIRST = 256;
/** A guest reports some times a second at most; relayed commands come in bursts. */
const CONTRACT_LINES_PER_SECOND = 100;
const CONTRACT_LINES_BURST = 400;
const LOG_LINES_PER_SECOND = 200;
const LOG_LINES_BURST = 1_000;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Turns the bytes of a guest's console, however they are split, into events. The bytes are untrusted: whatever they
 * are, the parser neither throws nor grows, and it drops and counts lines that come too fast. It has no clock of its
 * own, so it is a function of its input.
 */
export class ConsoleParser {
  readonly #limits: ReportLimits;
  #line = Buffer.allocUnsafe(LINE_BYTES_FIRST);
  readonly #contractRate = new RateLimit(CONTRACT_LINES_PER_SECOND, CONTRACT_LINES_BURST);
  readonly #logRate = new RateLimit(LOG_LINES_PER_SECOND, LOG_LINES_BURST);
  #length = 0;
  /** True after a line has been cut, until it ends. */
  #skipping = false;
  #shed = 0;

  constructor(limits: ReportLimits) {
    this.#limits = limits;
  }

  /** @param nowMs on a clock that never goes back */
  push(bytes: Uint8Array, nowMs: number): readonly ConsoleEvent[] {
    const events: ConsoleEvent[] = [];
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, from);
      const end = newline < 0 ? bytes.length : newline;
      this.#take(bytes.subarray(from, end), nowMs, events);
      if (newline >= 0) this.#endOfLine(nowMs, events);
      from = end + 1;
    }
    return events;
  }

  #take(part: Uint8Array, nowMs: number, events: ConsoleEvent[]): void {
    if (this.#skipping) return;
    const room = LINE_BYTES_MAX - this.#length;
    const taken = Math.min(part.length, room);
    this.#reserve(this.#length + taken);
    this.#line.set(part.length > room ? part.subarray(0, room) : part, this.#length);
    this.#length += taken;
    if (part.length <= room) return;
    // An endless line must not stay invisible, so its beginning is told at once.
    this.#skipping = true;
    this.#tell(true, nowMs, events);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#line.length) return;
    let size = this.#line.length;
    while (size < bytes) size *= 2;
    const grown = Buffer.allocUnsafe(size);
    this.#line.copy(grown, 0, 0, this.#length);
    this.#line = grown;
  }

  #endOfLine(nowMs: number, events: ConsoleEvent[]): void {
    if (!this.#skipping) {
      if (this.#length > 0 && this.#line[this.#length - 1] === RETURN) this.#length -= 1;
      if (this.#length > 0) this.#tell(false, nowMs, events);
    }
    this.#skipping = false;
    this.#length = 0;
  }

  #tell(cut: boolean, nowMs: number, events: ConsoleEvent[]): void {
    const isContract =
      this.#line.toString('latin1', 0, Math.min(this.#length, CONTRACT_PREFIX.length)) === CONTRACT_PREFIX;
    const rate = isContract ? this.#contractRate : this.#logRate;
    if (!rate.take(nowMs)) {
      this.#shed += 1;
      return;
    }
    if (this.#shed > 0) {
      events.push({ kind: 'shed', lines: this.#shed });
      this.#shed = 0;
    }
    const text = this.#line.toString('utf8', 0, this.#length);
    if (!isContract) events.push({ kind: 'log', text: printable(text) });
    else if (cut) events.push(refused(text, `it has more than ${LINE_BYTES_MAX} bytes`));
    else events.push(parseContractLine(text, this.#limits));
  }
}
