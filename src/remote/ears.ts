/** Between two attempts to connect, clients of a server that was away wait that long. */
const BACK_MS_MAX = 2_000;

/**
 * Whether this host could have heard others. It hears its own beats, as all hosts of the group do: while they do not
 * come back, nothing that others sent would come either, and their silence proves nothing. The same holds for time in
 * which this process stood still.
 */
export class Ears {
  readonly #beatMs: number;
  #checkedMs: number;
  /** A port that leaves out what it published itself gives no beat back, ever. */
  #hasHeard = false;
  #isHeard = false;
  #deafMs = 0;
  #pausedMs = 0;
  /** The others may have been cut off as well, and not be back yet: for how long their silence still proves nothing. */
  #excusedMs = 0;

  constructor(nowMs: number, beatMs: number) {
    this.#checkedMs = nowMs;
    this.#beatMs = beatMs;
  }

  /** For how long nothing has come back. */
  get deafMs(): number {
    return this.#deafMs;
  }

  /** Nothing has come back for so long that the others are to know it. */
  get isDeaf(): boolean {
    return this.#deafMs >= 2 * this.#beatMs;
  }

  /** For how long this process stood still and gave no sign of life, up to the last check. */
  get pausedMs(): number {
    return this.#pausedMs;
  }

  /** How long ago the last check was. It is far too long if this process stood still and has not noticed it yet. */
  uncheckedMs(nowMs: number): number {
    return nowMs - this.#checkedMs;
  }

  /** A beat of this host has come back. @returns whether the others were told that this host is deaf, and take no notice of it */
  heard(): boolean {
    const { isDeaf } = this;
    this.#hasHeard = true;
    this.#isHeard = true;
    this.#hearAgain();
    return isDeaf;
  }

  /** To be called once a beat. @returns the time since the last check in which others could have been heard */
  check(nowMs: number, isConnected: boolean): number {
    const sinceMs = nowMs - this.#checkedMs;
    this.#checkedMs = nowMs;
    // A beat that is a little late is no pause. From a longer gap nothing is taken off: so long have others heard nothing.
    this.#pausedMs = sinceMs > 2 * this.#beatMs ? sinceMs : 0;
    // One beat at most: what was sent during a pause of this process waits to be read.
    const countedMs = Math.min(sinceMs, this.#beatMs);
    const isDeaf = !isConnected || (this.#hasHeard && !this.#isHeard);
    this.#isHeard = false;
    if (isDeaf) {
      this.#deafMs += countedMs;
      return 0;
    }
    this.#hearAgain();
    const excusedMs = Math.min(this.#excusedMs, countedMs);
    this.#excusedMs -= excusedMs;
    return countedMs - excusedMs;
  }

  #hearAgain(): void {
    if (this.#deafMs === 0) return;
    this.#excusedMs = Math.min(this.#deafMs, BACK_MS_MAX);
    this.#deafMs = 0;
  }
}
