import type { ConsoleEvent } from './console-event.ts';
import { RELAY_PREFIX, refused } from './contract-line.ts';
import type { LineFormat } from './formats/line-format.ts';
import { printable } from './printable.ts';
import { RateLimit } from './rate-limit.ts';

/** A longer line is cut. The longest line of the contract, `ready`, has at most half of this. */
export const LINE_BYTES_MAX = 4096;
/** Room for a line that comes in parts. It grows with the line; those of the contract fit. */
const LINE_BYTES_FIRST = 256;
/** A guest reports some times a second at most. */
const CONTRACT_RATE = new RateLimit(100, 400);
/** Relayed commands come in bursts. Whoever has a guest print many must not have its reports shed. */
const RELAY_RATE = new RateLimit(100, 400);
const LOG_RATE = new RateLimit(200, 1_000);

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** A line of which only a part has come. */
interface Part {
  bytes: Buffer;
  length: number;
  /** It was cut, and the rest of it is passed over. */
  isCut: boolean;
}

/**
 * Turns the bytes of a guest's console, however they are split, into events. The bytes are untrusted: whatever they
 * are, the parser neither throws nor grows, and it drops and counts lines that come too fast. It has no clock of its
 * own, so it is a function of its input.
 */
export class ConsoleParser {
  readonly #format: LineFormat;
  /** Most lines come whole, and a console at rest needs no memory for them. */
  #part: Part | undefined;
  /** When each rate is unused again. */
  #contractMs = 0;
  #relayMs = 0;
  #logMs = 0;
  #shed = 0;

  constructor(format: LineFormat) {
    this.#format = format;
  }

  /** @param nowMs on a clock that never goes back */
  push(bytes: Uint8Array, nowMs: number): readonly ConsoleEvent[] {
    const events: ConsoleEvent[] = [];
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, from);
      const end = newline < 0 ? bytes.length : newline;
      const isWhole = newline >= 0 && this.#part === undefined && end - from <= LINE_BYTES_MAX;
      if (isWhole) this.#tellLine(chunk, from, end, nowMs, events);
      else {
        this.#part ??= { bytes: Buffer.allocUnsafe(LINE_BYTES_FIRST), length: 0, isCut: false };
        this.#take(this.#part, bytes.subarray(from, end), nowMs, events);
        if (newline >= 0) this.#endOfLine(this.#part, nowMs, events);
      }
      from = end + 1;
    }
    return events;
  }

  #take(part: Part, more: Uint8Array, nowMs: number, events: ConsoleEvent[]): void {
    if (part.isCut) return;
    const room = LINE_BYTES_MAX - part.length;
    const taken = Math.min(more.length, room);
    grow(part, part.length + taken);
    part.bytes.set(more.length > room ? more.subarray(0, room) : more, part.length);
    part.length += taken;
    if (more.length <= room) return;
    // An endless line must not stay invisible, so its beginning is told at once.
    part.isCut = true;
    this.#tell(part.bytes, 0, part.length, true, nowMs, events);
  }

  #endOfLine({ bytes, length, isCut }: Part, nowMs: number, events: ConsoleEvent[]): void {
    this.#part = undefined;
    if (!isCut) this.#tellLine(bytes, 0, length, nowMs, events);
  }

  #tellLine(bytes: Buffer, from: number, end: number, nowMs: number, events: ConsoleEvent[]): void {
    const to = end > from && bytes[end - 1] === RETURN ? end - 1 : end;
    if (to > from) this.#tell(bytes, from, to, false, nowMs, events);
  }

  #tell(bytes: Buffer, from: number, end: number, cut: boolean, nowMs: number, events: ConsoleEvent[]): void {
    const mayTell = this.#format.mayTell(bytes, from, end);
    const isRelay =
      mayTell && bytes.toString('latin1', from, Math.min(end, from + RELAY_PREFIX.length)) === RELAY_PREFIX;
    if (!this.#takeFrom(isRelay ? 'relay' : mayTell ? 'telling' : 'log', nowMs)) {
      this.#shed += 1;
      return;
    }
    if (this.#shed > 0) {
      events.push({ kind: 'shed', lines: this.#shed });
      this.#shed = 0;
    }
    const text = bytes.toString('utf8', from, end);
    const event = mayTell && !cut ? this.#format.read(text) : undefined;
    if (event !== undefined) events.push(event);
    else if (cut && this.#format.refusesCut && mayTell)
      events.push(refused(text, `it has more than ${LINE_BYTES_MAX} bytes`));
    else events.push({ kind: 'log', text: printable(text) });
  }

  /** @returns whether the line is within its rate */
  #takeFrom(kind: 'telling' | 'relay' | 'log', nowMs: number): boolean {
    switch (kind) {
      case 'telling': {
        const fullMs = CONTRACT_RATE.take(this.#contractMs, nowMs);
        this.#contractMs = fullMs ?? this.#contractMs;
        return fullMs !== undefined;
      }
      case 'relay': {
        const fullMs = RELAY_RATE.take(this.#relayMs, nowMs);
        this.#relayMs = fullMs ?? this.#relayMs;
        return fullMs !== undefined;
      }
      case 'log': {
        const fullMs = LOG_RATE.take(this.#logMs, nowMs);
        this.#logMs = fullMs ?? this.#logMs;
        return fullMs !== undefined;
      }
    }
  }
}

/** Makes room for so many bytes. */
function grow(part: Part, bytes: number): void {
  if (bytes <= part.bytes.length) return;
  let size = part.bytes.length;
  while (size < bytes) size *= 2;
  const grown = Buffer.allocUnsafe(size);
  part.bytes.copy(grown, 0, 0, part.length);
  part.bytes = grown;
}
