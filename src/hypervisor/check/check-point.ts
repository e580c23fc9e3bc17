/** What `shoal image check` looks at, in its order. */
export const CHECK_POINTS = {
  file: 'the files are there, QEMU can boot them as the profile says, and they fit into the memory',
  start: 'QEMU starts with it',
  ready: 'it becomes ready in time',
  terms: 'its ready line repeats what it was told',
  link: 'it answers on its port',
  'first-report': 'it reports at once when it is ready',
  reports: 'it reports at the interval, each time with a higher number',
  request:
    'it answers a request, and with a content type if its ready line says `payload=bytes`; its profile says so as well',
  'unknown-operation': 'it answers an unknown operation with 404',
  cancel: 'a request that is cancelled is answered once, and it goes on',
  'at-work': 'it reports and answers a ping while it computes',
  'largest-text': 'the longest text does not end it',
  garbage: 'bytes that mean nothing end their connection, and no other',
  load: 'the load that it reports is true as far as its host can see',
  console: 'each line of its console is as it must be, and they do not come too fast',
  stop: 'told to stop, it says bye',
  exit: 'it ends cleanly, in time',
} as const;

export type CheckPointName = keyof typeof CHECK_POINTS;

export interface CheckPoint {
  readonly name: CheckPointName;
  readonly state: 'ok' | 'failed' | 'skipped';
  /** What was found, or why it was not looked at. */
  readonly why: string;
}

/** The first point that failed; undefined if none did. Those after it may have failed for its sake. */
export function firstFailed(points: readonly CheckPoint[]): CheckPoint | undefined {
  return points.find(({ state }) => state === 'failed');
}

/** Takes down what is found at each point. What was not reached is skipped in the end. */
export class CheckList {
  readonly #points = new Map<CheckPointName, CheckPoint>();
  readonly #onPoint: (point: CheckPoint) => void;

  constructor(onPoint: (point: CheckPoint) => void) {
    this.#onPoint = onPoint;
  }

  ok(name: CheckPointName, why: string): void {
    this.#note({ name, state: 'ok', why });
  }

  failed(name: CheckPointName, why: string): void {
    this.#note({ name, state: 'failed', why });
  }

  skipped(name: CheckPointName, why: string): void {
    this.#note({ name, state: 'skipped', why });
  }

  /** @param why the rest was not reached @returns all points, in their order */
  finish(why: string): readonly CheckPoint[] {
    // The keys of this object are the names.
    const names = Object.keys(CHECK_POINTS) as CheckPointName[];
    for (const name of names) this.skipped(name, why);
    return names.flatMap((name) => this.#points.get(name) ?? []);
  }

  #note({ why, ...of }: CheckPoint): void {
    if (this.#points.has(of.name)) return;
    // What QEMU wrote may have many lines, and each point is one.
    const point = { ...of, why: why.replaceAll(/\s*[\r\n]\s*/g, ' | ') };
    this.#points.set(point.name, point);
    this.#onPoint(point);
  }
}
