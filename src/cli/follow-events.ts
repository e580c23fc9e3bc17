import type { FleetAddress } from '../app/mod.ts';
import { ShoalError } from '../errors.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { callAdmin, connect, fleetEventIn, subjectsOf } from '../transport/mod.ts';

export interface FollowOptions {
  /** Says where the fleet is; asked again after each loss, since it may come back elsewhere. Throws while it is nowhere. */
  readonly find: () => FleetAddress;
  /** How many of the latest are told first. */
  readonly count: number;
  readonly onEvent: (event: FleetEvent) => void;
  readonly onAway: (error: unknown) => void;
  /** The fleet is there again. What it knows of since it was lost is told after that. */
  readonly onBack: () => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** As many as a Shoal keeps. */
export const EVENTS_KEPT = 1_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Tells the latest event of a fleet and those to come until it is ended, over a connection that is made anew whenever it is lost. Nothing
 * is told twice.
 * @throws what the first look throws: FLEET_NOT_RUNNING, NATS_UNREACHABLE
 */
export async function followEvents(options: FollowOptions): Promise<void> {
  const told = new ToldEvents(options.onEvent);
  let isAway: boolean | undefined;
  const there = (): void => {
    if (isAway === true) options.onBack();
    isAway = false;
  };
  for (;;) {
    try {
      return await hear(options, told, isAway === undefined ? options.count : EVENTS_KEPT, there);
    } catch (error) {
      if (options.signal.aborted) return;
      if (isAway === undefined) throw error;
      if (!isAway) options.onAway(error);
      isAway = true;
    }
    await pause(options.signal);
  }
}

/** Over one connection: resolves when it is ended, rejects when the fleet is lost. */
async function hear(
  { find, signal }: FollowOptions,
  told: ToldEvents,
  count: number,
  there: () => void,
): Promise<void> {
  if (signal.aborted) return;
  const { servers, fleet } = find();
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const lost = Promise.withResolvers<undefined>();
  // It may be lost while nobody waits for that.
  lost.promise.catch(() => undefined);
  const connection = await connect({
    servers,
    name: 'shoal-events',
    onState: (state) => {
      if (state !== 'lost') return;
      lost.reject(new ShoalError('NATS_UNREACHABLE', `Nothing is heard of NATS at ${connection.shown}`));
    },
  });
  const end = (): void => lost.resolve(undefined);
  signal.addEventListener('abort', end);
  // What this verb returns is this type, on both sides.
  const latest = (some: number) => callAdmin(connection.nc, fleet, 'events', { count: some }) as Promise<FleetEvent[]>;
  const lookAgain = (): void => {
    if (isOver) return;
    timer = setTimeout(() => latest(1).then(lookAgain, lost.reject), LOOK_EVERY_MS);
  };
  try {
    // It listens before it asks for the latest, so that none falls between.
    let early: FleetEvent[] | undefined = [];
    connection.nc.subscribe(subjectsOf(fleet).events, {
      callback: (error, message) => {
        const event = error === null ? fleetEventIn(message) : undefined;
        if (event === undefined) return;
        if (early === undefined) told.live(event);
        else if (early.length < EVENTS_KEPT) early.push(event);
      },
    });
    const before = await Promise.race([latest(count), lost.promise]);
    if (before === undefined || signal.aborted) return;
    there();
    told.before(before);
    for (const event of early) told.live(event);
    early = undefined;
    lookAgain();
    await lost.promise;
  } finally {
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    await connection.close();
  }
}

/** Tells each once: what is heard while the latest are asked for, or after a loss, may be among these. */
class ToldEvents {
  readonly #tell: (event: FleetEvent) => void;
  readonly #latest = new Set<string>();
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(tell: (event: FleetEvent) => void) {
    this.#tell = tell;
  }

  /** Those before the newest that was told are left out: they were told, or were not asked for. */
  before(latest: readonly FleetEvent[]): void {
    const sinceMs = this.#newestMs;
    for (const event of latest) if (event.atMs >= sinceMs) this.live(event);
  }

  live(event: FleetEvent): void {
    const text = JSON.stringify(event);
    if (this.#latest.has(text)) return;
    this.#latest.add(text);
    if (this.#latest.size > EVENTS_KEPT) this.#latest.delete(this.#latest.values().next().value ?? '');
    this.#newestMs = Math.max(this.#newestMs, event.atMs);
    this.#tell(event);
  }
}

/** Ends early with the signal. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, LOOK_EVERY_MS);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}
