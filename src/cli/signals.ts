import { constants } from 'node:os';

/** Signals that end a command. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Those that stay ignored. SIGINT is not among them: a shell without job control ignores it for all that it starts in the background, and
 * what a script starts is still meant to end with Ctrl-C.
 */
const STAY_IGNORED: readonly StopSignal[] = ['SIGTERM', 'SIGHUP'];

/** Node gives every signal its default when it starts, also those that its parent ignores (`nohup`): `bin/shoal` hands these on. */
const IGNORED_SIGNALS = 'SHOAL_SIGNALS_IGNORED';

/** @returns which of the mask stay ignored @param mask as `SigIgn` in `/proc/PID/status` has it: hexadecimal, one bit a signal */
export function signalsIn(mask: string): readonly StopSignal[] {
  if (!/^[0-9a-f]{1,16}$/i.test(mask)) return [];
  const bits = BigInt(`0x${mask}`);
  return STAY_IGNORED.filter((name) => (bits >> BigInt(constants.signals[name] - 1)) & 1n);
}

let ignored: readonly StopSignal[] = [];

/** Goes on ignoring the signals that the parent of this process ignored. Called once, before anything else. */
export function keepIgnoring(env: NodeJS.ProcessEnv = process.env): void {
  ignored = signalsIn(env[IGNORED_SIGNALS] ?? '');
  // It holds for this process, not for those that it starts.
  delete env[IGNORED_SIGNALS];
  for (const signal of ignored) process.on(signal, ignore);
}

function ignore(): void {
  // Node ends on a signal that nobody listens to.
}

/** Listens to the signals that end a command, without those that are to be ignored. @returns what ends the listening */
export function onStopSignal(listener: (signal: StopSignal) => void): () => void {
  const heard = STOP_SIGNALS.filter((signal) => !ignored.includes(signal));
  for (const signal of heard) process.on(signal, listener);
  return () => {
    for (const signal of heard) process.off(signal, listener);
  };
}
