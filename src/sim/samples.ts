/** One second of the run, or a few if it is very long. */
export interface Sample {
  /** At its end. */
  readonly atMs: number;
  readonly sent: number;
  /** The most at the end of a second. */
  readonly vms: number;
  /** The highest of a second; null if nothing was answered. */
  readonly latencyP95Ms: number | null;
}

/** Eleven days of seconds. Far more would not fit into memory, nor into one line of JSON. */
export const SAMPLES_MAX = 1_000_000;

/** The samples of a run, however long it is: where there are too many, each comes to stand for twice as many seconds. */
export class Samples {
  readonly #max: number;
  #kept: Sample[] = [];
  /** Of these, one is made. */
  #recent: Sample[] = [];
  #seconds = 1;

  constructor(max = SAMPLES_MAX) {
    this.#max = max;
  }

  add(second: Sample): void {
    this.#recent.push(second);
    if (this.#recent.length < this.#seconds) return;
    this.#kept.push(merged(this.#recent));
    this.#recent = [];
    if (this.#kept.length < this.#max) return;
    this.#kept = pairs(this.#kept);
    this.#seconds *= 2;
  }

  all(): readonly Sample[] {
    return this.#recent.length === 0 ? this.#kept : [...this.#kept, merged(this.#recent)];
  }
}

function pairs(samples: readonly Sample[]): Sample[] {
  const halved: Sample[] = [];
  for (let from = 0; from < samples.length; from += 2) halved.push(merged(samples.slice(from, from + 2)));
  return halved;
}

function merged(samples: readonly Sample[]): Sample {
  const latencies = samples.flatMap(({ latencyP95Ms }) => latencyP95Ms ?? []);
  return {
    atMs: samples.at(-1)?.atMs ?? 0,
    sent: samples.reduce((sum, { sent }) => sum + sent, 0),
    vms: Math.max(...samples.map(({ vms }) => vms)),
    latencyP95Ms: latencies.length === 0 ? null : Math.max(...latencies),
  };
}
