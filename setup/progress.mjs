const QUIET_MS = 1000;
const REPEAT_MS = 15_000;
const REDRAW_MS = 500;

/**
 * Says on stderr what is being done and for how long: on a terminal in one line that is drawn again and again,
 * elsewhere (a CI log) as a line at the start, one every 15 s, and one at the end. What is over at once gets no line.
 */
export class Progress {
  #label;
  #latest;
  #startedMs = Date.now();
  #shown = false;
  /** @type {NodeJS.Timeout} */
  #timer;

  /**
   * @param {string} label what is being done, as in "installing the npm packages"
   * @param {() => string} latest the newest line of output of whatever is being done
   */
  constructor(label, latest) {
    this.#label = label;
    this.#latest = latest;
    this.#timer = setTimeout(() => this.#show(), QUIET_MS);
  }

  /** @param {'done' | 'failed'} outcome */
  end(outcome) {
    clearInterval(this.#timer);
    if (!this.#shown) return;
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    say(`${this.#label}: ${outcome} in ${this.#seconds()}`);
  }

  #show() {
    this.#shown = true;
    if (process.stderr.isTTY) {
      this.#timer = setInterval(() => this.#redraw(), REDRAW_MS);
      this.#redraw();
    } else {
      this.#timer = setInterval(() => say(this.#line()), REPEAT_MS);
      say(`${this.#label} ...`);
    }
  }

  #redraw() {
    const line = `setup: ${this.#line()}`;
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  }

  #line() {
    const latest = this.#latest();
    return `${this.#label}: ${this.#seconds()}${latest === '' ? '' : `, ${latest}`}`;
  }

  #seconds() {
    return `${Math.round((Date.now() - this.#startedMs) / 1000)} s`;
  }
}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}
