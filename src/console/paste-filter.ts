const START = '\u001b[200~';
const END = '\u001b[201~';
/** The end of a paste may be lost, on a slow line for one: after this silence what comes is keys again. */
const SILENCE_MS = 1_000;
/** A shorter beginning of `START` may be a key of its own: Escape. */
const HELD_MIN = 2;

/** Asks a terminal to mark pasted text ("bracketed paste"), and to stop doing so. */
export const PASTE_MARKS_ON = '\u001b[?2004h';
export const PASTE_MARKS_OFF = '\u001b[?2004l';

/** Takes marked pasted text out of what a terminal sends, wherever the stream is cut. */
export class PasteFilter {
  #isPasting = false;
  /** The end of the latest chunk, where a mark may have begun. */
  #held = '';
  #latestMs = Number.NEGATIVE_INFINITY;

  /** @returns what was typed @param nowMs monotonic milliseconds */
  typed(chunk: string, nowMs: number): string {
    if (nowMs - this.#latestMs > SILENCE_MS) this.#isPasting = false;
    this.#latestMs = nowMs;
    let rest = this.#held + chunk;
    this.#held = '';
    let typed = '';
    for (;;) {
      const mark = this.#isPasting ? END : START;
      const at = rest.indexOf(mark);
      if (at === -1) break;
      if (!this.#isPasting) typed += rest.slice(0, at);
      rest = rest.slice(at + mark.length);
      this.#isPasting = !this.#isPasting;
    }
    const kept = begunMark(rest, this.#isPasting ? END : START);
    this.#held = rest.slice(rest.length - kept);
    return this.#isPasting ? typed : typed + rest.slice(0, rest.length - kept);
  }
}

/** How many characters at the end of `text` are the beginning of `mark`. */
function begunMark(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length >= HELD_MIN; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
