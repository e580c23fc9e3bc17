import { constants } from 'node:os';

/** Signals that end a command. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Signals that stay ignored if the parent ignored them. SIGINT is not one: a shell without job control ignores it for all its background jobs,
 * and Ctrl-C is still meant to end them.
 */
const STAY_IGNORED: readonly StopSignal[] = ['SIGTERM', 'SIGHUP'];

/** Node resets ignored signals (`nohup`) to their default when it starts, so `bin/shoal` passes the mask in this variable. */
const IGNORED_SIGNALS = 'SHOAL_SIGNALS_IGNORED';

/** @param mask hexadecimal, one bit per signal, as `SigIgn` in `/proc/PID/status` @returns the signals that stay ignored */
export function signalsIn(mask: string): readonly StopSignal[] {
  if (!/^[0-9a-f]{1,16}$/i.test(mask)) return [];
  const bits = BigInt(`0x${mask}`);
  return STAY_IGNORED.filter((name) => (bits >> BigInt(constants.signals[name] - 1)) & 1n);
}

let ignored: readonly StopSignal[] = [];

/** Ignores the signals that the parent of this process ignored. Called once, first of all. */
export function keepIgnoring(env: NodeJS.ProcessEnv = process.env): void {
  ignored = signalsIn(env[IGNORED_SIGNALS] ?? '');
  // Child processes decide for themselves.
  delete env[IGNORED_SIGNALS];
  for (const signal of ignored) process.on(signal, ignore);
}

function ignore(): void {
  // Without a listener Node would end.
}

/** A long command that a first Ctrl-C ends in order. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** The command has ended. */
  over(): void;
}

/** Aborts at the first stop signal. The second finds no listener and ends the program. */
export function interruption(): Interruption {
  const aborting = new AbortController();
  const over = onStopSignal(() => {
    over();
    aborting.abort();
  });
  return { signal: aborting.signal, over };
}

/** Calls `listener` for each stop signal that is not ignored. @returns a function that removes the listeners */
export function onStopSignal(listener: (signal: StopSignal) => void): () => void {
  const heard = STOP_SIGNALS.filter((signal) => !ignored.includes(signal));
  for (const signal of heard) process.on(signal, listener);
  return () => {
    for (const signal of heard) process.off(signal, listener);
  };
}
