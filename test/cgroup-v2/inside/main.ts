/** The scenario: runs in the machine with cgroup v2, as root, and prints what it finds. */
import type { FactLine } from '../facts.ts';
import { oneMachine } from './one-machine.ts';
import { wholeShoal } from './whole-shoal.ts';

const tell = (line: FactLine): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

// A launcher does not keep the event loop alive, and nothing else reports the end of a QEMU.
const awake = setInterval(() => undefined, 60_000);
await wholeShoal(tell);
await oneMachine(tell);
clearInterval(awake);
